"""Pictures that the application hands in itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sdk.errors import BadVideo
from sdk.video.frame_queue import FrameQueue, QueuePolicy
from sdk.video.image_check import check_picture
from sdk.video.lost_frames import LostFrames
from sdk.video.source import DEFAULT_FRAME_RATE_HZ, VideoFrame

LONGEST_STEP_BACK_S = 0.5
"""A picture that is at most this much older than the one before came late and is left out; an older one begins a new
timeline (a clock was set, a recording started over)."""


class PushedFrames:
    """A source for `PoseStream` that is filled by `push`; the same attributes as `VideoSource`.

    Attributes:
        name: For messages.
        image_size: Width and height of the last picture pushed; (0, 0) before the first.
        frame_rate_hz: As stated by the application.
        late: Pictures left out because they were not newer than the one before.
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
            UnknownPolicy: for another policy.
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
        """Pictures dropped because newer ones came before the detector was free."""
        return self._queue.dropped

    def push(self, image: np.ndarray, timestamp_s: float) -> bool:
        """Hand in a picture.

        Args:
            image: (H, W, 3) uint8 BGR, of any size; not copied, so do not draw into it afterwards.
            timestamp_s: When it was taken, in seconds on any clock.

        Returns:
            False if the picture is left out because it is not newer than the one before, or the stream was closed.

        Raises:
            BadPicture: for any other array; the stream goes on as if not called.
            BadVideo: for a time that is not a finite number, or after `end`.
        """
        check_picture(image)
        if not np.isfinite(timestamp_s):
            raise BadVideo(f"a timestamp is a finite number of seconds, not {timestamp_s}.")
        if self._ended:
            raise BadVideo(
                "no picture can be pushed after end(): the stream finishes what it has. Make another stream."
            )
        if 0 <= self._last_s - timestamp_s <= LONGEST_STEP_BACK_S:
            self.late += 1
            return False
        self._last_s = float(timestamp_s)
        self.image_size = (image.shape[1], image.shape[0])
        frame = VideoFrame(self._pushed, self._last_s, image)
        self._pushed += 1
        return self._queue.put(frame)

    def end(self) -> None:
        """No more pictures come: the stream finishes what it has."""
        self._ended = True
        self._queue.end()

    def pictures(self) -> Iterator[VideoFrame]:
        """Every picture that was not dropped, as it comes."""
        yield from self._queue

    def close(self) -> None:
        """Drop what was not read yet; `push` does nothing from now on."""
        self._queue.close()
