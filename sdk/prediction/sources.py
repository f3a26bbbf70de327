"""What is to be predicted: videos, keypoint files and folders of images, here or in an object store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdk.errors import BadTarget, BadVideo
from sdk.files.addresses import is_address
from sdk.files.input_files import check_regular_file, shown, user_path
from sdk.files.remote_files import is_remote, list_remote
from sdk.files.skipped import Skipped
from sdk.keypoint_files.reading import KEYPOINT_SUFFIXES, is_keypoints
from sdk.prediction.target_files import find_target_files
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
            if not path.exists():
                raise BadVideo(f"{shown(word)}: no such file or folder.")
            if path.is_dir() and not is_keypoints(path):
                found += _in_folder(path, path, save.absolute().resolve(), skipped, notes)
            else:
                if not path.is_dir():
                    check_regular_file(path, BadVideo)
                found += _of_files(path, path.parent, skipped, notes)
    if not found:
        raise BadTarget(
            f"nothing to predict in {', '.join(map(shown, words))}: no videos ({', '.join(VIDEO_SUFFIXES[:5])}, ...), "
            f"no keypoints ({', '.join(KEYPOINT_SUFFIXES)}, or folders with a JSON file a frame), no images."
        )
    _require_different_names(found)
    return Sources(tuple(found), tuple(skipped), tuple(dict.fromkeys(notes)))


def _in_folder(folder: Path, root: Path, save: Path, skipped: list[Skipped], notes: list[str]) -> Iterator[Source]:
    if folder.resolve() == save:
        return
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    yield from _of_files(folder, root, skipped, notes)
    for inner in folders:
        if not is_keypoints(inner):
            yield from _in_folder(inner, root, save, skipped, notes)


def _of_files(path: Path, root: Path, skipped: list[Skipped], notes: list[str]) -> Iterator[Source]:
    """The recordings of a file, or of a folder without its sub-folders."""

    def named(one: Path) -> str:
        return one.name if one == root else one.relative_to(root).as_posix()

    try:
        files = find_target_files(path)
    except BadTarget:  # nothing of a target is in it
        if path.is_dir() and any(one.suffix.lower() in IMAGE_SUFFIXES for one in path.iterdir()):
            yield Source(named(path), str(path), "video")
        return
    for video in files.videos:
        yield Source(named(video), str(video), "video")
    for keypoints, film in files.keypoints:
        yield Source(named(keypoints), str(keypoints), "keypoints", None if film is None else str(film))
    skipped += [one for one in files.skipped if not (path / one.name).is_dir()]
    notes += files.notes


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
