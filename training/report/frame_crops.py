"""Frames of the target's videos, cropped to the person and embedded in the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadVideo
from sdk.files.input_files import shown
from sdk.pages.images import embedded_jpeg
from sdk.video.source import DEFAULT_FRAME_RATE_HZ

COUNTED_FRAMES = 600
"""Frames up to this number are found by counting. Later frames are found by their time, because decoding from the start
would take minutes."""
_LEAD_IN_S = 1.0
"""Reading starts so many seconds before the wanted time, because some containers seek a little too far."""


def read_frames(video: Path, indices: Sequence[int], timestamps_s: Sequence[float]) -> dict[int, np.ndarray]:
    """Decode a few frames of a video.

    Args:
        video: A file, or a folder of images.
        indices: Frames wanted, counted from 0.
        timestamps_s: Their times in the video.

    Returns:
        Frame index to (H, W, 3) uint8 BGR. A frame that can't be found exactly is absent; no other frame replaces it.
        A video that is gone or can't be opened gives no frames.
    """
    wanted = dict(sorted(zip((int(i) for i in indices), (float(t) for t in timestamps_s), strict=True)))
    if not wanted or not video.exists():
        return {}
    if video.is_dir() or max(wanted) <= COUNTED_FRAMES:
        return _count_to(video, set(wanted))
    return _seek(video, wanted)


def _count_to(video: Path, wanted: set[int]) -> dict[int, np.ndarray]:
    from sdk.video.source import open_video

    found = {}
    try:
        with open_video(video, fps=DEFAULT_FRAME_RATE_HZ) as source:  # images go by their number here, not by time
            for frame in source:
                if frame.index in wanted:
                    found[frame.index] = frame.image
                if frame.index >= max(wanted):
                    break
    except BadVideo:
        return found  # what was read so far; the page says which frames are missing
    return found


def _seek(video: Path, wanted: dict[int, float]) -> dict[int, np.ndarray]:
    from sdk.video.readers import CaptureReader

    found: dict[int, np.ndarray] = {}
    try:
        reader = CaptureReader(video, shown(video), live=False)
    except BadVideo:
        return found
    try:
        half_a_frame_s, position_s = 0.5 / (reader.frame_rate_hz or DEFAULT_FRAME_RATE_HZ), -np.inf
        for index, time_s in wanted.items():
            if not position_s < time_s < position_s + 2 * _LEAD_IN_S:
                reader.seek(max(0.0, time_s - _LEAD_IN_S))
                position_s = -np.inf
            while position_s < time_s - half_a_frame_s and (read := reader.read()):
                image, stated_s = read
                position_s = -np.inf if stated_s is None else stated_s
                if abs(position_s - time_s) < half_a_frame_s:
                    found[index] = image
    finally:
        reader.close()
    return found


@dataclass(frozen=True)
class Crop:
    """A crop of an image round a person: left, top, width and height in pixels. It lies within the image."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, image: np.ndarray, longest_px: int, quality: int) -> str:
        """Crop (H, W, 3) BGR, scale it to at most `longest_px`, and return it as the address of an embedded JPEG."""
        part = image[self.top : self.top + self.height, self.left : self.left + self.width]
        return embedded_jpeg(part, longest_px, quality)


def crop_round(keypoints_px: np.ndarray, image_size: tuple[int, int], margin: float = 0.25) -> Crop:
    """The crop of the image that contains the keypoints, with a margin, and not narrower than 3:4.

    Args:
        keypoints_px: (..., 2) pixels. Those that are not finite or lie outside the image do not count.
        image_size: Width and height in pixels.
        margin: Margin on every side, as a share of the person's height, or of the width if that is larger.
    """
    size = np.array(image_size, float)
    points = keypoints_px.reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        points = points[((points >= 0) & (points <= size)).all(-1)]
    if len(points) == 0:
        return Crop(0, 0, int(size[0]), int(size[1]))
    low, high = points.min(0), points.max(0)
    pad = margin * max(high - low) + 4
    half = np.maximum((high - low) / 2 + pad, 0.375 * (max(high - low) + 2 * pad))
    centre = (low + high) / 2
    low, high = np.floor(np.maximum(centre - half, 0)), np.ceil(np.minimum(centre + half, size))
    return Crop(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
