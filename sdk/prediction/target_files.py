"""Lists the files of a target: videos, and files or folders of keypoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from sdk.errors import BadTarget
from sdk.files.input_files import check_regular_file, entries_of, named_below, shown, user_path, why_unreadable
from sdk.files.skipped import Skipped
from sdk.keypoint_files.reading import KEYPOINT_SUFFIXES, is_keypoints
from sdk.prediction.result_folder import KEYPOINTS, LISTS, SUMMARY
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
        skipped: Folders, small copies of videos, and what has the name of a video or of keypoints and can't be read.
        others: Files that are neither.
    """

    videos: tuple[Path, ...]
    keypoints: tuple[tuple[Path, Path | None], ...]
    skipped: tuple[Skipped, ...] = ()
    others: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.videos) + len(self.keypoints)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence that names the files that are neither, if there are any."""
        return not_looked_at(self.others)


def find_target_files(target: Path) -> TargetFiles:
    """List a target: one video, one keypoint file, a folder with one JSON file per frame, or a folder of any of these.

    A video with keypoints of the same name in the same folder needs no detector. In a folder that `adaptpose-predict
    --keypoints-only` wrote, each recording's folder is one keypoint file.

    Raises:
        BadTarget: if the target does not exist or has none of these.
    """
    target = user_path(target, BadTarget)
    if not target.is_dir():
        check_regular_file(target, BadTarget)
        if not target.exists():
            raise BadTarget(f"target {shown(target)} does not exist. It is a folder of videos, a video, or keypoints.")
        if not is_keypoints(target):
            return TargetFiles((target,), ())  # any other name: if it is no video, the video reader says so
    if is_keypoints(target):
        return TargetFiles((), ((target, _video_of(target, entries_of(target.parent, BadTarget))),))
    files = _with_results(list_folder(target), target)
    if not len(files):
        entries = [path for path in entries_of(target, BadTarget) if not path.name.startswith(".")]
        found = ", ".join(shown(path.name) for path in entries[:5]) + (", ..." if len(entries) > 5 else "")
        unusable = [one for one in files.skipped if not (target / one.name).is_dir()][:3]
        raise BadTarget(
            f"folder {shown(target)} has no videos ({', '.join(VIDEO_SUFFIXES)}) and no keypoints "
            f"({', '.join(KEYPOINT_SUFFIXES)}, or folders with a JSON file a frame) in it; it "
            + (f"holds {found}." if entries else "is empty.")
            + "".join(f" {one.name} is {one.reason}." for one in unusable)
            + (" Folders in it are not searched: name one of them." if any(one.is_dir() for one in entries) else "")
        )
    return files


def list_folder(folder: Path) -> TargetFiles:
    """What of a target is in a folder, without its sub-folders; may be empty.

    Raises:
        BadTarget: the folder can't be read.
    """
    # Files whose names start with a dot belong to the operating system.
    entries = [path for path in entries_of(folder, BadTarget) if not path.name.startswith(".")]
    folders = {path for path in entries if path.is_dir()}
    unreadable = {path: why for path in entries if path not in folders and (why := why_unreadable(path))}
    usable = [path for path in entries if path not in unreadable]
    keypoints = tuple((path, _video_of(path, usable)) for path in usable if is_keypoints(path))
    taken = {path for pair in keypoints for path in pair}
    videos = [path for path in usable if _is_video(path) and path not in taken]
    skipped = [Skipped(shown(path.name), _why_no_folder(path)) for path in folders if path not in taken]
    skipped += [Skipped(shown(path.name), why) for path, why in unreadable.items() if _is_named_so(path)]
    for path in list(videos):
        if whole := _whole_of(path, videos):
            videos.remove(path)
            skipped.append(Skipped(shown(path.name), f"the small copy of {shown(whole.name)}"))
    others = [path for path in entries if path not in folders and not _is_named_so(path)]
    return TargetFiles(tuple(videos), keypoints, tuple(sorted(skipped, key=lambda one: one.name)), tuple(others))


def recording_name(path: Path, target: Path) -> str:
    """What a file of a target is called: its own name, or its folder's within the target if `adaptpose-predict` wrote
    it."""
    if path.name != KEYPOINTS or not _is_result(path.parent) or target.expanduser() not in path.parents:
        return path.name
    inside = path.parent.relative_to(target.expanduser()).as_posix()
    return path.parent.name if inside == "." else inside


def _is_result(folder: Path) -> bool:
    """Whether `adaptpose-predict` wrote a folder, with keypoints in it."""
    return all((folder / name).is_file() for name in (KEYPOINTS, SUMMARY))


def _with_results(files: TargetFiles, folder: Path) -> TargetFiles:
    """With the keypoints that `adaptpose-predict` wrote into sub-folders; its list of recordings is none of them."""
    named = (path.parent for path, why in named_below(folder, lambda name: name == KEYPOINTS) if not why)
    found = sorted(one for one in named if _is_result(one))
    results = [one for one in found if not any(part.startswith(".") for part in one.relative_to(folder).parts)]
    if not results:
        return files
    theirs = {one / name for one in results for name in (KEYPOINTS, SUMMARY)}
    listed = [one for one in files.keypoints if one[0] not in theirs and not fnmatch(one[0].name, LISTS)]
    names = {shown(one.relative_to(folder).parts[0]) for one in results if one != folder}
    return TargetFiles(
        files.videos,
        (*listed, *((one / KEYPOINTS, None) for one in results)),
        tuple(one for one in files.skipped if one.name not in names),
        files.others,
    )


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


def not_looked_at(others: Sequence[Path]) -> tuple[str, ...]:
    """A sentence that names files; none for none."""
    if not others:
        return ()
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    named = ", ".join(shown(path.name) for path in others[:_MOST_NAMED])
    return (f"not looked at, named neither like a video nor like keypoints: {named}{more}",)


def _is_named_so(path: Path) -> bool:
    return path.suffix.lower() in (*VIDEO_SUFFIXES, *KEYPOINT_SUFFIXES)


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES


def _video_of(keypoints: Path, entries: list[Path]) -> Path | None:
    stem = keypoints.name if keypoints.is_dir() else keypoints.stem
    return next((path for path in entries if _is_video(path) and path.stem == stem), None)
