"""The lifter as ONNX: whole windows (lifter.onnx) or one frame at a time (lifter.stream.onnx), self-describing.

Each weight is followed by a Cast to float32, which ONNX Runtime and TensorRT do once, when they load the graph.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from sdk.errors import BadModelFile
from sdk.lifting.graph_metadata import GraphMetadata
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import find_skeleton
from training.files.atomic_file import replacing
from training.lifter.folded_lifter import FoldedLifter
from training.lifter.lifter import TemporalLifter
from training.lifter.streaming_lifter import StreamingLifter

if TYPE_CHECKING:
    import onnx

BATCH_NAME = "batch"
OPSET = 18
"""The lowest that torch's exporter writes without converting; ONNX Runtime 1.20 and TensorRT 10 read it."""


def export_graph(
    module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Trace a module whose tensors all begin with the batch, which is left open.

    Args:
        module: Called in evaluation mode with one argument for each example.
        examples: Arguments of any values, batch 2.
        inputs: Names of the arguments.
        outputs: Names of the results.

    Returns:
        The graph without metadata, and without a trace of the machine; the same bytes for the same weights.
    """
    batch = {0: torch.export.Dim(BATCH_NAME)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch.export about its own internals; the result is checked
        program = torch.onnx.export(
            module.eval(),
            tuple(examples),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=_by_argument(module, [batch] * len(examples)),
        )
    assert program is not None
    model = program.model_proto
    # The exporter notes the Python source line of every node, with the paths of the machine it ran on.
    graph = model.graph
    for record in (model, graph, *graph.input, *graph.output, *graph.node, *graph.value_info, *graph.initializer):
        record.ClearField("metadata_props")
        record.ClearField("doc_string")
    return model


def write_graph(model: onnx.ModelProto, metadata: Mapping[str, str], path: Path) -> None:
    """Check a graph and write it with its metadata, whole or not at all, without external data.

    Args:
        model: Gets the metadata.
        metadata: Replaces what was there.
        path: Of the .onnx file; its folder exists.
    """
    import onnx

    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    with replacing(Path(path)) as part:
        part.write_bytes(model.SerializeToString())


def _by_argument(module: nn.Module, shapes: list[dict]) -> tuple:
    """torch.export wants the shapes of `*arguments` as a tuple of their own."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = sum(p.kind is not p.VAR_POSITIONAL for p in parameters)
    starred = shapes[named:]
    return (*shapes[:named], tuple(starred)) if starred else tuple(shapes)


_SMALLEST = 1024
"""Numbers in a weight that is worth it: biases stay as they are."""


def store_in_half(model: onnx.ModelProto) -> None:
    """Round a graph's float32 weights to float16 where they are kept; inputs, outputs and arithmetic stay float32.

    Args:
        model: Changed in place.
    """
    import onnx

    graph = model.graph
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _SMALLEST:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], f"{name}_cast", to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


INPUT_NAME, OUTPUT_NAME = "keypoints", "joints"


def write_lifter_onnx(
    network: TemporalLifter, metadata: LifterMetadata, path: Path, *, half_storage: bool = False
) -> None:
    """Write a network as one self-describing ONNX file.

    Input `keypoints` (batch, receptive_field, J, C), output `joints` (batch, J, 3), float32, any batch size. Both kinds
    of metadata, `LifterMetadata` and `GraphMetadata`, are in it. It appears whole or not at all; the network is kept.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        metadata: How to feed it; with the checkpoint's hash if there is one, see `exported_metadata`.
        path: Of the .onnx file; its folder exists.
        half_storage: Whether its weights are rounded to half precision in the file; it computes in float32 anyway.

    Raises:
        BadModelFile: the metadata describes another network.
    """
    check_metadata(network, metadata)
    graph = lifter_graph(network)
    if half_storage:
        store_in_half(graph)
    write_graph(graph, metadata.to_metadata() | GraphMetadata.describe(metadata).to_metadata(), path)


def lifter_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without metadata (features, then Reshape, Gemm, Relu, Slice, Add); same weights, same bytes."""
    example = torch.zeros(2, network.receptive_field, network.joints, network.input_channels)
    return export_graph(FoldedLifter(network), [example], [INPUT_NAME], [OUTPUT_NAME])


def check_metadata(network: TemporalLifter, metadata: LifterMetadata) -> None:
    """Raise BadModelFile if the metadata describes another network."""
    joints = len(find_skeleton(metadata.skeleton))
    said = (metadata.receptive_field, joints, metadata.input_channels)
    taken = (network.receptive_field, network.joints, network.input_channels)
    if said != taken:
        raise BadModelFile(
            "the metadata says {} frames of {} joints of {} numbers ({}), the network takes {} frames of {} joints of "
            "{} "
            "numbers.".format(*said, metadata.skeleton, *taken)
        )


def write_streaming_onnx(
    network: TemporalLifter, metadata: LifterMetadata, path: Path, *, half_storage: bool = False
) -> None:
    """Write a network as one self-describing ONNX file that takes a frame at a time.

    Inputs `keypoints` (batch, J, C) and `state_0`, `state_1`, ... (batch, frames, channels), one for each layer that
    looks at more than one frame; outputs `joints` (batch, J, 3) and `next_state_0`, ... of the same shapes; float32,
    any batch size. The `GraphMetadata` in the entries says how to begin and to end (`edges`). The file appears whole or
    not at all; the network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        metadata: As for `write_lifter_onnx`.
        path: Of the .onnx file; its folder exists. The SDK looks for it where `sdk.lifting.streaming.streaming_path`
            says.
        half_storage: As for `write_lifter_onnx`.

    Raises:
        BadModelFile: the metadata describes another network.
    """
    check_metadata(network, metadata)
    entries = metadata.to_metadata() | GraphMetadata.describe(metadata, "streaming").to_metadata()
    graph = streaming_graph(network)
    if half_storage:
        store_in_half(graph)
    write_graph(graph, entries, path)


def streaming_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without metadata; the same bytes for the same weights."""
    module = StreamingLifter(network)
    names = [f"state_{index}" for index in range(len(module.state_shapes))]
    keypoints = torch.zeros(2, network.joints, network.input_channels)
    return export_graph(
        module, [keypoints, *module.start(2)], [INPUT_NAME, *names], [OUTPUT_NAME, *(f"next_{name}" for name in names)]
    )
