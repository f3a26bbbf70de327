"""Size and frame rate of the images that keypoints were found in. Most keypoint files do not state them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.limits import FASTEST_HZ, LARGEST_PX
from sdk.keypoint_files.parsing.json_file import shown
from sdk.skeletons.keypoint_normalisation import check_image_size
from sdk.video.frame_times import video_times
from sdk.video.source import VIDEO_SUFFIXES, open_video

_SAME_RATE = 0.05


@dataclass(frozen=True)
class ImageMetadata:
    """The images that keypoints were found in.

    Attributes:
        image_size: Width and height in square pixels.
        frame_rate_hz: Frames per second.
        times_s: (N,) time of each frame of the video beside the keypoints. None without a video.
        widened: Width and height of a stored pixel of the video, in square pixels. Keypoint files count stored pixels.
    """

    image_size: tuple[int, int]
    frame_rate_hz: float
    times_s: np.ndarray | None = field(default=None, compare=False)
    widened: tuple[float, float] = (1.0, 1.0)

    def time_s(self, frame: int) -> float:
        """Time of a frame. After the end of the video, frames follow at the mean rate."""
        if self.times_s is None or not len(self.times_s):
            return frame / self.frame_rate_hz
        last = len(self.times_s) - 1
        return float(self.times_s[min(frame, last)]) + max(0, frame - last) / self.frame_rate_hz

    @property
    def notes(self) -> tuple[str, ...]:
        """How coordinates in stored pixels were changed, if they were."""
        if self.widened == (1.0, 1.0):
            return ()
        across, down = self.widened
        return (f"the video's pixels are not square: x is multiplied by {across:.4g}, y by {down:.4g}",)

    @property
    def stored_size(self) -> tuple[float, float]:
        """Width and height in the stored pixels of the video."""
        return self.image_size[0] / self.widened[0], self.image_size[1] / self.widened[1]


def find_image_metadata(
    source: Path, stems: list[str], image_size: tuple[int, int] | None, frame_rate_hz: float | None
) -> ImageMetadata:
    """Size and frame rate: the caller's, else those of a video of the same name beside the keypoints.

    If the frames of the video come at varying intervals, their times are used. This holds also for a stated frame rate
    that is about the video's mean rate.

    Args:
        source: The keypoint file or folder.
        stems: Names that the video may have, without suffix.
        image_size: None if the caller does not know it.
        frame_rate_hz: None if the caller does not know it.

    Raises:
        BadKeypoints: one of them is not known, and there is no video. The message names the option to give.
        BadVideo: the video can't be read.
    """
    video, times_s, widened = find_video(source, stems), None, (1.0, 1.0)
    if image_size is None or frame_rate_hz is None:
        if video is None:
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
        with open_video(video) as opened:
            # A caller who states another size than the stored one has other pixels.
            if image_size is None or np.array_equal(image_size, opened.stored_size):
                image_size, widened = opened.image_size, opened.widened
            if frame_rate_hz is None:
                frame_rate_hz, times_s = opened.frame_rate_hz, video_times(video)
    if not _is_number(frame_rate_hz) or not 0 < frame_rate_hz <= FASTEST_HZ:
        raise BadKeypoints(f"frame_rate_hz must be a number above 0, up to {FASTEST_HZ:g}, not {shown(frame_rate_hz)}.")
    if times_s is None and video is not None:
        times_s = _varying(video, float(frame_rate_hz))
    width, height = check_image_size(image_size)
    if not all(_is_number(side) and side <= LARGEST_PX for side in (width, height)):
        raise BadKeypoints(f"image_size must be two numbers up to {LARGEST_PX:g}, not {shown(image_size)}.")
    return ImageMetadata((int(width), int(height)), float(frame_rate_hz), times_s, widened)


def _varying(video: Path, frame_rate_hz: float) -> np.ndarray | None:
    """The times of a video's frames, if they vary and their mean rate is the stated one. Else None."""
    times = video_times(video)
    if times is None or len(times) < 3:
        return None
    due = np.arange(len(times)) / frame_rate_hz
    same_rate = abs((len(times) - 1) / times[-1] / frame_rate_hz - 1) <= _SAME_RATE
    return times if same_rate and np.abs(times - due).max() > 1 / frame_rate_hz else None


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
