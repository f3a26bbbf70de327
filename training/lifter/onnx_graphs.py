"""The lifter as ONNX, with metadata: for whole windows (lifter.onnx) or one frame at a time (lifter.stream.onnx).

With half storage, each weight is followed by a Cast to float32. ONNX Runtime and TensorRT do it once, when they load
the graph.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from sdk.errors import BadModelFile
from sdk.lifting.answers import FURTHER_OUTPUTS, JOINTS_OUTPUT
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
"""ONNX opset: the lowest that torch's exporter writes without converting. ONNX Runtime 1.20 and TensorRT 10 read it."""


def export_graph(
    module: nn.Module, examples: Sequence[Tensor], inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Trace a module to a graph for any batch size. The first dimension of every tensor is the batch.

    Args:
        module: Called in evaluation mode with one argument for each example.
        examples: Example arguments with any values, batch 2.
        inputs: Names of the arguments.
        outputs: Names of the results.

    Returns:
        The graph without metadata and without paths of this machine. The same weights give the same bytes.
    """
    batch = {0: torch.export.Dim(BATCH_NAME)}
    with _torch_silent():
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
    # The exporter stores the Python source line of every node, with paths of this machine.
    graph = model.graph
    for record in (model, graph, *graph.input, *graph.output, *graph.node, *graph.value_info, *graph.initializer):
        record.ClearField("metadata_props")
        record.ClearField("doc_string")
    return model


@contextmanager
def _torch_silent() -> Iterator[None]:
    """Without what torch says of its own internals, and of packages that it finds missing; the result is checked."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def write_graph(model: onnx.ModelProto, metadata: Mapping[str, str], path: Path) -> None:
    """Check a graph and write it with its metadata, whole or not at all, without external data.

    Args:
        model: The graph; it gets the metadata.
        metadata: Replaces the graph's earlier metadata.
        path: The .onnx file; its folder must exist.
    """
    import onnx

    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    with replacing(Path(path)) as part:
        part.write_bytes(model.SerializeToString())


def _by_argument(module: nn.Module, shapes: list[dict]) -> tuple:
    """Shapes in the form that torch.export wants: those of `*arguments` are one nested tuple."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = sum(p.kind is not p.VAR_POSITIONAL for p in parameters)
    starred = shapes[named:]
    return (*shapes[:named], tuple(starred)) if starred else tuple(shapes)


_SMALLEST = 1024
"""Fewest numbers in a weight that is rounded. Biases stay as they are."""


def store_in_half(model: onnx.ModelProto) -> None:
    """Store a graph's float32 weights as float16. Inputs, outputs and arithmetic stay float32.

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


INPUT_NAME = "keypoints"


def write_lifter_onnx(
    network: TemporalLifter, metadata: LifterMetadata, path: Path, *, half_storage: bool = False
) -> None:
    """Write a network as one ONNX file with metadata.

    Input `keypoints` (batch, receptive_field, J, C), output `joints` (batch, J, 3), float32, any batch size. Of a
    lifter that tells more, further outputs follow (`sdk.lifting.answers`). The file has `LifterMetadata` and
    `GraphMetadata`. It appears whole or not at all. The network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        metadata: How to prepare its input, with the checkpoint's hash if there is one; see `exported_metadata`.
        path: The .onnx file; its folder must exist.
        half_storage: Whether the file stores weights in half precision. It computes in float32 in any case.

    Raises:
        BadModelFile: the metadata describes another network.
    """
    check_metadata(network, metadata)
    graph = lifter_graph(network)
    if half_storage:
        store_in_half(graph)
    write_graph(graph, metadata.to_metadata() | GraphMetadata.describe(metadata).to_metadata(), path)


def lifter_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without metadata (features, then Reshape, Gemm, Relu, Slice, Add). Same weights give same bytes."""
    example = torch.zeros(2, network.receptive_field, network.joints, network.input_channels)
    return export_graph(FoldedLifter(network), [example], [INPUT_NAME], _outputs(network))


def _outputs(network: TemporalLifter) -> list[str]:
    """Names of what the lifter tells, in the order of `TemporalLifter.told`."""
    return [JOINTS_OUTPUT, *(FURTHER_OUTPUTS if network.tells_more else ())]


def check_metadata(network: TemporalLifter, metadata: LifterMetadata) -> None:
    """Raise BadModelFile if the metadata describes another network."""
    joints = len(find_skeleton(metadata.skeleton))
    said = (metadata.receptive_field, joints, metadata.input_channels)
    taken = (network.receptive_field, network.joints, network.input_channels)
    if metadata.tells_more != network.tells_more:
        raise BadModelFile(
            f"the metadata says tells_more {metadata.tells_more}, the network has tells_more {network.tells_more}."
        )
    if said != taken:
        raise BadModelFile(
            "the metadata says {} frames of {} joints of {} numbers ({}), the network takes {} frames of {} joints of "
            "{} "
            "numbers.".format(*said, metadata.skeleton, *taken)
        )


def write_streaming_onnx(
    network: TemporalLifter, metadata: LifterMetadata, path: Path, *, half_storage: bool = False
) -> None:
    """Write a network as one ONNX file with metadata that takes one frame at a time (streaming graph).

    Inputs: `keypoints` (batch, J, C) and `state_0`, `state_1`, ... (batch, frames, channels), one for each layer that
    sees more than one frame. Outputs: `joints` (batch, J, 3) and `next_state_0`, ... of the same shapes. All are
    float32, for any batch size. The `GraphMetadata` in the file says how to begin and to end (`edges`). The file
    appears whole or not at all. The network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        metadata: As for `write_lifter_onnx`.
        path: The .onnx file; its folder must exist. The SDK looks for it at `sdk.lifting.streaming.streaming_path`.
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
    """The graph without metadata. Same weights give same bytes."""
    module = StreamingLifter(network)
    names = [f"state_{index}" for index in range(len(module.state_shapes))]
    keypoints = torch.zeros(2, network.joints, network.input_channels)
    outputs = [*_outputs(network), *(f"next_{name}" for name in names)]
    return export_graph(module, [keypoints, *module.start(2)], [INPUT_NAME, *names], outputs)
