"""Writes lifter.stream.onnx: the lifter one frame at a time, its past as state inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sdk.lifting.graph_metadata import GraphCard
from sdk.lifting.model_metadata import LifterCard
from training.graph_export import export_graph, write_graph
from training.half_storage import store_in_half
from training.lifter_graph import INPUT_NAME, OUTPUT_NAME, check_card
from training.models.lifter import TemporalLifter
from training.models.streaming_lifter import StreamingLifter

if TYPE_CHECKING:
    import onnx


def write_streaming_onnx(network: TemporalLifter, card: LifterCard, path: Path, *, half_storage: bool = False) -> None:
    """Write a network as one self-describing ONNX file that takes a frame at a time.

    Inputs `keypoints` (batch, J, C) and `state_0`, `state_1`, ... (batch, frames, channels), one for each layer that
    looks at more than one frame; outputs `joints` (batch, J, 3) and `next_state_0`, ... of the same shapes; float32,
    any batch size. The `GraphCard` in the metadata says how to begin and to end (`edges`). The file appears whole or
    not at all; the network is not changed.

    Args:
        network: In any mode, on any device; exported as in evaluation mode.
        card: As for `write_lifter_onnx`.
        path: Of the .onnx file; its folder exists. The SDK looks for it where `sdk.lifting.streaming.streaming_path`
            says.
        half_storage: As for `write_lifter_onnx`.

    Raises:
        BadModelFile: the card describes another network.
    """
    check_card(network, card)
    metadata = card.to_metadata() | GraphCard.describe(card, "streaming").to_metadata()
    graph = streaming_graph(network)
    if half_storage:
        store_in_half(graph)
    write_graph(graph, metadata, path)


def streaming_graph(network: TemporalLifter) -> onnx.ModelProto:
    """The graph without a card; the same bytes for the same weights."""
    module = StreamingLifter(network)
    names = [f"state_{index}" for index in range(len(module.state_shapes))]
    keypoints = torch.zeros(2, network.joints, network.input_channels)
    return export_graph(
        module, [keypoints, *module.start(2)], [INPUT_NAME, *names], [OUTPUT_NAME, *(f"next_{name}" for name in names)]
    )
