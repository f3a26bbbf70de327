"""Lists the files of a target: videos, and files or folders of keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdk.errors import BadTarget
from sdk.keypoint_files.reading import KEYPOINT_SUFFIXES, is_keypoints
from sdk.video.source import VIDEO_SUFFIXES


@dataclass(frozen=True)
class TargetFiles:
    """The files of a target, in order.

    Attributes:
        videos: Videos that need a detector.
        keypoints: Keypoint files, or folders with one JSON file per frame, each with the video of the same name.
    """

    videos: tuple[Path, ...]
    keypoints: tuple[tuple[Path, Path | None], ...]

    def __len__(self) -> int:
        return len(self.videos) + len(self.keypoints)


def find_target_files(target: Path) -> TargetFiles:
    """List a target: one video, one keypoint file, a folder with one JSON file per frame, or a folder of any of these.

    A video with keypoints of the same name in the same folder needs no detector.

    Raises:
        BadTarget: if the target does not exist or has none of these.
    """
    target = target.expanduser()
    if not target.exists():
        raise BadTarget(f"target {target} does not exist. It is a folder of videos, a video, or keypoints.")
    if target.is_file() and not is_keypoints(target):
        return TargetFiles((target,), ())  # any other name: if it is no video, the video reader says so
    if is_keypoints(target):
        return TargetFiles((), ((target, _video_of(target, sorted(target.parent.iterdir()))),))
    # Files whose names start with a dot belong to the operating system.
    entries = sorted(path for path in target.iterdir() if not path.name.startswith("."))
    keypoints = tuple((path, _video_of(path, entries)) for path in entries if is_keypoints(path))
    companions = {video for _, video in keypoints}
    videos = tuple(path for path in entries if _is_video(path) and path not in companions)
    if not videos and not keypoints:
        found = ", ".join(path.name for path in entries[:5]) + (", ..." if len(entries) > 5 else "")
        raise BadTarget(
            f"folder {target} has no videos ({', '.join(VIDEO_SUFFIXES)}) and no keypoints "
            f"({', '.join(KEYPOINT_SUFFIXES)}, or folders with a JSON file a frame) in it; it "
            + (f"holds {found}." if entries else "is empty.")
            + (" Folders in it are not searched: name one of them." if any(path.is_dir() for path in entries) else "")
        )
    return TargetFiles(videos, keypoints)


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES


def _video_of(keypoints: Path, entries: list[Path]) -> Path | None:
    stem = keypoints.name if keypoints.is_dir() else keypoints.stem
    return next((path for path in entries if _is_video(path) and path.stem == stem), None)
