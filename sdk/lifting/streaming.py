"""The streaming graph: takes one frame of each person, gives their poses, and keeps the past of each layer as state.

A window has keypoints at the lifter's rate around its frame. If frames come at that rate, or at a multiple of it, the
keypoints are those of frames, and successive windows share all frames but one. This is a chain: frames that are each
1 / rate after the one before. Along a chain the streaming graph gives the same poses as the window graph, at the cost
of one frame. Windows with anything else (an interpolated time, a repeated edge frame) need the window graph.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadModelFile
from sdk.lifting.answers import AnswerForm
from sdk.lifting.graph_metadata import GraphMetadata
from sdk.lifting.mirrored import MirroredSession
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import SAME_INSTANT_S, ReadyWindow, nobody_seen, with_seen
from sdk.runtime.sessions import Session, open_session


def streaming_path(window_graph: Path) -> Path:
    """The file of a lifter's streaming graph: lifter.stream.onnx for lifter.onnx."""
    return window_graph.with_name(f"{window_graph.stem}.stream{window_graph.suffix}")


class StreamingGraph:
    """The streaming form of one lifter.

    Args:
        path: File from `training.lifter.onnx_graphs.write_streaming_onnx`.
        metadata: Metadata of the lifter that it must belong to.
        precision: Precision of that lifter's graph.
        device: As in `sdk.runtime.sessions.open_session`.
        threads: As in `sdk.runtime.sessions.open_session`.
        mirrored: Whether answers are averaged with mirrored ones; see `sdk.lifting.mirrored`. States have an axis more.

    Raises:
        BadModelFile: the file is missing, damaged, no streaming graph, or of another lifter or precision; names both.
        UnknownDevice, DeviceUnavailable: there is no such device.
    """

    def __init__(
        self,
        path: Path,
        metadata: LifterMetadata,
        precision: str = "fp32",
        device: str = "cpu",
        threads: int = 0,
        *,
        mirrored: bool = False,
    ) -> None:
        session = open_session(path, device, threads)
        self._session: Session = MirroredSession(session, str(path)) if mirrored else session
        entries = self._session.get_modelmeta().custom_metadata_map
        found, graph = LifterMetadata.from_metadata(entries, str(path)), GraphMetadata.from_metadata(entries, str(path))
        if graph.kind != "streaming":
            raise BadModelFile(f"{path} is a {graph.kind} graph, not a streaming one. Export the lifter again.")
        if (found, graph.precision) != (metadata, precision):
            raise BadModelFile(
                f"{path} is the streaming graph of another lifter: it is {_name(found, graph.precision)}, the lifter "
                f"is {_name(metadata, precision)}. Export the lifter again, or remove the file."
            )
        self.metadata, self.form = metadata, AnswerForm(metadata)
        keypoints, *states = self._session.get_inputs()
        self._names = [keypoints.name, *(state.name for state in states)]
        self._shapes = [tuple(state.shape[1:]) for state in states]
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def provider(self) -> str:
        """The execution provider that runs it."""
        return self._session.get_providers()[0]

    def start(self, people: int = 1) -> list[np.ndarray]:
        """The states of new people: zeros, (people, frames, channels) for each layer."""
        return [np.zeros((people, *shape), np.float32) for shape in self._shapes]

    def step(self, keypoints: np.ndarray, states: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Push one frame of each of B people.

        Args:
            keypoints: (B, J, 2) float32, prepared as the metadata says; NaN where a joint is not seen.
            states: (B, frames, channels) for each layer, from `start` or the call before. They are not changed.

        Returns:
            (B, N) float32 answers (`AnswerForm`) to the frames pushed `metadata.lookahead_frames` pushes ago, and the
            next states. They are meaningless until `metadata.receptive_field` frames were pushed.
        """
        if self.metadata.input_channels == 3:
            keypoints = with_seen(keypoints)
        feeds = dict(zip(self._names, [np.ascontiguousarray(keypoints, np.float32), *states], strict=True))
        results = self._session.run(self._outputs, feeds)  # names given once: for None they are read again
        outputs = len(self.form.outputs)
        return self.form.packed(results[:outputs]), results[outputs:]


def _name(metadata: LifterMetadata, precision: str) -> str:
    return f"{metadata.name!r} in {precision} of checkpoint {metadata.checkpoint_sha256[:12] or 'unknown'}"


_OFF_CHAIN_S = SAME_INSTANT_S / 2
"""Tolerance of a chain. Half of `SAME_INSTANT_S`, so that any two frames of a chain fit each other's grid in
`sample_windows`."""


class Chain:
    """Frames of one person on a regular time grid that begins at the first frame.

    Its states are one row in the batch of all people that were stepped together.
    `unseen` counts the last frames in a row without any joint.
    """

    def __init__(self, start_s: float, first: np.ndarray, lookahead_frames: int) -> None:
        self.start_s = start_s
        self.first: np.ndarray | None = first
        self.frames = 1
        self.unseen = int(nobody_seen(first))
        self.recent = deque([(start_s, first)], maxlen=lookahead_frames + 1)
        self.states: list[np.ndarray] | None = None
        self.row = 0


Chains = list[Chain]
"""The chains of one person: an empty list at first, dropped when the person goes."""


class StreamedPeople:
    """Steps the chains of any number of people in one call of the graph. It keeps no state of people: see `Chains`."""

    def __init__(self, graph: StreamingGraph) -> None:
        self._graph = graph

    def push(
        self, people: Sequence[Chains], keypoints: Sequence[np.ndarray], timestamp_s: float
    ) -> list[ReadyWindow | None]:
        """Take a frame.

        Args:
            people: The chains of everybody in the frame; they are changed.
            keypoints: (J, 2) of each person, prepared as the lifter's metadata says; NaN where not seen.
            timestamp_s: Seconds, larger than at each person's frame before.

        Returns:
            For each person: the pose that this frame completes, if its whole window is on one chain; else None.
        """
        followed: list[tuple[int, Chain]] = []
        for row, chains in enumerate(people):
            chain = self._follow(chains, timestamp_s)
            if chain is None:
                chains.append(Chain(timestamp_s, keypoints[row], self._graph.metadata.lookahead_frames))
            else:
                followed.append((row, chain))
        # The step of a chain's first frame waits for the second one, which may never come (at 30 fps it never does).
        first = [chain for _, chain in followed if chain.first is not None]
        if first:
            self._step(first, [chain.first for chain in first if chain.first is not None])
            for chain in first:
                chain.first = None
        answers = self._step([chain for _, chain in followed], [keypoints[row] for row, _ in followed])
        poses: list[ReadyWindow | None] = [None] * len(people)
        for (row, chain), answer in zip(followed, answers, strict=True):
            chain.recent.append((timestamp_s, keypoints[row]))
            chain.frames += 1
            chain.unseen = chain.unseen + 1 if nobody_seen(keypoints[row]) else 0
            seen = chain.unseen < self._graph.metadata.receptive_field
            if not seen:
                answer = np.full_like(answer, np.nan)
            if chain.frames >= self._graph.metadata.receptive_field:
                middle_s, middle = chain.recent[0]
                poses[row] = ReadyWindow(middle_s, None, middle, answer, seen)
        return poses

    def _follow(self, chains: Chains, timestamp_s: float) -> Chain | None:
        rate = self._graph.metadata.frame_rate_hz
        chains[:] = [
            chain
            for chain in chains
            if chain.start_s + chain.frames / rate > timestamp_s - _OFF_CHAIN_S  # else its next frame is missing
        ]
        return next((c for c in chains if c.start_s + c.frames / rate <= timestamp_s + _OFF_CHAIN_S), None)

    def _step(self, chains: list[Chain], frames: list[np.ndarray]) -> np.ndarray:
        if not chains:
            return np.zeros((0, self._graph.form.size), np.float32)
        answers, states = self._graph.step(np.array(frames), self._states(chains))
        for row, chain in enumerate(chains):
            chain.states, chain.row = states, row
        return answers

    def _states(self, chains: list[Chain]) -> list[np.ndarray]:
        """The states of the chains as one batch. It is that of the last step as long as nobody comes or goes."""
        for chain in chains:
            if chain.states is None:
                chain.states, chain.row = self._graph.start(), 0
        first = chains[0].states
        assert first is not None
        together = all(chain.states is first and chain.row == row for row, chain in enumerate(chains))
        if together and all(len(layer) == len(chains) for layer in first):
            return first
        rows = [[layer[chain.row] for layer in chain.states or ()] for chain in chains]
        return [np.stack(layer) for layer in zip(*rows, strict=True)]
