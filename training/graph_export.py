"""A torch module as one self-describing ONNX file: what every graph of ours has in common."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from training.atomic_file import replacing

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
