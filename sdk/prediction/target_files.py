"""Lists the files of a target: videos, and files or folders of keypoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sdk.errors import BadTarget
from sdk.files.input_files import check_regular_file, shown, user_path
from sdk.files.skipped import Skipped
from sdk.keypoint_files.reading import KEYPOINT_SUFFIXES, is_keypoints
from sdk.video.source import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_SMALL_COPY = ".lrv"
"""GoPro's small copy of a video: GL010001.LRV of GX010001.MP4, in older cameras of the same name."""
_MOST_NAMED = 10


@dataclass(frozen=True)
class TargetFiles:
    """The files of a target, in order.

    Attributes:
        videos: Videos that need a detector.
        keypoints: Keypoint files, or folders with one JSON file per frame, each with the video of the same name.
        skipped: Folders, small copies of videos, and what only looks like a video.
        notes: Files that are neither.
    """

    videos: tuple[Path, ...]
    keypoints: tuple[tuple[Path, Path | None], ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.videos) + len(self.keypoints)


def find_target_files(target: Path) -> TargetFiles:
    """List a target: one video, one keypoint file, a folder with one JSON file per frame, or a folder of any of these.

    A video with keypoints of the same name in the same folder needs no detector.

    Raises:
        BadTarget: if the target does not exist or has none of these.
    """
    target = user_path(target, BadTarget)
    if not target.exists():
        raise BadTarget(f"target {shown(target)} does not exist. It is a folder of videos, a video, or keypoints.")
    if not target.is_dir():
        check_regular_file(target, BadTarget)
        if not is_keypoints(target):
            return TargetFiles((target,), ())  # any other name: if it is no video, the video reader says so
    if is_keypoints(target):
        return TargetFiles((), ((target, _video_of(target, sorted(target.parent.iterdir()))),))
    # Files whose names start with a dot belong to the operating system.
    entries = sorted(path for path in target.iterdir() if not path.name.startswith("."))
    keypoints = tuple((path, _video_of(path, entries)) for path in entries if is_keypoints(path))
    taken = {path for pair in keypoints for path in pair}
    videos = [path for path in entries if _is_video(path) and path not in taken]
    folders = [path for path in entries if path.is_dir() and path not in taken]
    skipped = [Skipped(shown(path.name), _why_no_folder(path)) for path in folders]
    for path in entries:
        named_so = path.suffix.lower() in VIDEO_SUFFIXES
        if named_so and not path.is_dir() and not path.is_file():
            skipped.append(Skipped(shown(path.name), "no regular file: a link to nothing, a pipe or a device"))
        elif named_so and path in videos and (whole := _whole_of(path, videos)):
            videos.remove(path)
            skipped.append(Skipped(shown(path.name), f"the small copy of {shown(whole.name)}"))
    others = [path for path in entries if path.is_file() and not _is_video(path) and path not in taken]
    if not videos and not keypoints:
        found = ", ".join(shown(path.name) for path in entries[:5]) + (", ..." if len(entries) > 5 else "")
        raise BadTarget(
            f"folder {shown(target)} has no videos ({', '.join(VIDEO_SUFFIXES)}) and no keypoints "
            f"({', '.join(KEYPOINT_SUFFIXES)}, or folders with a JSON file a frame) in it; it "
            + (f"holds {found}." if entries else "is empty.")
            + (" Folders in it are not searched: name one of them." if folders else "")
        )
    return TargetFiles(tuple(videos), keypoints, tuple(sorted(skipped, key=lambda one: one.name)), _unread(others))


def _why_no_folder(folder: Path) -> str:
    """Why a folder among the videos is not looked at, with what is in it."""
    try:
        kinds = Counter(
            "videos" if _is_video(path) else "images" if path.suffix.lower() in IMAGE_SUFFIXES else "others"
            for path in folder.iterdir()
            if not path.name.startswith(".")
        )
    except OSError as error:
        return f"a folder that can't be read: {error.strerror}"
    held = f"{kinds['videos']} videos and {kinds['images']} images"
    return f"folders in the target are not searched ({held} in this one): name it as --target, or move its videos up"


def _whole_of(path: Path, videos: list[Path]) -> Path | None:
    """The video that a camera's small copy was made of, if it is here too."""
    if path.suffix.lower() != _SMALL_COPY:
        return None
    stems = {path.stem.lower(), "gx" + path.stem.lower()[2:], "gh" + path.stem.lower()[2:]}
    return next((one for one in videos if one != path and one.stem.lower() in stems), None)


def _unread(others: list[Path]) -> tuple[str, ...]:
    if not others:
        return ()
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    named = ", ".join(shown(path.name) for path in others[:_MOST_NAMED])
    return (f"not looked at, named neither like a video nor like keypoints: {named}{more}",)


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES


def _video_of(keypoints: Path, entries: list[Path]) -> Path | None:
    stem = keypoints.name if keypoints.is_dir() else keypoints.stem
    return next((path for path in entries if _is_video(path) and path.stem == stem), None)
