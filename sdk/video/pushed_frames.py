"""A source of frames that the application passes in itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sdk.errors import BadVideo
from sdk.video.frame_queue import FrameQueue, QueuePolicy
from sdk.video.image_check import check_image
from sdk.video.lost_frames import LostFrames
from sdk.video.source import DEFAULT_FRAME_RATE_HZ, VideoFrame

LONGEST_STEP_BACK_S = 0.5
"""A frame that is older than the one before by at most this came late and is left out. If it is even older, a new
timeline begins (a clock was set, a recording started again)."""


class PushedFrames:
    """A source for `PoseStream` that is filled by `push`; the same attributes as `VideoSource`.

    Attributes:
        name: Name for messages.
        image_size: Width and height of the last pushed image; (0, 0) before the first.
        frame_rate_hz: Frame rate stated by the application.
        late: Number of frames left out because they were not newer than the one before.
    """

    frame_count: int | None = None
    truncated = False
    damage = ""
    lost: tuple[LostFrames, ...] = ()

    def __init__(
        self,
        name: str = "pushed frames",
        *,
        frame_rate_hz: float = DEFAULT_FRAME_RATE_HZ,
        policy: QueuePolicy = "latest",
        queue_size: int = 2,
    ) -> None:
        """Start empty; `policy` says what `push` does while the detector is busy, see `QueuePolicy`.

        Raises:
            UnknownPolicy: there is no such policy.
            BadVideo: the frame rate is no positive number.
            BadSetting: the queue has no length.
        """
        if not (np.isfinite(frame_rate_hz) and frame_rate_hz > 0):
            raise BadVideo(f"frame_rate_hz must be a positive number of frames per second, not {frame_rate_hz!r}.")
        self.name, self.frame_rate_hz = name, frame_rate_hz
        self.live = policy == "latest"
        self.interruptions = 0
        self.image_size = (0, 0)
        self.late = 0
        self._queue: FrameQueue[VideoFrame] = FrameQueue(queue_size, policy)
        self._ended = False
        self._pushed = 0
        self._last_s = -np.inf

    @property
    def dropped(self) -> int:
        """Number of frames dropped for newer ones because the detector was busy."""
        return self._queue.dropped

    def push(self, image: np.ndarray, timestamp_s: float) -> bool:
        """Pass in a frame.

        Args:
            image: (H, W, 3) uint8 BGR, of any size. It is not copied, so do not draw into it afterwards.
            timestamp_s: When it was taken, in seconds on any clock.

        Returns:
            False if the frame is left out because it is not newer than the one before, or the stream was closed.

        Raises:
            BadImage: the image is another array. The stream is unchanged.
            BadVideo: the time is not finite, or `end` was called before.
        """
        check_image(image)
        if not np.isfinite(timestamp_s):
            raise BadVideo(f"a timestamp is a finite number of seconds, not {timestamp_s}.")
        if self._ended:
            raise BadVideo("no image can be pushed after end(): the stream finishes what it has. Make another stream.")
        if 0 <= self._last_s - timestamp_s <= LONGEST_STEP_BACK_S:
            self.late += 1
            return False
        self._last_s = float(timestamp_s)
        self.image_size = (image.shape[1], image.shape[0])
        frame = VideoFrame(self._pushed, self._last_s, image)
        self._pushed += 1
        return self._queue.put(frame)

    def end(self) -> None:
        """Say that no more frames come. The stream finishes the frames that it has."""
        self._ended = True
        self._queue.end()

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame that was not dropped, as it comes."""
        yield from self._queue

    def close(self) -> None:
        """Drop frames that were not read yet. From now on `push` does nothing."""
        self._queue.close()
