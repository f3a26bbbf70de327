"""The target's 2D for adaptation: normalised H36M-16 keypoints at the lifter's frame rate, in windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadTarget
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import prepare_keypoints
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.keypoint_normalisation import Normalisation, normalise_root_centred
from sdk.skeletons.skeleton import H36M16
from training.files.array_file import read_arrays
from training.geometry.resampling import resample_linear, uniform_times


@dataclass(frozen=True)
class TargetSequence:
    """One person over time.

    Attributes:
        name: Name of the track it comes from.
        keypoints: (T, 16, 2) float32 image coordinates, normalised for the lifter.
        scores: (T, 16) float32 in [0, 1].
        aspect: Image height divided by image width.
    """

    name: str
    keypoints: np.ndarray
    scores: np.ndarray
    aspect: float

    def __post_init__(self) -> None:
        frames, joints = len(self.keypoints), len(H36M16)
        if frames == 0 or self.keypoints.shape != (frames, joints, 2) or self.scores.shape != (frames, joints):
            raise BadTarget(
                f"target sequence {self.name!r}: keypoints {self.keypoints.shape} and scores {self.scores.shape} "
                f"are not (T, {joints}, 2) and (T, {joints})."
            )


def target_sequences(tracks: Iterable[KeypointTrack], metadata: LifterMetadata) -> list[TargetSequence]:
    """Convert, normalise and resample tracks for a lifter.

    Args:
        tracks: Tracks of any known skeleton and frame rate.
        metadata: Metadata of the lifter: its normalisation and frame rate are used.

    Returns:
        One sequence per track. Keypoints and scores are interpolated linearly over time.
    """
    # Target windows are rotated, projected and compared, so every joint needs a position.
    whole = dataclasses.replace(metadata, input_channels=2)
    sequences = []
    for track in tracks:
        keypoints = prepare_keypoints(track.keypoints_px, track.image_size, track.skeleton, whole)
        scores = to_h36m16(np.concatenate([track.keypoints_px, track.scores[..., None]], -1), track.skeleton)[..., 2]
        wanted = uniform_times(track.timestamps_s, metadata.frame_rate_hz)
        width, height = track.image_size
        sequences.append(
            TargetSequence(
                track.name,
                resample_linear(keypoints, track.timestamps_s, wanted),
                resample_linear(scores, track.timestamps_s, wanted),
                height / width,
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
        keypoints: (N, 16, 2) of all frames.
        sequence: (N,) sequence of each frame.
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
