"""Writes lifter.onnx: the graph that the SDK runs and that engines are built from."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sdk.errors import BadModelFile
from sdk.lifter_card import LifterCard
from sdk.skeletons import find_skeleton
from training.atomic_file import replacing
from training.models.folded_lifter import FoldedLifter
from training.models.lifter import TemporalLifter

if TYPE_CHECKING:
    import onnx

INPUT_NAME, OUTPUT_NAME, BATCH_NAME = "keypoints", "joints", "batch"
OPSET = 18
"""The lowest that torch's exporter writes without converting; ONNX Runtime 1.20 and TensorRT 10 read it."""


def write_lifter_onnx(network: TemporalLifter, card: LifterCard, path: Path) -> None:
    """Write a network as one self-describing ONNX file.

    Input `keypoints` (batch, receptive_field, J, C), output `joints` (batch, J, 3), float32, any batch size. The card
    is in the metadata. The file appears whole or not at all; the network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        card: How to feed it; with the checkpoint's hash if there is one, see `training.checkpoint.exported_card`.
        path: Of the .onnx file; its folder exists.

    Raises:
        BadModelFile: the card describes another network.
    """
    import onnx

    check_card(network, card)
    model = lifter_graph(network)
    onnx.helper.set_model_props(model, card.to_metadata())
    onnx.checker.check_model(model, full_check=True)
    with replacing(Path(path)) as part:
        part.write_bytes(model.SerializeToString())


def lifter_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without a card: features, then Reshape, Gemm, Relu, Slice, Add; the same bytes for the same weights."""
    example = torch.zeros(2, network.receptive_field, network.joints, network.input_channels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch.export about its own internals; the result is checked
        program = torch.onnx.export(
            FoldedLifter(network).eval(),
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_shapes=({0: torch.export.Dim(BATCH_NAME)},),
        )
    assert program is not None
    model = program.model_proto
    # The exporter notes the Python source line of every node, with the paths of the machine it ran on.
    graph = model.graph
    for record in (model, graph, *graph.input, *graph.output, *graph.node, *graph.value_info, *graph.initializer):
        record.ClearField("metadata_props")
        record.ClearField("doc_string")
    return model


def check_card(network: TemporalLifter, card: LifterCard) -> None:
    """Raise BadModelFile if the card describes another network."""
    joints = len(find_skeleton(card.skeleton))
    said = (card.receptive_field, joints, card.input_channels)
    taken = (network.receptive_field, network.joints, network.input_channels)
    if said != taken:
        raise BadModelFile(
            "the card says {} frames of {} joints of {} numbers ({}), the network takes {} frames of {} joints of {} "
            "numbers.".format(*said, card.skeleton, *taken)
        )
