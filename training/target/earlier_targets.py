"""What a run was adapted to, kept in its folder: the history of targets, and their keypoints, for `--continue`."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sdk.errors import BadModelFile, BadTarget
from sdk.files.content_hash import content_hash
from sdk.files.input_files import printable
from sdk.skeletons.skeleton import H36M16, POSE_SKELETONS
from training.files.array_file import read_arrays
from training.files.atomic_file import replacing
from training.lifter.checkpoint import LifterCheckpoint
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt
from training.settings.settings_check import BadSetting
from training.target.target_windows import TargetSequence

NEW, EARLIER = "this target", "earlier targets"
"""Names of both in what a run measures."""
MOST_KEPT = 90_000
"""Most frames that are kept of a target: an hour at 25 Hz, 12 MB. Of a longer one, whole tracks are drawn."""
_ARRAYS = ("keypoints", "length", "aspect", "name", "learned", "held_out")
_KINDS = {
    "keypoints": np.floating, "length": np.integer, "aspect": np.floating, "name": np.str_,
    "learned": np.bool_, "held_out": np.bool_,
}  # fmt: skip
_BEGUN_WITH = ("recipe", "constants", "height")
"""Settings that one lifter can't have two of."""


@dataclass(frozen=True)
class KeptTrack:
    """Keypoints of one person of a target.

    Attributes:
        sequence: The keypoints.
        learned: Whether a lifter learned from them.
        held_out: Whether it was chosen by them. With few tracks, a track is both.
    """

    sequence: TargetSequence
    learned: bool
    held_out: bool


@dataclass(frozen=True)
class EarlierTargets:
    """The targets that a run was adapted to, in order.

    Attributes:
        run: The run's folder.
        checkpoint: The lifter that it ended with.
        history: An entry for each target: name, settings, files, tracks; see `new_entry`.
        tracks: Their keypoints.
    """

    run: RunFolder
    checkpoint: LifterCheckpoint
    history: tuple[dict[str, Any], ...]
    tracks: tuple[KeptTrack, ...]

    @property
    def learned(self) -> list[TargetSequence]:
        """Sequences that the lifter learned from."""
        return [track.sequence for track in self.tracks if track.learned]

    @property
    def held_out(self) -> list[TargetSequence]:
        """Sequences that the lifter was chosen by. Of a target with few tracks, they are the same."""
        return [track.sequence for track in self.tracks if track.held_out]

    @property
    def names(self) -> str:
        """Names of the targets, for messages."""
        return ", ".join(str(entry["target"]) for entry in self.history)

    def with_recipe(self, config: Adapt) -> Adapt:
        """The settings with the run's recipe in place of `auto`."""
        recipe = self.history[-1]["recipe"]
        return dataclasses.replace(config, recipe=recipe) if config.recipe == "auto" else config

    def require_fitting(self, config: Adapt) -> None:
        """Do nothing if the settings are those of the run.

        Raises:
            BadSetting: recipe, constants or height are others.
        """
        last = self.history[-1]
        for name in _BEGUN_WITH:
            now, was = getattr(config, name), last[name]
            if name == "constants":
                now, was = tuple(now), tuple(was)
            if now != was:
                given = "" if was is None or was == () else f" {' '.join(was) if isinstance(was, tuple) else was}"
                way = f"add --{name}{given}" if given else f"leave --{name} out"
                raise BadSetting(
                    f"--continue {self.run.path}: that run was adapted with {name} {_said(was)}, not {_said(now)}. To "
                    f"go on as it began, {way}; to begin another adaptation from its lifter, which replays nothing, "
                    f"use --start {self.run.checkpoint} in place of --continue."
                )

    def require_same_skeleton(self, skeletons: Sequence[str]) -> None:
        """Do nothing if the run has seen these joint layouts.

        Two detectors put one joint at two places: a lifter that learns from both learns neither.

        Raises:
            BadTarget: one is new.
        """
        known = {skeleton for entry in self.history for skeleton in entry["skeletons"]}
        others = sorted(set(skeletons) - known)
        if others:
            raise BadTarget(
                f"--continue {self.run.path}: that run learned from keypoints of {', '.join(sorted(known))}; this "
                f"target has {', '.join(others)}, whose joints lie elsewhere in the body. Use the detector of that run "
                f"(its config.json names it), or begin another adaptation from its lifter: --start "
                f"{self.run.checkpoint}."
            )

    def new_tracks(self, sequences: Sequence[TargetSequence]) -> list[int]:
        """Which sequences the run has not learned from yet, by their content.

        Raises:
            BadTarget: there are none.
        """
        known = {track for entry in self.history for track in entry["tracks"]}
        new = [i for i, sequence in enumerate(sequences) if _hash(sequence) not in known]
        if not new:
            raise BadTarget(
                f"--continue {self.run.path}: that run was adapted to all {len(sequences)} tracks of this target "
                "already. Name a target with new videos."
            )
        return new


def read_earlier_targets(run: Path) -> EarlierTargets:
    """Read what a finished run was adapted to.

    Raises:
        BadModelFile: it is no finished run, or one of its files is missing, damaged, or not the one that it wrote.
    """
    folder = RunFolder(run)
    if not folder.config.is_file():
        raise BadModelFile(f"--continue {run}: it holds no config.json: it is not the folder of a run.")
    if not folder.finished:
        raise BadModelFile(f"--continue {run}: that run is not finished. Finish it: adaptpose-train --resume {run}")
    if not folder.history.is_file() and not folder.targets.is_file():
        raise BadModelFile(
            f"--continue {run}: it has neither {folder.history.name} nor {folder.targets.name}: the version that made "
            "it kept no keypoints. Its lifter can be adapted further with nothing replayed: --start "
            f"{folder.checkpoint} in place of --continue."
        )
    hashes, history = _read_history(folder.history)
    for path, wanted in ((folder.checkpoint, hashes["lifter"]), (folder.targets, hashes["targets"])):
        try:
            found = content_hash(path)
        except OSError as error:
            raise BadModelFile(f"--continue {run}: {path} can't be read: {error.strerror or error}.") from error
        if found != wanted:
            raise BadModelFile(
                f"--continue {run}: {path} is not the file that this run wrote: it was damaged, or replaced. Take it "
                "from a backup, or adapt anew."
            )
    checkpoint = LifterCheckpoint.load(folder.checkpoint)
    return EarlierTargets(folder, checkpoint, tuple(history), tuple(_read_tracks(folder.targets)))


def new_entry(
    config: Adapt,
    name: str,
    sequences: Sequence[TargetSequence],
    skeletons: Sequence[str],
    files: Mapping[str, str],
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    """The entry of a target in the history, as plain values.

    Args:
        config: Settings of the run.
        name: The target's name.
        sequences: Its sequences.
        skeletons: Joint layouts of their keypoints.
        files: Hashes of its files, by name.
        measured: What the run measured before and after.
    """
    return {
        "target": name,
        "recipe": config.recipe,
        "constants": list(config.constants),
        "height": config.height,
        "steps": config.steps,
        "seed": config.seed,
        "frames": sum(len(sequence.keypoints) for sequence in sequences),
        "skeletons": sorted(set(skeletons)),
        "files": dict(files),
        "measured": dict(measured),
        "tracks": [_hash(sequence) for sequence in sequences],
    }


def save_targets(run: RunFolder, history: Sequence[Mapping[str, Any]], tracks: Sequence[KeptTrack]) -> None:
    """Write the keypoints of all targets, and the history. The lifter must have been written before.

    Args:
        run: Folder of the run.
        history: Entries of all targets, the newest last.
        tracks: Keypoints of all targets; see `kept_tracks`.
    """
    sequences = [track.sequence for track in tracks]
    # Written to memory first, as in save_tracks: zipfile hides the error of a full disk.
    with replacing(run.targets) as part, io.BytesIO() as archive:
        np.savez(
            archive,
            keypoints=np.concatenate([one.keypoints for one in sequences]).astype(np.float32),
            length=np.array([len(one.keypoints) for one in sequences]),
            aspect=np.array([one.aspect for one in sequences]),
            name=np.array([one.name for one in sequences]),
            learned=np.array([track.learned for track in tracks]),
            held_out=np.array([track.held_out for track in tracks]),
        )
        part.write_bytes(archive.getvalue())
    content = {
        "version": 1,
        "hashes": {"lifter": content_hash(run.checkpoint), "targets": content_hash(run.targets)},
        "targets": list(history),
    }
    with replacing(run.history) as part:
        part.write_text(printable(json.dumps(content, indent=2, ensure_ascii=False)), encoding="utf-8")


def kept_tracks(learned: Sequence[TargetSequence], held_out: Sequence[TargetSequence]) -> list[KeptTrack]:
    """What is kept of a target: all of it, or of more than `MOST_KEPT` frames whole tracks drawn at random.

    Args:
        learned: Sequences to learn from.
        held_out: Sequences to choose by: others, or the same.
    """
    if learned and held_out and learned[0] is held_out[0]:
        return [KeptTrack(one, True, True) for one in _drawn(learned, MOST_KEPT)]
    return [
        *(KeptTrack(one, True, False) for one in _drawn(learned, MOST_KEPT)),
        *(KeptTrack(one, False, True) for one in _drawn(held_out, MOST_KEPT // 10)),
    ]


def _drawn(sequences: Sequence[TargetSequence], most: int) -> list[TargetSequence]:
    """All sequences; of too many frames whole ones, drawn at random; where none is short enough, one that is cut."""
    if sum(len(one.keypoints) for one in sequences) <= most:
        return list(sequences)
    drawn, room = [], most
    for number in torch.randperm(len(sequences), generator=torch.Generator().manual_seed(0)).tolist():
        if len(sequences[number].keypoints) <= room:
            drawn.append(number)
            room -= len(sequences[number].keypoints)
    if not drawn:
        first = sequences[0]
        return [dataclasses.replace(first, keypoints=first.keypoints[:most], scores=first.scores[:most])]
    return [sequences[number] for number in sorted(drawn)]


def _hash(sequence: TargetSequence) -> str:
    content = np.ascontiguousarray(sequence.keypoints, np.float32).tobytes()
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "as the recipe has them"
    return "that is not stated" if value is None else str(value)


_TYPES: dict[str, Any] = {
    "target": str, "recipe": str, "constants": list, "height": (int, float, type(None)), "skeletons": list,
    "files": dict, "measured": dict, "tracks": list,
}  # fmt: skip
_LISTS = ("constants", "skeletons", "tracks")


def _read_history(path: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        hashes, targets = content["hashes"], content["targets"]
        fits = (
            content["version"] == 1
            and all(isinstance(hashes[name], str) for name in ("lifter", "targets"))
            and isinstance(targets, list)
            and len(targets) > 0
            and all(isinstance(entry[name], kind) for entry in targets for name, kind in _TYPES.items())
            and all(isinstance(text, str) for entry in targets for name in _LISTS for text in entry[name])
        )
        if not fits:
            raise ValueError("its values are of other types, or of another version")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise BadModelFile(f"{path} is missing, damaged or of another version of the project: {reason}.") from error
    return hashes, targets


def _read_tracks(path: Path) -> list[KeptTrack]:
    arrays = read_arrays(path, _ARRAYS, BadModelFile)
    keypoints, length = arrays["keypoints"], arrays["length"]
    if (
        any(arrays[name].ndim != 1 or len(arrays[name]) != len(length) for name in _ARRAYS[1:])
        or any(not np.issubdtype(arrays[name].dtype, kind) for name, kind in _KINDS.items())
        or keypoints.shape[1:] not in [(len(skeleton), 2) for skeleton in POSE_SKELETONS.values()]
        or not (length > 0).all()
        or length.sum() != len(keypoints)
        or not np.isfinite(keypoints[:, : len(H36M16)]).all()
        or np.isinf(keypoints).any()
    ):
        raise BadModelFile(f"{path} is damaged: its arrays do not fit one another.")
    tracks = [
        KeptTrack(TargetSequence(str(name), part, np.ones(part.shape[:2], np.float32), float(aspect)), *map(bool, how))
        for name, part, aspect, *how in zip(
            arrays["name"],
            np.split(keypoints.astype(np.float32), np.cumsum(length)[:-1]),
            arrays["aspect"],
            arrays["learned"],
            arrays["held_out"],
            strict=True,
        )
    ]
    if not any(track.learned for track in tracks) or not any(track.held_out for track in tracks):
        raise BadModelFile(f"{path} is damaged: it has no track to learn from, or none to choose by.")
    return tracks
