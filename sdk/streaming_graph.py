"""A lifter's streaming graph: one frame of each person in, their poses out, the past of each layer handed on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadModelFile
from sdk.graph_card import GraphCard
from sdk.lifter_card import LifterCard
from sdk.sessions import open_session
from sdk.windows import with_seen


def streaming_path(window_graph: Path) -> Path:
    """Where the streaming graph of a lifter lies: lifter.onnx has lifter.stream.onnx."""
    return window_graph.with_name(f"{window_graph.stem}.stream{window_graph.suffix}")


class StreamingGraph:
    """The streaming form of one lifter.

    Args:
        path: Written by `training.streaming_graph.write_streaming_onnx`.
        card: Of the lifter whose streaming form it has to be.
        precision: Of that lifter's graph.
        device: As in `sdk.sessions.open_session`.
        threads: The same.

    Raises:
        BadModelFile: missing, damaged, no streaming graph, or of another lifter or precision; names both.
        UnknownDevice, DeviceUnavailable: there is no such device.
    """

    def __init__(
        self, path: Path, card: LifterCard, precision: str = "fp32", device: str = "cpu", threads: int = 0
    ) -> None:
        self._session = open_session(path, device, threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        found, graph = LifterCard.from_metadata(metadata, str(path)), GraphCard.from_metadata(metadata, str(path))
        if graph.kind != "streaming":
            raise BadModelFile(f"{path} is a {graph.kind} graph, not a streaming one. Export the lifter again.")
        if (found, graph.precision) != (card, precision):
            raise BadModelFile(
                f"{path} is the streaming graph of another lifter: it is {_name(found, graph.precision)}, the lifter "
                f"is {_name(card, precision)}. Export the lifter again, or remove the file."
            )
        self.card = card
        keypoints, *states = self._session.get_inputs()
        self._names = [keypoints.name, *(state.name for state in states)]
        self._shapes = [tuple(state.shape[1:]) for state in states]

    @property
    def provider(self) -> str:
        """What runs it."""
        return self._session.get_providers()[0]

    def start(self, people: int = 1) -> list[np.ndarray]:
        """The states of people who were not seen before: zeros, (people, frames, channels) for each layer."""
        return [np.zeros((people, *shape), np.float32) for shape in self._shapes]

    def step(self, keypoints: np.ndarray, states: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Push one frame of each of B people.

        Args:
            keypoints: (B, 16, 2) float32, prepared as the card says; NaN where a joint is not seen.
            states: (B, frames, channels) for each layer, as `start` or the call before returned them; not changed.

        Returns:
            (B, 16, 3) float32, the poses of the frames `card.lookahead_frames` pushes ago, meaningless until
            `card.receptive_field` frames were pushed; and the states after it.
        """
        if self.card.input_channels == 3:
            keypoints = with_seen(keypoints)
        feeds = dict(zip(self._names, [np.ascontiguousarray(keypoints, np.float32), *states], strict=True))
        joints, *after = self._session.run(None, feeds)
        return joints, after


def _name(card: LifterCard, precision: str) -> str:
    return f"{card.name!r} in {precision} of checkpoint {card.checkpoint_sha256[:12] or 'unknown'}"
