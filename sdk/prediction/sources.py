"""What is to be predicted: videos, keypoint files and folders of images, here or in an object store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdk.errors import BadTarget, BadVideo
from sdk.files.addresses import is_address
from sdk.files.input_files import check_regular_file, entries_of, shown, user_path
from sdk.files.remote_files import is_remote, list_remote
from sdk.files.skipped import Skipped
from sdk.keypoint_files.reading import KEYPOINT_SUFFIXES, is_keypoints
from sdk.prediction.target_files import TargetFiles, find_target_files, list_folder, not_looked_at
from sdk.video.source import IMAGE_SUFFIXES, VIDEO_SUFFIXES

Kind = Literal["video", "keypoints"]


@dataclass(frozen=True)
class Source:
    """One recording.

    Attributes:
        name: Name of its results: the file's own, with its place in the folder that was searched (`game1/cam1.mp4`).
        path: Absolute path, or an address.
        kind: `video` (also a folder of images) or `keypoints`.
        video: Path of the video that keypoints belong to, if one of their name lies beside them.
    """

    name: str
    path: str
    kind: Kind
    video: str | None = None


@dataclass(frozen=True)
class Sources:
    """What was found.

    Attributes:
        recordings: In the order of the arguments, and of their names.
        skipped: What only looks like a recording, and why.
        notes: What was not looked at, one sentence each.
    """

    recordings: tuple[Source, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def find_sources(words: Sequence[str], save: Path) -> Sources:
    """List recordings. Folders are searched with their sub-folders, but for the folder of the results.

    Args:
        words: Videos, keypoint files, folders of any of these or of images, and addresses that fsspec knows.
        save: Folder of the results.

    Raises:
        BadVideo: one is missing, is a live stream, or is of no known kind.
        BadTarget: nothing is found, or two have the same name.
    """
    found: list[Source] = []
    skipped: list[Skipped] = []
    notes: list[str] = []
    for word in words:
        if is_remote(word):
            listed = list_remote(word, (*VIDEO_SUFFIXES, *KEYPOINT_SUFFIXES), BadVideo)
            found += [Source(name, address, _kind_of(name)) for address, name in listed]
        elif is_address(word):
            raise BadVideo(f"{word.partition('://')[0]}:// is a live stream: adaptpose-live takes it.")
        else:
            path = user_path(word, BadVideo).absolute()
            if not path.is_dir():
                check_regular_file(path, BadVideo)
            if not path.exists():
                raise BadVideo(f"{shown(word)}: no such file or folder.")
            if path.is_dir() and not is_keypoints(path):
                entries_of(path, BadVideo)  # what can't be read and was named by the user is an error
                found += _in_folder(path, path, {save.absolute().resolve()}, skipped, notes)
            else:
                found += _recordings(find_target_files(path), path.parent)
    if not found:
        raise BadTarget(
            f"nothing to predict in {', '.join(map(shown, words))}: no videos ({', '.join(VIDEO_SUFFIXES[:5])}, ...), "
            f"no keypoints ({', '.join(KEYPOINT_SUFFIXES)}, or folders with a JSON file a frame), no images."
            + "".join(f" {one.name} is {one.reason}." for one in skipped[:3])
        )
    _require_different_names(found)
    return Sources(tuple(found), tuple(skipped), tuple(dict.fromkeys(notes)))


def _in_folder(folder: Path, root: Path, seen: set[Path], skipped: list[Skipped], notes: list[str]) -> Iterator[Source]:
    """The recordings of a folder and its sub-folders, but for those that were seen: links may lead back."""
    if folder.resolve() in seen:
        return
    seen.add(folder.resolve())
    try:
        files = list_folder(folder)
        folders = [path for path in entries_of(folder, BadTarget) if path.is_dir() and not path.name.startswith(".")]
    except BadTarget as error:
        skipped.append(Skipped(_named(folder, root), str(error)))
        return
    others = list(files.others)
    if not len(files) and (images := [path for path in others if path.suffix.lower() in IMAGE_SUFFIXES]):
        yield Source(_named(folder, root), str(folder), "video")
        others = [path for path in others if path not in images]
    yield from _recordings(files, root)
    for one in files.skipped:
        if not (folder / one.name).is_dir():
            skipped.append(Skipped(_named(folder / one.name, root), one.reason))
    notes += not_looked_at(others)
    for inner in sorted(folders, key=lambda path: (path.is_symlink(), path)):
        if not is_keypoints(inner):
            yield from _in_folder(inner, root, seen, skipped, notes)


def _recordings(files: TargetFiles, root: Path) -> Iterator[Source]:
    for video in files.videos:
        yield Source(_named(video, root), str(video), "video")
    for keypoints, film in files.keypoints:
        yield Source(_named(keypoints, root), str(keypoints), "keypoints", None if film is None else str(film))


def _named(one: Path, root: Path) -> str:
    return one.name if one == root else one.relative_to(root).as_posix()


def _kind_of(name: str) -> Kind:
    return "keypoints" if Path(name).suffix.lower() in KEYPOINT_SUFFIXES else "video"


def _require_different_names(found: Sequence[Source]) -> None:
    places: dict[str, Source] = {}
    for one in found:
        other = places.setdefault(one.name, one)
        if other is not one:
            raise BadTarget(
                f"{shown(other.path)} and {shown(one.path)} would both have their results in {shown(one.name)}. Give "
                "the folder that holds both, or use two --save folders."
            )
