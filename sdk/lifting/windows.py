"""Windows at the lifter's frame rate, cut from keypoints at any frame rate.

The window of the frame at time t holds the keypoints at t + k / rate, k = -13..13 (for 27 frames), each interpolated
linearly between the two frames around it; before the first and after the last frame the edge frame stands in. Where
frames come at exactly the lifter's rate, these are the frames themselves. A window is known once a frame at or after
its end has come, so cutting them live gives the same windows as cutting them afterwards. With a shorter look-ahead,
what comes after it is not waited for: the keypoints at its end stand in for it, live and afterwards alike.

A joint that was not seen is NaN until `with_seen` says so in a channel of its own; where it is seen in one of the two
frames that a window's frame lies between, it is missing there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdk.errors import BadKeypoints
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen

MISSING_BELOW = 0.01
"""Score of joints that are taken for not seen: practically zero, as files write for a joint that nobody looked for.

What a detector guesses of a hidden joint is worth more than nothing: poses of four views (benchmarks/four_cameras.py)
agree less the more is left out, from 0.1 to 0.3; on real detections (benchmarks/real_detections.py) 0.1 in place of
this costs 3 mm."""
SAME_INSTANT_S = 1e-4
"""Sample times this close to a frame are that frame: timestamps in milliseconds or from division are not exact."""


def prepare_keypoints(
    keypoints_px: np.ndarray,
    image_size: tuple[int, int],
    skeleton: str,
    metadata: LifterMetadata,
    missing_below: float = MISSING_BELOW,
) -> np.ndarray:
    """Pixels of any known skeleton to what the lifter's windows are made of.

    Args:
        keypoints_px: (T, J, 2) or (T, J, 3) with scores; a joint that is not seen is NaN.
        image_size: Width and height in pixels.
        skeleton: Layout of J.
        metadata: Of the lifter.
        missing_below: Joints with a lower score are not seen.

    Returns:
        (T, 16, 2) float32; NaN where a joint is not seen.

    Raises:
        BadKeypoints: for a wrong shape, for infinite coordinates, and for NaN if the lifter can't do without a joint.
        UnknownSkeleton: for a layout without a joint table.
    """
    keypoints_px = np.asarray(keypoints_px, np.float32)
    if keypoints_px.ndim != 3:
        raise BadKeypoints(f"keypoints of one person have shape (T, J, 2 or 3), not {keypoints_px.shape}.")
    may_miss = metadata.input_channels == 3
    if may_miss and keypoints_px.shape[-1] == 3:
        unseen = ~(keypoints_px[..., 2:] >= missing_below)
        keypoints_px = np.where(unseen, np.float32(np.nan), keypoints_px)
    joints = to_h36m16(keypoints_px[..., :2] if may_miss else keypoints_px, skeleton)[..., :2]
    place = keypoints_px[..., :2]
    finite = np.isfinite(place)
    if not finite.all() and not (finite := finite | (np.isnan(place) & may_miss)).all():
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
    """Cut a window around each asked time.

    Args:
        keypoints: (..., T, 16, 2) prepared keypoints, of any number of people seen at the same times.
        times_s: (T,) these times in seconds, strictly increasing.
        at_s: (N,) times of the middle frames.
        metadata: Of the lifter, with the look-ahead that is in use.

    Returns:
        (..., N, receptive_field, 16, 2) float32.
    """
    frames = np.arange(-metadata.window_reach, metadata.window_reach + 1)
    reach = np.minimum(frames, metadata.lookahead_frames) / metadata.frame_rate_hz
    wanted = np.asarray(at_s, np.float64)[:, None] + reach
    after = np.minimum(np.searchsorted(times_s, wanted - SAME_INSTANT_S), len(times_s) - 1)
    before = np.maximum(after - 1, 0)
    gap = times_s[after] - times_s[before]
    weight = np.where(gap > 0, (wanted - times_s[before]) / np.where(gap > 0, gap, 1), 1)
    # Also true beyond the last frame. The search has asked for the other side of the tolerance, by the same sum as
    # WindowBuffer.push: asked for twice in two ways, rounding would let live and offline differ.
    weight = np.where(times_s[after] <= wanted + SAME_INSTANT_S, 1, weight).astype(np.float32)
    later = keypoints.take(after, axis=-3)
    if (weight == 1).all():
        return later
    weight = weight[..., None, None]
    # Where it is all of the later frame, the one before has no part in it, nor has what is missing there.
    return np.where(weight == 1, later, keypoints.take(before, axis=-3) * (1 - weight) + later * weight)


def with_seen(windows: np.ndarray) -> np.ndarray:
    """(..., 16, 2) with NaN for joints that are not seen, to (..., 16, 3): zero there, and whether they are seen."""
    with_it = np.ones((*windows.shape[:-1], 3), np.float32)
    with_it[..., :2] = windows
    finite = np.isfinite(windows)
    if not finite.all():
        with_it[~finite.all(-1)] = 0
    return with_it


@dataclass(frozen=True, eq=False)
class ReadyWindow:
    """A frame whose future is known as far as the lifter asks for it.

    Attributes:
        timestamp_s: Of the frame, the window's middle, as it was pushed.
        window: (receptive_field, 16, 2) around it, for the window graph; None where the streaming graph has answered,
            which it does in a stream only.
        keypoints: (16, 2) of the frame itself, prepared as the lifter's metadata says; NaN where a joint is not seen.
        joints_m: (16, 3), the streaming graph's answer; None where the window is to be lifted.
    """

    timestamp_s: float
    window: np.ndarray | None
    keypoints: np.ndarray
    joints_m: np.ndarray | None = None


class WindowBuffer:
    """Cuts windows from keypoints of one person that come one frame at a time."""

    def __init__(
        self,
        metadata: LifterMetadata,
        image_size: tuple[int, int],
        skeleton: str,
        missing_below: float = MISSING_BELOW,
    ) -> None:
        self._metadata, self._image_size, self._skeleton = metadata, image_size, skeleton
        self._missing_below = missing_below
        self.reset()

    def reset(self) -> None:
        """Forget all frames: another person, or the same after a long gap."""
        self._times: deque[float] = deque()
        self._keypoints: deque[np.ndarray] = deque()
        self._waiting: deque[float] = deque()

    def push(self, keypoints_px: np.ndarray, timestamp_s: float) -> list[ReadyWindow]:
        """Take the next frame.

        Args:
            keypoints_px: (J, 2) or (J, 3) pixels.
            timestamp_s: Seconds, larger than the one before.

        Returns:
            The windows that this frame completes, oldest first; often one, none while the first window fills.

        Raises:
            BadKeypoints: as `prepare_keypoints`, or if time does not go forward; the buffer is then unchanged.
        """
        frame = np.asarray(keypoints_px, np.float32)[None]
        prepared = prepare_keypoints(frame, self._image_size, self._skeleton, self._metadata, self._missing_below)
        return self.cut(self.take_prepared(prepared[0], timestamp_s))

    def take_prepared(self, keypoints: np.ndarray, timestamp_s: float) -> list[float]:
        """As `push`, of (16, 2) that `prepare_keypoints` returned, but return the times of the windows.

        Until the next frame is taken, `cut` gives the windows.
        """
        if self._times and not timestamp_s > self._times[-1]:
            raise BadKeypoints(
                f"timestamp {timestamp_s} s does not come after the one before, {self._times[-1]} s. "
                "Push each frame once, in order; reset() starts over."
            )
        if not np.isfinite(timestamp_s):
            raise BadKeypoints(f"a timestamp is a finite number of seconds, not {timestamp_s}.")
        self._forget()
        self._times.append(timestamp_s)
        self._keypoints.append(keypoints)
        self._waiting.append(timestamp_s)
        ready = []
        while self._waiting and self._waiting[0] + self._metadata.lookahead_s - SAME_INSTANT_S <= timestamp_s:
            ready.append(self._waiting.popleft())
        return ready

    def cut(self, at_s: list[float]) -> list[ReadyWindow]:
        """The windows of some of the times that the last `take_prepared` returned."""
        return cut_together([self], at_s, self._metadata)[0] if at_s else []

    @property
    def times_s(self) -> tuple[float, ...]:
        """Of the frames that are kept."""
        return tuple(self._times)

    @property
    def frames(self) -> Sequence[np.ndarray]:
        """The frames that are kept, each (16, 2), prepared as the metadata says."""
        return self._keypoints

    @property
    def waiting_s(self) -> list[float]:
        """Times of the frames whose future has not come."""
        return list(self._waiting)

    def flush(self) -> list[ReadyWindow]:
        """The windows still waiting for their future, which the last frame now stands in for; then starts over."""
        windows = self.cut(self.waiting_s)
        self.reset()
        return windows

    def _forget(self) -> None:
        """Drop frames that no later window reaches; the one before the reach stays, interpolation needs it."""
        if not self._times:
            return
        oldest = (
            (self._waiting[0] if self._waiting else self._times[-1]) - self._metadata.window_reach_s - SAME_INSTANT_S
        )
        while len(self._times) > 1 and self._times[1] < oldest:
            self._times.popleft()
            self._keypoints.popleft()


def cut_together(
    buffers: Sequence[WindowBuffer], at_s: Sequence[float], metadata: LifterMetadata
) -> list[list[ReadyWindow]]:
    """The windows around these times, for each of the people whose buffers hold frames of the same times."""
    times_s = np.array(buffers[0].times_s)
    frames = np.concatenate([frame for buffer in buffers for frame in buffer.frames])
    frames = frames.reshape(len(buffers), len(times_s), 16, 2)
    windows, middle = sample_windows(frames, times_s, np.array(at_s), metadata), metadata.window_reach
    return [[ReadyWindow(t, w, w[middle]) for t, w in zip(at_s, person, strict=True)] for person in windows]
