"""Finds the frames that are ready to lift, for any number of people: with whole windows, or frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import Chains, StreamedPeople, StreamingGraph
from sdk.lifting.windows import MISSING_BELOW, ReadyWindow, WindowBuffer, cut_together, prepare_keypoints


class PersonWindows:
    """The kept frames of one person. `PeopleWindows.begin` makes it; the caller decides how long to keep it.

    Attributes:
        buffer: The frames that later windows need.
        chains: The chains of frames for the streaming graph.
    """

    def __init__(self, buffer: WindowBuffer) -> None:
        self.buffer = buffer
        self.chains: Chains = []


class PeopleWindows:
    """Turns keypoints of people into frames that are ready to lift. It keeps no state of people itself.

    With a streaming graph, windows that consist of frames only are answered by it, with one call for everybody. All
    others (see `sdk.lifting.streaming`) return their window.
    """

    def __init__(
        self,
        metadata: LifterMetadata,
        image_size: tuple[int, int],
        skeleton: str,
        missing_below: float = MISSING_BELOW,
        graph: StreamingGraph | None = None,
    ) -> None:
        """The first four arguments are those of `WindowBuffer`."""
        self._metadata, self._image_size, self._skeleton = metadata, image_size, skeleton
        self._missing_below = missing_below
        self._streamed = None if graph is None else StreamedPeople(graph)

    def begin(self) -> PersonWindows:
        """The state for a new person."""
        return PersonWindows(WindowBuffer(self._metadata, self._image_size, self._skeleton, self._missing_below))

    def push(
        self, people: Sequence[PersonWindows], keypoints_px: Sequence[np.ndarray], timestamp_s: float
    ) -> list[list[ReadyWindow]]:
        """Take a frame.

        Args:
            people: Everybody in the frame.
            keypoints_px: Keypoints of each person in pixels, all (J, 2) or all (J, 3) with scores.
            timestamp_s: Seconds, larger than at each person's frame before.

        Returns:
            For each person, the frames that this frame completes, oldest first.

        Raises:
            BadKeypoints: as `prepare_keypoints`, or time does not go forward for a person. Then no frame is taken.
        """
        if not people:
            return []
        pixels = np.array(keypoints_px, np.float32)
        frames = list(prepare_keypoints(pixels, self._image_size, self._skeleton, self._metadata, self._missing_below))
        times = [person.buffer.take_prepared(frame, timestamp_s) for person, frame in zip(people, frames, strict=True)]
        poses: list[ReadyWindow | None] = [None] * len(people)
        if self._streamed is not None:
            poses = self._streamed.push([person.chains for person in people], frames, timestamp_s)
        streamed = [
            pose if pose is not None and pose.timestamp_s in ready else None
            for pose, ready in zip(poses, times, strict=True)
        ]
        # A frame can also complete windows that are not on the chain: those before and after the streamed one.
        rest = [
            [t for t in ready if pose is None or t != pose.timestamp_s]
            for pose, ready in zip(streamed, times, strict=True)
        ]
        completed = self._cut(people, rest)
        for windows, pose in zip(completed, streamed, strict=True):
            if pose is not None:
                windows.append(pose)
                if len(windows) > 1:
                    windows.sort(key=lambda one: one.timestamp_s)
        return completed

    def flush(self, person: PersonWindows) -> list[ReadyWindow]:
        """The frames that still wait for their look-ahead; the last frame replaces it. Then nothing is kept."""
        person.chains.clear()
        return person.buffer.flush()

    def _cut(self, people: Sequence[PersonWindows], at_s: Sequence[list[float]]) -> list[list[ReadyWindow]]:
        """The windows at the given times. People who were seen in the same frames (most are) are cut together."""
        alike: dict[tuple[tuple[float, ...], ...], list[int]] = {}
        for row, (person, times_s) in enumerate(zip(people, at_s, strict=True)):
            if times_s:
                alike.setdefault((person.buffer.times_s, tuple(times_s)), []).append(row)
        windows: list[list[ReadyWindow]] = [[] for _ in people]
        for (_, times), rows in alike.items():
            cut = cut_together([people[row].buffer for row in rows], times, self._metadata)
            for row, ready in zip(rows, cut, strict=True):
                windows[row] = ready
        return windows
