"""Detected 2D in place of the true, for table 9: keypoint files of any format, one for each prepared sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadTarget
from sdk.files.input_files import entries_of, shown
from sdk.keypoint_files.reading import collect_keypoints, is_keypoints
from sdk.skeletons.joint_conversion import to_h36m16
from training.datasets.sequence import SequenceFacts
from training.geometry.resampling import resample_linear
from training.protocols.labelled_sequence import LabelledSequence

_ANY_RATE_HZ = 25.0


class Detections:
    """A folder of keypoint files, named as prepared sequences.

    Of several people in a frame, the one with the highest mean score counts: the data set films one person. Frames
    without anybody are interpolated over time; at the ends, the nearest frame is repeated.

    Args:
        folder: The folder.
        skeleton: Joint layout of files that do not state it.
        first: Number of the first frame of a sequence in these files; None: as the numbers show.

    Raises:
        BadTarget: there is no such folder, or no keypoint file in it.
    """

    def __init__(self, folder: Path, skeleton: str | None = None, first: int | None = None) -> None:
        if not folder.is_dir():
            raise BadTarget(f"--detections {shown(folder)} is not a folder of keypoint files.")
        self.folder, self._skeleton, self._first = folder, skeleton, first
        self._files: dict[str, Path] = {}
        for path in filter(is_keypoints, entries_of(folder, BadTarget)):
            other = self._files.setdefault(path.name if path.is_dir() else path.stem, path)
            if other != path:
                raise BadTarget(f"--detections {shown(folder)}: {other.name} and {path.name} are of one sequence.")
        if not self._files:
            raise BadTarget(f"--detections {shown(folder)} holds no keypoint files.")
        self.filled: dict[str, int] = {}

    def of(self, facts: SequenceFacts, frames: np.ndarray, image_size: tuple[int, int]) -> np.ndarray | None:
        """The (T, 16, 2) detected pixels of a sequence; None if it has no file.

        Args:
            facts: Of the sequence.
            frames: (T,) numbers of its frames.
            image_size: Width and height in pixels.

        Raises:
            BadKeypoints, UnknownSkeleton: the file can't be read.
            BadTarget: its frames are not those of the sequence, or nobody tells how they are counted.
        """
        path = self._files.get(facts.name)
        if path is None:
            return None
        found = collect_keypoints(
            path, skeleton=self._skeleton, image_size=image_size, frame_rate_hz=facts.frame_rate_hz or _ANY_RATE_HZ
        )
        best: dict[int, tuple[float, np.ndarray]] = {}
        for track in found.tracks:
            joints = to_h36m16(np.concatenate([track.keypoints_px, track.scores[..., None]], -1), track.skeleton)
            for number, pose in zip(track.frame_indices, joints, strict=True):
                score = float(pose[:, 2].mean())
                if int(number) not in best or score > best[int(number)][0]:
                    best[int(number)] = score, pose[:, :2]
        numbers = np.array(sorted(best))
        rows = numbers - self._counted_from(numbers, len(frames), facts.name)
        if rows[0] < 0 or rows[-1] >= len(frames):
            raise BadTarget(
                f"{shown(path)} has frames {numbers[0]} to {numbers[-1]}; {facts.name} has {len(frames)}. Is it of "
                "another video?"
            )
        self.filled[facts.name] = len(frames) - len(rows)
        poses = np.stack([best[int(number)][1] for number in numbers]).astype(np.float32)
        return resample_linear(poses, rows.astype(float), np.arange(len(frames), dtype=float))

    def in_place_of(
        self, labelled: Sequence[LabelledSequence], facts: Sequence[SequenceFacts]
    ) -> list[LabelledSequence]:
        """The same sequences with detected 2D.

        Raises:
            BadTarget: a sequence has no file, or has missing frames.
        """
        by_subject = {one.subject: one for one in facts}
        replaced = []
        for one in labelled:
            of = by_subject.get(one.name)
            if of is None or of.count != len(one):
                raise BadTarget(f"{one.name} has missing frames: detected 2D is only placed on whole sequences.")
            found = self.of(of, np.arange(len(one)), one.image_size)
            if found is None:
                raise BadTarget(
                    f"--detections {shown(self.folder)} has no file for the test sequence {of.name}: name it {of.name} "
                    f"and its format's suffix. There are: {', '.join(sorted(self._files)[:20])}."
                )
            replaced.append(dataclasses.replace(one, keypoints_px=found))
        return replaced

    def _counted_from(self, numbers: np.ndarray, count: int, name: str) -> int:
        if self._first is not None:
            return self._first
        if numbers[0] == 0:
            return 0
        if numbers[-1] == count:
            return 1
        raise BadTarget(
            f"the detections of {name} have frames {numbers[0]} to {numbers[-1]} of {count}: whether the first frame "
            "is 0 or 1 is not to be seen. Say it with --detections-from."
        )
