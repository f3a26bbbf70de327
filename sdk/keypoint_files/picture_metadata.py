"""Size and frame rate of the pictures that a keypoint file belongs to, which such files do not state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.parsing.json_file import shown
from sdk.skeletons.keypoint_normalisation import check_image_size
from sdk.video.source import VIDEO_SUFFIXES, open_video

_FASTEST_HZ = 10_000.0
_LARGEST_PX = 100_000.0


@dataclass(frozen=True)
class Picture:
    """Image size (width, height) in pixels, and frames per second."""

    image_size: tuple[int, int]
    frame_rate_hz: float


def find_picture(
    source: Path, stems: list[str], image_size: tuple[int, int] | None, frame_rate_hz: float | None
) -> Picture:
    """What the caller says, completed by a video of the same name beside the keypoints.

    Args:
        source: The keypoint file or folder.
        stems: Names that the video may have, without suffix.
        image_size: If the caller knows it.
        frame_rate_hz: If the caller knows it.

    Raises:
        BadKeypoints: if something is not known and there is no video; says which option to give.
        BadVideo: if the video can't be read.
    """
    video = None
    if image_size is None or frame_rate_hz is None:
        video = find_video(source, stems)
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
            image_size = image_size or opened.image_size
            frame_rate_hz = frame_rate_hz or opened.frame_rate_hz
    if not _is_number(frame_rate_hz) or not 0 < frame_rate_hz <= _FASTEST_HZ:
        raise BadKeypoints(
            f"frame_rate_hz must be a number above 0, up to {_FASTEST_HZ:g}, not {shown(frame_rate_hz)}."
        )
    width, height = check_image_size(image_size)
    if not all(_is_number(side) and side <= _LARGEST_PX for side in (width, height)):
        raise BadKeypoints(f"image_size must be two numbers up to {_LARGEST_PX:g}, not {shown(image_size)}.")
    return Picture((int(width), int(height)), float(frame_rate_hz))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _missing(image_size: tuple[int, int] | None, frame_rate_hz: float | None) -> str:
    return " and ".join(
        word for word, value in (("image size", image_size), ("frame rate", frame_rate_hz)) if value is None
    )


def find_video(source: Path, stems: list[str]) -> Path | None:
    """The video of one of those names beside or, for a folder, inside the keypoints' place."""
    for folder in [source.parent, source] if source.is_dir() else [source.parent]:
        for file in sorted(folder.iterdir()):
            if file.stem in stems and file.suffix.lower() in VIDEO_SUFFIXES and file.is_file():
                return file
    return None
