"""Size and frame rate of the images that keypoints were found in. Most keypoint files do not state them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints, BadVideo
from sdk.files.input_files import shown as shown_name
from sdk.keypoint_files.limits import FASTEST_HZ, LARGEST_PX
from sdk.keypoint_files.parsing.json_file import shown
from sdk.skeletons.keypoint_normalisation import check_image_size
from sdk.video.frame_times import video_times
from sdk.video.source import VIDEO_SUFFIXES, open_video

_SAME_RATE = 0.05
"""A rate that varies is within this share of its stated mean."""
_SAME_CONSTANT_RATE = 0.01
"""25 and 24 frames per second are different rates, 30 and 29.97 are not."""
_MORE_FRAMES = 1.02
"""Programs count the frames of a video somewhat differently."""


@dataclass(frozen=True)
class ImageMetadata:
    """The images that keypoints were found in.

    Attributes:
        image_size: Width and height in square pixels.
        frame_rate_hz: Frames per second.
        times_s: (N,) time of each frame of the video beside the keypoints. None without a video.
        widened: Width and height of a stored pixel of the video, in square pixels. Keypoint files count stored pixels.
        contradictions: Sentences about what the video beside the keypoints contradicts.
        video_frames: Number of frames of that video. None if there is none, or not all are counted.
    """

    image_size: tuple[int, int]
    frame_rate_hz: float
    times_s: np.ndarray | None = field(default=None, compare=False)
    widened: tuple[float, float] = (1.0, 1.0)
    contradictions: tuple[str, ...] = ()
    video_frames: int | None = None

    def time_s(self, frame: int) -> float:
        """Time of a frame. After the end of the video, frames follow at the mean rate."""
        if self.times_s is None or not len(self.times_s):
            return frame / self.frame_rate_hz
        last = len(self.times_s) - 1
        return float(self.times_s[min(frame, last)]) + max(0, frame - last) / self.frame_rate_hz

    def notes(self, last_frame: int) -> tuple[str, ...]:
        """What the video contradicts, and how coordinates in stored pixels were changed.

        Args:
            last_frame: Number of the last frame that the keypoints have, from 0.
        """
        notes = self.contradictions
        if self.video_frames is not None and last_frame + 1 > self.video_frames * _MORE_FRAMES + 2:
            notes += (
                f"the keypoints reach frame {last_frame}, but the video beside them has {self.video_frames} frames. "
                "Is it another video, or a copy with fewer frames per second? Give the rate of the keypoints with "
                "--fps (frame_rate_hz=... in Python), or move the video away",
            )
        if self.widened != (1.0, 1.0):
            across, down = self.widened
            notes += (f"the video's pixels are not square: x is multiplied by {across:.4g}, y by {down:.4g}",)
        return notes

    @property
    def stored_size(self) -> tuple[float, float]:
        """Width and height in the stored pixels of the video."""
        return self.image_size[0] / self.widened[0], self.image_size[1] / self.widened[1]


def find_image_metadata(
    source: Path, stems: list[str], image_size: tuple[int, int] | None, frame_rate_hz: float | None
) -> ImageMetadata:
    """Size and frame rate: the caller's, else those of a video of the same name beside the keypoints.

    If the frames of the video come at varying intervals, their times are used. This holds also for a stated frame rate
    that is about the video's mean rate. Other stated facts that the video contradicts are used as stated, and told.

    Args:
        source: The keypoint file or folder.
        stems: Names that the video may have, without suffix.
        image_size: None if the caller does not know it.
        frame_rate_hz: None if the caller does not know it.

    Raises:
        BadKeypoints: one of them is not known, and there is no video. The message names the option to give.
        BadVideo: the video can't be read, and size or rate are not stated.
    """
    video = find_video(source, stems)
    if video is None:
        if image_size is None or frame_rate_hz is None:
            options = [
                option
                for option, value in (("--image-size 1920 1080", image_size), ("--fps 30", frame_rate_hz))
                if value is None
            ]
            raise BadKeypoints(
                f"{source} does not say its {_missing(image_size, frame_rate_hz)}, and there is no video of the same "
                f"name ({', '.join(dict.fromkeys(stems))} with {', '.join(VIDEO_SUFFIXES[:3])}, ...) beside it. "
                f"Give {' '.join(options)} with your numbers (image_size=..., frame_rate_hz=... in Python)."
            )
        return ImageMetadata(_checked_size(image_size), _checked_rate(frame_rate_hz))
    return _beside(video, image_size, frame_rate_hz)


def _beside(video: Path, image_size: tuple[int, int] | None, frame_rate_hz: float | None) -> ImageMetadata:
    """What is stated, and what the video beside the keypoints adds and contradicts."""
    stated_size = None if image_size is None else _checked_size(image_size)
    stated_hz = None if frame_rate_hz is None else _checked_rate(frame_rate_hz)
    try:
        with open_video(video) as opened:
            upright, stored, widened = opened.image_size, opened.stored_size, opened.widened
            video_hz = opened.frame_rate_hz
    except BadVideo as error:
        if stated_size is None or stated_hz is None:
            raise
        unread = f"size and frame rate are not compared with the video beside: {str(error).rstrip('.')}"
        return ImageMetadata(stated_size, stated_hz, contradictions=(unread,))
    contradictions = []
    size = upright
    if stated_size is not None and stated_size != stored:  # whoever states another size has other pixels
        size, widened = stated_size, (1.0, 1.0)
        if stated_size != upright:
            contradictions.append(_other_size(video, stated_size, upright))
    rate_hz, times_s = _checked_rate(video_hz), video_times(video)
    frames = None if times_s is None else len(times_s)
    if stated_hz is not None:
        if times_s is None or not _differ(times_s, stated_hz):
            times_s = None
            if abs(rate_hz / stated_hz - 1) > _SAME_CONSTANT_RATE:
                contradictions.append(_other_rate(video, stated_hz, rate_hz))
        rate_hz = stated_hz
    return ImageMetadata(size, rate_hz, times_s, widened, tuple(contradictions), frames)


def _other_size(video: Path, stated: tuple[int, int], size: tuple[int, int]) -> str:
    said = f"the image size {stated[0]}x{stated[1]} is stated, but the video beside, {shown_name(video.name)}, has "
    said += f"{size[0]}x{size[1]}"
    if stated == size[::-1]:
        said += (
            ". Are width and height exchanged? Or were the keypoints found in the unrotated images of a rotated video? "
            "Then find them in the upright images, or rotate them."
        )
    else:
        said += ". That is right for keypoints that were found in images of another size."
    return f"{said} If they are pixels of the video, give --image-size {size[0]} {size[1]} (image_size=... in Python)"


def _other_rate(video: Path, stated_hz: float, rate_hz: float) -> str:
    right = "of slow motion" if rate_hz < stated_hz else "of every n-th frame"
    return (
        f"{stated_hz:.6g} frames per second are stated, but the video beside, {shown_name(video.name)}, has "
        f"{rate_hz:.6g}. That is right for keypoints {right}. If they are of all frames at the video's own speed, give "
        f"--fps {rate_hz:.6g} (frame_rate_hz=... in Python)"
    )


def _differ(times_s: np.ndarray, frame_rate_hz: float) -> bool:
    """Whether a video's times are those of the stated rate, but a frame or more off: they vary, or drift slowly."""
    if len(times_s) < 3:
        return False
    mean_hz = (len(times_s) - 1) / times_s[-1]
    off = abs(mean_hz / frame_rate_hz - 1)
    even = np.arange(len(times_s)) / (frame_rate_hz if off <= _SAME_CONSTANT_RATE else mean_hz)
    return bool(off <= _SAME_RATE and np.abs(times_s - even).max() > 1 / frame_rate_hz)


def _checked_rate(frame_rate_hz: float) -> float:
    if not _is_number(frame_rate_hz) or not 0 < frame_rate_hz <= FASTEST_HZ:
        raise BadKeypoints(f"frame_rate_hz must be a number above 0, up to {FASTEST_HZ:g}, not {shown(frame_rate_hz)}.")
    return float(frame_rate_hz)


def _checked_size(image_size: tuple[int, int]) -> tuple[int, int]:
    width, height = check_image_size(image_size)
    if not all(_is_number(side) and side <= LARGEST_PX for side in (width, height)):
        raise BadKeypoints(f"image_size must be two numbers up to {LARGEST_PX:g}, not {shown(image_size)}.")
    return int(width), int(height)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _missing(image_size: tuple[int, int] | None, frame_rate_hz: float | None) -> str:
    return " and ".join(
        word for word, value in (("image size", image_size), ("frame rate", frame_rate_hz)) if value is None
    )


def find_video(source: Path, stems: list[str]) -> Path | None:
    """A video with one of these names beside the keypoints, or inside their folder."""
    for folder in [source.parent, source] if source.is_dir() else [source.parent]:
        for file in sorted(folder.iterdir()):
            if file.stem in stems and file.suffix.lower() in VIDEO_SUFFIXES and file.is_file():
                return file
    return None
