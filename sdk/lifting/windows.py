"""Cuts windows at the lifter's frame rate from keypoints at any frame rate.

The window of the frame at time t has the keypoints at t + k / rate, k = -13..13 (for 27 frames). Each is interpolated
linearly between the two frames around it. Before the first and after the last frame, the edge frame is repeated. If
frames come at exactly the lifter's rate, the window has the frames themselves. A window is complete when a frame at or
after its end has come, so windows are the same live and offline. With a shorter look-ahead, later frames are not waited
for: the keypoints at the end of the look-ahead replace them, live and offline alike.

A joint that was not seen is NaN, until `with_seen` moves this into a channel of its own. If a joint is seen in only one
of the two frames around a sample time, it is missing at that time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdk.errors import BadKeypoints
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.joint_conversion import to_pose_joints
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen
from sdk.skeletons.skeleton import find_skeleton

MISSING_BELOW = 0.01
"""Joints with a lower score count as not seen. It is practically zero: files write zero for joints without a detection.

A detector's guess of a hidden joint is better than nothing. With limits from 0.1 to 0.3, poses of four views agree less
the higher the limit is (benchmarks/four_cameras.py). On real detections, a limit of 0.1 costs 3 mm
(benchmarks/real_detections.py)."""
SAME_INSTANT_S = 1e-4
"""A sample time this close to a frame counts as that frame, because timestamps are rounded."""


def prepare_keypoints(
    keypoints_px: np.ndarray,
    image_size: tuple[int, int],
    skeleton: str,
    metadata: LifterMetadata,
    missing_below: float = MISSING_BELOW,
) -> np.ndarray:
    """Convert pixels of any known skeleton to normalised keypoints of the poses' joints for the lifter's windows.

    Args:
        keypoints_px: (T, J, 2) or (T, J, 3) with scores; a joint that is not seen is NaN.
        image_size: Width and height in pixels.
        skeleton: Skeleton of the J joints.
        metadata: Metadata of the lifter.
        missing_below: Joints with a lower score are not seen.

    Returns:
        (T, J, 2) float32, J 16 or 20 as the metadata says; NaN where a joint is not seen.

    Raises:
        BadKeypoints: the shape is wrong, coordinates are infinite, or joints are NaN and the lifter needs all joints.
        UnknownSkeleton: there is no joint table for the skeleton.
    """
    keypoints_px = np.asarray(keypoints_px, np.float32)
    if keypoints_px.ndim != 3:
        raise BadKeypoints(f"keypoints of one person have shape (T, J, 2 or 3), not {keypoints_px.shape}.")
    may_miss = metadata.input_channels == 3
    if may_miss and keypoints_px.shape[-1] == 3:
        seen = keypoints_px[..., 2:] >= missing_below
        if not seen.all():
            keypoints_px = np.where(seen, keypoints_px, np.float32(np.nan))
    place = keypoints_px[..., :2]
    finite = np.isfinite(place)
    all_finite = bool(finite.all())
    joints = to_pose_joints(place if may_miss else keypoints_px, skeleton, metadata.skeleton, without_nan=all_finite)[
        ..., :2
    ]
    if not all_finite and not (finite := finite | (np.isnan(place) & may_miss)).all():
        frame, joint, _ = np.argwhere(~finite)[0]
        raise BadKeypoints(
            f"keypoint of joint {joint} in frame {frame} is {keypoints_px[frame, joint, :2].tolist()}: coordinates "
            f"must be finite{', or NaN where a joint is not seen' if may_miss else ''}. Leave out frames without a "
            "person, or fill missing joints before lifting."
        )
    if metadata.normalisation == "root-centred":
        return normalise_root_centred(joints)
    return normalise_screen(joints, image_size)


def sample_windows(
    keypoints: np.ndarray, times_s: np.ndarray, at_s: np.ndarray, metadata: LifterMetadata
) -> np.ndarray:
    """Cut a window around each of the given times.

    Args:
        keypoints: (..., T, J, 2) prepared keypoints of any number of people, seen at the same times.
        times_s: (T,) times of the keypoints in seconds, strictly increasing.
        at_s: (N,) times of the middle frames.
        metadata: Metadata of the lifter, with the look-ahead in use.

    Returns:
        (..., N, receptive_field, J, 2) float32.
    """
    frames = np.arange(-metadata.window_reach, metadata.window_reach + 1)
    reach = np.minimum(frames, metadata.lookahead_frames) / metadata.frame_rate_hz
    wanted = np.asarray(at_s, np.float64)[:, None] + reach
    after = np.minimum(np.searchsorted(times_s, wanted - SAME_INSTANT_S), len(times_s) - 1)
    before = np.maximum(after - 1, 0)
    gap = times_s[after] - times_s[before]
    weight = np.where(gap > 0, (wanted - times_s[before]) / np.where(gap > 0, gap, 1), 1)
    # Also true beyond the last frame. The search above used the other side of the tolerance, with the same sum as
    # WindowBuffer.push. With two different sums, rounding could make live and offline differ.
    weight = np.where(times_s[after] <= wanted + SAME_INSTANT_S, 1, weight).astype(np.float32)
    later = keypoints.take(after, axis=-3)
    if (weight == 1).all():
        return later
    weight = weight[..., None, None]
    # With weight 1 only the later frame counts, so joints missing in the earlier frame do not matter.
    return np.where(weight == 1, later, keypoints.take(before, axis=-3) * (1 - weight) + later * weight)


def without_feet(keypoints: np.ndarray, metadata: LifterMetadata) -> np.ndarray:
    """(..., 16, 2) prepared keypoints for any lifter: of one with feet, these are not seen."""
    missing = len(find_skeleton(metadata.skeleton)) - keypoints.shape[-2]
    feet = np.full((*keypoints.shape[:-2], missing, 2), np.nan, np.float32)
    return np.concatenate([keypoints, feet], -2) if missing else keypoints


def with_seen(windows: np.ndarray) -> np.ndarray:
    """(..., J, 2) with NaN for joints that are not seen, to (..., J, 3): x, y (zero if not seen), seen (1 or 0)."""
    with_it = np.empty((*windows.shape[:-1], 3), np.float32)
    with_it[..., :2] = windows
    with_it[..., 2] = 1
    finite = np.isfinite(windows)
    if not finite.all():
        with_it[~finite.all(-1)] = 0
    return with_it


def anything_seen(windows: np.ndarray) -> np.ndarray:
    """(...) whether any joint is seen in each of the windows (..., T, J, 2)."""
    return np.asarray(~np.isnan(windows).any(-1).all((-2, -1)))


def nobody_seen(frame: np.ndarray) -> bool:
    """Whether no joint of one frame (J, 2) is seen. The first joint mostly is, and then no other is looked at."""
    x, y = frame[0].tolist()
    return not (x == x and y == y) and bool(np.isnan(frame).any(-1).all())


@dataclass(eq=False, slots=True)
class ReadyWindow:
    """A frame whose look-ahead is complete.

    Attributes:
        timestamp_s: Timestamp of the frame, as it was pushed. The frame is the middle of the window.
        window: (receptive_field, J, 2) window for the window graph. None if the streaming graph has answered already
            (only in a stream).
        keypoints: (J, 2) of the frame itself, prepared as the lifter's metadata says; NaN where a joint is not seen.
        answer: (N,) answer of the streaming graph, in `AnswerForm`; None if the window must be lifted.
        seen: Whether anything of the person is seen in the window.
    """

    timestamp_s: float
    window: np.ndarray | None
    keypoints: np.ndarray
    answer: np.ndarray | None = None
    seen: bool = True


class WindowBuffer:
    """Cuts windows from the keypoints of one person, which come one frame at a time."""

    def __init__(
        self,
        metadata: LifterMetadata,
        image_size: tuple[int, int],
        skeleton: str,
        missing_below: float = MISSING_BELOW,
    ) -> None:
        self._metadata, self._image_size, self._skeleton = metadata, image_size, skeleton
        self._missing_below = missing_below
        self._lookahead_s, self._reach_s = metadata.lookahead_s, metadata.window_reach_s
        self.reset()

    def reset(self) -> None:
        """Forget all frames: for another person, or for the same person after a long gap."""
        self._times: deque[float] = deque()
        self._keypoints: deque[np.ndarray] = deque()
        self._waiting: deque[float] = deque()

    def push(self, keypoints_px: np.ndarray, timestamp_s: float) -> list[ReadyWindow]:
        """Take the next frame.

        Args:
            keypoints_px: (J, 2) or (J, 3) pixels.
            timestamp_s: Seconds, larger than the one before.

        Returns:
            The windows that this frame completes, oldest first. Often it is one; at the beginning there are none.

        Raises:
            BadKeypoints: as `prepare_keypoints`, or time does not go forward. The buffer is then unchanged.
        """
        frame = np.asarray(keypoints_px, np.float32)[None]
        prepared = prepare_keypoints(frame, self._image_size, self._skeleton, self._metadata, self._missing_below)
        return self.cut(self.take_prepared(prepared[0], timestamp_s))

    def take_prepared(self, keypoints: np.ndarray, timestamp_s: float) -> list[float]:
        """As `push`, for (J, 2) from `prepare_keypoints`, but return the times of the completed windows.

        `cut` gives the windows themselves, until the next frame is taken.
        """
        if self._times and not timestamp_s > self._times[-1]:
            raise BadKeypoints(
                f"timestamp {timestamp_s} s does not come after the one before, {self._times[-1]} s. "
                "Push each frame once, in order; reset() starts over."
            )
        if not math.isfinite(timestamp_s):
            raise BadKeypoints(f"a timestamp is a finite number of seconds, not {timestamp_s}.")
        self._forget()
        self._times.append(timestamp_s)
        self._keypoints.append(keypoints)
        self._waiting.append(timestamp_s)
        ready = []
        while self._waiting and self._waiting[0] + self._lookahead_s - SAME_INSTANT_S <= timestamp_s:
            ready.append(self._waiting.popleft())
        return ready

    def cut(self, at_s: list[float]) -> list[ReadyWindow]:
        """The windows at some of the times that the last `take_prepared` returned."""
        return cut_together([self], at_s, self._metadata)[0] if at_s else []

    @property
    def times_s(self) -> tuple[float, ...]:
        """Times of the kept frames."""
        return tuple(self._times)

    @property
    def frames(self) -> Sequence[np.ndarray]:
        """The kept frames, each (J, 2), prepared as the metadata says."""
        return self._keypoints

    @property
    def waiting_s(self) -> list[float]:
        """Times of the frames that still wait for their look-ahead."""
        return list(self._waiting)

    def flush(self) -> list[ReadyWindow]:
        """The windows that still wait for their look-ahead; the last frame replaces it. Then the buffer is empty."""
        windows = self.cut(self.waiting_s)
        self.reset()
        return windows

    def _forget(self) -> None:
        """Drop frames that no later window needs. One frame before them stays, for interpolation."""
        if not self._times:
            return
        oldest = (self._waiting[0] if self._waiting else self._times[-1]) - self._reach_s - SAME_INSTANT_S
        while len(self._times) > 1 and self._times[1] < oldest:
            self._times.popleft()
            self._keypoints.popleft()


def cut_together(
    buffers: Sequence[WindowBuffer], at_s: Sequence[float], metadata: LifterMetadata
) -> list[list[ReadyWindow]]:
    """The windows at these times for several people. Their buffers must have frames at the same times."""
    times_s = np.array(buffers[0].times_s)
    frames = np.stack([np.stack(list(buffer.frames)) for buffer in buffers])
    windows, middle = sample_windows(frames, times_s, np.array(at_s), metadata), metadata.window_reach
    return [
        [ReadyWindow(t, w, w[middle], seen=bool(one)) for t, w, one in zip(at_s, person, seen, strict=True)]
        for person, seen in zip(windows, anything_seen(windows), strict=True)
    ]
