"""The target's 2D for adaptation: normalised H36M-16 keypoints at the lifter's frame rate, in windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadTarget
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import prepare_keypoints
from sdk.skeletons.joint_conversion import to_pose_joints
from sdk.skeletons.keypoint_normalisation import Normalisation, normalise_root_centred
from sdk.skeletons.skeleton import H36M16, POSE_SKELETONS
from training.files.array_file import read_arrays
from training.geometry.resampling import resample_linear, uniform_times

_JOINTS = tuple(len(skeleton) for skeleton in POSE_SKELETONS.values())


@dataclass(frozen=True)
class TargetSequence:
    """One person over time.

    Attributes:
        name: Name of the track it comes from.
        keypoints: (T, J, 2) float32 image coordinates, normalised for the lifter; J is the lifter's, 16 or 20. Feet
            that the skeleton does not have are NaN.
        scores: (T, J) float32 in [0, 1].
        aspect: Image height divided by image width.
        recording: The recording that it comes from; empty: one of its own. Two of one recording show different people.
    """

    name: str
    keypoints: np.ndarray
    scores: np.ndarray
    aspect: float
    recording: str = ""

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if shape not in [(len(shape) and shape[0], joints, 2) for joints in _JOINTS] or not shape[0]:
            raise BadTarget(f"target sequence {self.name!r}: keypoints {shape} are not (T, 16 or 20, 2).")
        if self.scores.shape != shape[:2]:
            raise BadTarget(f"target sequence {self.name!r}: scores {self.scores.shape} are not {shape[:2]}.")

    def of_joints(self, joints: int) -> TargetSequence:
        """The same for a lifter of so many joints, 16 or 20: without feet, or with feet that are not seen."""
        more = joints - self.keypoints.shape[1]
        if more <= 0:
            return dataclasses.replace(self, keypoints=self.keypoints[:, :joints], scores=self.scores[:, :joints])
        keypoints = np.pad(self.keypoints, ((0, 0), (0, more), (0, 0)), constant_values=np.nan)
        return dataclasses.replace(self, keypoints=keypoints, scores=np.pad(self.scores, ((0, 0), (0, more))))


def target_sequences(
    tracks: Sequence[KeypointTrack], metadata: LifterMetadata, recordings: Sequence[str] | None = None
) -> list[TargetSequence]:
    """Convert, normalise and resample tracks for a lifter.

    Args:
        tracks: Tracks of any known skeleton and frame rate.
        metadata: Metadata of the lifter: its normalisation and frame rate are used.
        recordings: The recording of each track; None: each has its own.

    Returns:
        One sequence per track. Keypoints and scores are interpolated linearly over time.
    """
    # Target windows are rotated, projected and compared, so every joint needs a position.
    whole = dataclasses.replace(metadata, input_channels=2)
    sequences = []
    for track, recording in zip(tracks, recordings or [""] * len(tracks), strict=True):
        keypoints = prepare_keypoints(track.keypoints_px, track.image_size, track.skeleton, whole)
        seen = np.concatenate([track.keypoints_px, track.scores[..., None]], -1)
        scores = to_pose_joints(seen, track.skeleton, metadata.skeleton)[..., 2]
        wanted = uniform_times(track.timestamps_s, metadata.frame_rate_hz)
        width, height = track.image_size
        sequences.append(
            TargetSequence(
                track.name,
                resample_linear(keypoints, track.timestamps_s, wanted),
                resample_linear(scores, track.timestamps_s, wanted),
                height / width,
                recording,
            )
        )
    return sequences


def load_benchmark_sequences(path: Path, normalisation: Normalisation = "screen") -> list[TargetSequence]:
    """Read the 2D file of the cross-domain benchmark, which is already normalised and at 25 Hz.

    Args:
        path: .npz with `keypoints` (N, 16, 2), and for each sequence `start`, `length`, `clip`, `camera`, and `aspect`.
        normalisation: Wanted normalisation. The file has screen coordinates.

    Raises:
        BadTarget: if the file can't be read, lacks an array, or refers to frames that it does not have.
    """
    arrays = read_arrays(path, ("keypoints", "start", "length", "clip", "camera", "aspect"), BadTarget)
    start, length, clip, camera = (arrays[name] for name in ("start", "length", "clip", "camera"))
    try:
        keypoints = arrays["keypoints"].astype(np.float32)
        aspect = np.broadcast_to(arrays["aspect"], start.shape)
        whole = np.issubdtype(start.dtype, np.integer) and np.issubdtype(length.dtype, np.integer)
        inside = (start >= 0) & (length > 0) & (start + length <= len(keypoints))
        if start.ndim != 1 or not whole or not inside.all() or not len(start) == len(clip) == len(camera):
            raise ValueError(f"start, length, clip and camera do not name parts of {len(keypoints)} frames")
        if keypoints.shape[1:] != (len(H36M16), 2) or not np.isfinite(keypoints).all():
            raise ValueError(f"keypoints of shape {keypoints.shape} are not finite numbers (N, {len(H36M16)}, 2)")
    except (ValueError, TypeError) as error:
        raise BadTarget(f"{path} is not a benchmark file: {error}.") from error
    # The file's coordinates are divided by the width; the lifter's screen coordinates by the longer side.
    prepared = normalise_root_centred if normalisation == "root-centred" else np.asarray
    return [
        TargetSequence(
            f"{clip[i]}@{camera[i]}",
            prepared(keypoints[start[i] : start[i] + length[i]] / np.float32(max(1, aspect[i]))),
            np.ones((length[i], len(H36M16)), np.float32),
            float(aspect[i]),
        )
        for i in range(len(start))
    ]


__all__ = ["TargetSequence", "TargetWindows", "load_benchmark_sequences", "target_sequences"]


class TargetWindows:
    """Windows around the frames of all sequences. Beyond the ends of a sequence, the edge frame is repeated.

    The published code fills with zeros there, but no person looks like that.

    Args:
        sequences: Sequences of one frame rate.
        receptive_field: Frames in a window, T, odd.
        normalisation: Normalisation of the sequences' keypoints.
        earlier: Sequences of targets that the lifter was adapted to before, to be replayed. Half of all windows are
            drawn from them, however many there are. They come after the others.

    Attributes:
        keypoints: (N, J, 2) of all frames; NaN where a foot is not seen.
        sequence: (N,) sequence of each frame.
        recordings: The recording of each sequence.
        names: The name of each sequence.
        earlier: How many of these frames, the last ones, are of earlier targets.

    Raises:
        BadTarget: there are no sequences.
    """

    def __init__(
        self,
        sequences: Sequence[TargetSequence],
        receptive_field: int,
        normalisation: Normalisation = "screen",
        *,
        earlier: Sequence[TargetSequence] = (),
    ) -> None:
        if not sequences:
            raise BadTarget("the target has no keypoint sequences to draw windows from.")
        self.earlier = sum(len(sequence.keypoints) for sequence in earlier)
        sequences = [*sequences, *earlier]
        self.normalisation = normalisation
        self.frames = receptive_field
        lengths = torch.tensor([len(sequence.keypoints) for sequence in sequences])
        ends = lengths.cumsum(0)
        self.names = [sequence.name for sequence in sequences]
        self.recordings = [sequence.recording or f"{i} {sequence.name}" for i, sequence in enumerate(sequences)]
        self.keypoints = torch.from_numpy(np.concatenate([sequence.keypoints for sequence in sequences])).float()
        self.sequence = torch.arange(len(sequences)).repeat_interleave(lengths)
        self._first = (ends - lengths).repeat_interleave(lengths)
        self._last = (ends - 1).repeat_interleave(lengths)
        self._reach = torch.arange(receptive_field) - receptive_field // 2

    def __len__(self) -> int:
        """Number of frames. Each is the centre of a window."""
        return len(self.keypoints)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Windows around frames that `draw` draws: (count, T, 16, 2) float32.

        Args:
            count: Number of windows.
            generator: Source of randomness, on the CPU.
        """
        return self.at(self.draw(count, generator))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Frames (count,) drawn uniformly over all sequences, as rows of `keypoints`. With earlier targets, half of the
        frames are theirs."""
        if not self.earlier:
            return torch.randint(len(self), (count,), generator=generator)
        new = len(self) - self.earlier
        of_new = torch.randint(new, (count,), generator=generator)
        of_earlier = torch.randint(new, len(self), (count,), generator=generator)
        return torch.where(torch.rand(count, generator=generator) < 0.5, of_new, of_earlier)

    def all_windows(self, step: int) -> Tensor:
        """Windows around every `step`-th frame of each sequence, in order: (N, T, 16, 2) float32."""
        return self.at(self.centres(step))

    def centres(self, step: int) -> Tensor:
        """The centre frames (N,) of `all_windows`, as rows of `keypoints`; `sequence` has the sequence of each row."""
        frames = torch.arange(len(self))
        return frames[(frames - self._first) % step == 0]

    def at(self, centres: Tensor) -> Tensor:
        """Windows (N, T, 16, 2) around the given rows (N,) of `keypoints`."""
        return self.keypoints[self.frames_of(centres)]

    def frames_of(self, centres: Tensor) -> Tensor:
        """Rows (N, T) of `keypoints` in the windows around the given rows (N,)."""
        return (centres[:, None] + self._reach).clamp(self._first[centres, None], self._last[centres, None])
