"""Writes lifter.onnx: the graph that the SDK runs and that engines are built from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sdk.errors import BadModelFile
from sdk.lifting.graph_metadata import GraphCard
from sdk.lifting.model_metadata import LifterCard
from sdk.skeletons.skeleton import find_skeleton
from training.graph_export import export_graph, write_graph
from training.half_storage import store_in_half
from training.models.folded_lifter import FoldedLifter
from training.models.lifter import TemporalLifter

if TYPE_CHECKING:
    import onnx

INPUT_NAME, OUTPUT_NAME = "keypoints", "joints"


def write_lifter_onnx(network: TemporalLifter, card: LifterCard, path: Path, *, half_storage: bool = False) -> None:
    """Write a network as one self-describing ONNX file.

    Input `keypoints` (batch, receptive_field, J, C), output `joints` (batch, J, 3), float32, any batch size. The card
    and a `GraphCard` are in the metadata. The file appears whole or not at all; the network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        card: How to feed it; with the checkpoint's hash if there is one, see `training.checkpoint.exported_card`.
        path: Of the .onnx file; its folder exists.
        half_storage: Whether its weights are rounded to half precision in the file; it computes in float32 anyway.

    Raises:
        BadModelFile: the card describes another network.
    """
    check_card(network, card)
    graph = lifter_graph(network)
    if half_storage:
        store_in_half(graph)
    write_graph(graph, card.to_metadata() | GraphCard.describe(card).to_metadata(), path)


def lifter_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without a card: features, then Reshape, Gemm, Relu, Slice, Add; the same bytes for the same weights."""
    example = torch.zeros(2, network.receptive_field, network.joints, network.input_channels)
    return export_graph(FoldedLifter(network), [example], [INPUT_NAME], [OUTPUT_NAME])


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
