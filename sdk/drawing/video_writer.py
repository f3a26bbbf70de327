"""Writes drawn images to an .mp4 file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from sdk.errors import BadOutput
from sdk.files.output_files import check_output_path, naming, part_beside, remove_abandoned_parts

if TYPE_CHECKING:
    import cv2

LONGEST_SIDE_PX = 8190
"""Longest side. MPEG-4 allows up to 8191 pixels (ISO/IEC 14496-2: 13 bits)."""
LARGEST_RATE_NUMBER = 65535
"""MPEG-4 stores a frame rate as a fraction of numbers up to this."""
LONGEST_REPEAT_S = 10.0
"""If a camera pauses, the last image is repeated for at most so many seconds."""


class OverlayWriter:
    """Writes images to a video of constant frame rate. It is a context manager.

    It writes to a hidden file in the same folder first. Only a complete file gets the final name, also after an error.
    Every image is written at least once. If the next image comes later than the frame rate says (a camera that is
    slower than it states), the image is repeated, so that the video plays at real speed. Images that are too large for
    MPEG-4 (8K with its panel) are made smaller by `scale`.
    """

    def __init__(self, path: str | Path, frame_rate_hz: float) -> None:
        """Check that the file can be written. It is opened with the first image.

        Raises:
            BadOutput: if it can't.
        """
        self.path = check_output_path(path, ".mp4")
        self.frames = 0
        self._frame_rate_hz = _encodable(frame_rate_hz)
        self.scale = 1.0
        self.written = False
        self._part = part_beside(self.path)
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start_s = 0.0

    def write(self, image: np.ndarray, timestamp_s: float) -> None:
        """Add an image, (H, W, 3) uint8 BGR with even sides. Images of another size are fitted into that of the first.

        Raises:
            BadOutput: if the encoder can't be opened.
        """
        size = (image.shape[1], image.shape[0])
        if self._writer is None:
            self._open(size, timestamp_s)
        if size != self._size:
            image = _fitted(image, self._size)
        assert self._writer is not None
        due = round((timestamp_s - self._start_s) * self._frame_rate_hz) + 1 - self.frames
        for _ in range(min(max(1, due), max(1, round(LONGEST_REPEAT_S * self._frame_rate_hz)))):
            self._writer.write(image)
            self.frames += 1

    def _open(self, size: tuple[int, int], timestamp_s: float) -> None:
        import cv2

        remove_abandoned_parts(self.path)
        self.scale = min(1.0, LONGEST_SIDE_PX / max(size))
        if self.scale < 1:
            size = (int(size[0] * self.scale) // 2 * 2, int(size[1] * self.scale) // 2 * 2)
        writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), self._frame_rate_hz, size)
        if not writer.isOpened():
            self._part.unlink(missing_ok=True)
            raise BadOutput(
                f"{self.path}: OpenCV can't write an MPEG-4 video of {size[0]}x{size[1]} pixels at "
                f"{self._frame_rate_hz:g} frames/s here. Is the disk full, or OpenCV built without FFmpeg?"
            )
        self._writer, self._size, self._start_s = writer, size, timestamp_s

    def close(self) -> None:
        """Finish the file and give it its name. Closing twice does no harm. Without images there is no file.

        Raises:
            BadOutput: the file has fewer images than were written (a full disk).
        """
        if self._writer is None:
            return
        import cv2

        self._writer.release()
        self._writer = None
        with naming(self.path):
            try:
                written = cv2.VideoCapture(str(self._part))
                found = int(written.get(cv2.CAP_PROP_FRAME_COUNT)) if written.isOpened() else 0
                written.release()
                if found < self.frames:  # one more where an interrupt came before it was counted
                    raise BadOutput(f"{self.path}: {found} of {self.frames} frames were written. Is the disk full?")
                self._part.replace(self.path)
                self.written = True
            finally:
                self._part.unlink(missing_ok=True)

    def __enter__(self) -> OverlayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _encodable(frame_rate_hz: float) -> float:
    """The frame rate with as many decimals as fit into MPEG-4's fraction, at most three."""
    for digits in (3, 2, 1):
        if frame_rate_hz * 10**digits <= LARGEST_RATE_NUMBER:
            return max(round(frame_rate_hz, digits), 0.001)
    return float(round(frame_rate_hz))


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image, as large as possible, inside a black image of this width and height."""
    import cv2

    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inside = cv2.resize(image, (max(1, int(width * scale)), max(1, int(height * scale))))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - inside.shape[0]) // 2, (size[0] - inside.shape[1]) // 2
    canvas[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return canvas
