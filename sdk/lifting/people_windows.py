"""What each new frame of any number of people lets the lifter answer: by whole windows, or frame by frame."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamedPeople, StreamingGraph
from sdk.lifting.windows import MISSING_BELOW, WindowBuffer, cut_together, prepare_keypoints

_Key = TypeVar("_Key", bound=Hashable)
"""What people are told apart by."""


@dataclass(frozen=True, eq=False)
class ReadyFrame:
    """A frame whose future is known as far as the lifter asks for it.

    Attributes:
        timestamp_s: Of the frame, as it was pushed.
        keypoints: (16, 2), prepared as the lifter's metadata says; NaN where a joint is not seen.
        window: (receptive_field, 16, 2) around it, for the window graph; None where the streaming graph has answered.
        joints_m: (16, 3), that answer; None where the window is to be lifted.
    """

    timestamp_s: float
    keypoints: np.ndarray
    window: np.ndarray | None
    joints_m: np.ndarray | None = None


class PeopleWindows:
    """Keypoints of people, who may come and go, to frames that are ready.

    With a streaming graph, poses whose windows are made of frames alone come from it, one call for everybody; all
    others (`sdk.lifting.streaming` says which) have their window.
    """

    def __init__(
        self,
        metadata: LifterMetadata,
        image_size: tuple[int, int],
        skeleton: str,
        missing_below: float = MISSING_BELOW,
        graph: StreamingGraph | None = None,
    ) -> None:
        """Start with nobody; the first four arguments are those of `WindowBuffer`."""
        self._metadata, self._image_size, self._skeleton = metadata, image_size, skeleton
        self._missing_below = missing_below
        self._buffers: dict[Hashable, WindowBuffer] = {}
        self._streamed = None if graph is None else StreamedPeople(graph)

    def push(self, keypoints_px: Mapping[_Key, np.ndarray], timestamp_s: float) -> dict[_Key, list[ReadyFrame]]:
        """Take a frame.

        Args:
            keypoints_px: Of everybody in it, all (J, 2) or all (J, 3) with scores, pixels.
            timestamp_s: Seconds, larger than that of each one's frame before.

        Returns:
            For everybody in it, the frames that this one completes, oldest first.

        Raises:
            BadKeypoints: as `prepare_keypoints`, and then nobody's frame is taken; or time does not go forward for one.
        """
        if not keypoints_px:
            return {}
        pixels = np.array(list(keypoints_px.values()), np.float32)
        prepared = prepare_keypoints(pixels, self._image_size, self._skeleton, self._metadata, self._missing_below)
        frames: dict[Hashable, np.ndarray] = dict(zip(keypoints_px, prepared, strict=True))
        ready = {person: self._buffer(person).take_prepared(frames[person], timestamp_s) for person in keypoints_px}
        poses = self._streamed.push(frames, timestamp_s) if self._streamed is not None else {}
        streamed = {
            person: ReadyFrame(pose.timestamp_s, pose.keypoints, None, pose.joints_m)
            for person, times in ready.items()
            if (pose := poses.get(person)) is not None and pose.timestamp_s in times
        }
        # A frame may complete windows that hold more than frames of the chain: those before and after the streamed one.
        rest = {
            person: [t for t in times if person not in streamed or t != streamed[person].timestamp_s]
            for person, times in ready.items()
        }
        completed = self._cut(rest)
        for person, frame in streamed.items():
            completed[person] = sorted([*completed[person], frame], key=lambda one: one.timestamp_s)
        return completed

    def flush(self, person: Hashable) -> list[ReadyFrame]:
        """A person's frames still waiting for their future, which the last one stands in for; forgets the person."""
        if person not in self._buffers:
            return []
        frames = self._cut({person: self._buffers[person].waiting_s})[person]
        self.forget(person)
        return frames

    def forget(self, person: Hashable) -> None:
        """Drop what is known of a person; nothing if nothing is."""
        self._buffers.pop(person, None)
        if self._streamed is not None:
            self._streamed.forget(person)

    def _buffer(self, person: Hashable) -> WindowBuffer:
        if person not in self._buffers:
            self._buffers[person] = WindowBuffer(self._metadata, self._image_size, self._skeleton, self._missing_below)
        return self._buffers[person]

    def _cut(self, at_s: Mapping[_Key, list[float]]) -> dict[_Key, list[ReadyFrame]]:
        """The windows of the asked times; of people who were seen in the same frames, which most are, together."""
        alike: dict[tuple[tuple[float, ...], ...], list[_Key]] = {}
        for person, times_s in at_s.items():
            if times_s:
                alike.setdefault((self._buffers[person].times_s, tuple(times_s)), []).append(person)
        frames: dict[_Key, list[ReadyFrame]] = {person: [] for person in at_s}
        middle = self._metadata.window_reach
        for (_, times), people in alike.items():
            cut = cut_together([self._buffers[person] for person in people], times, self._metadata)
            for person, windows in zip(people, cut, strict=True):
                frames[person] = [ReadyFrame(t, w[middle], w) for t, w in zip(times, windows, strict=True)]
        return frames
