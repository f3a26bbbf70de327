"""The same person at the same moment in several videos: found without calibration, and made one motion of.

A laboratory, or a coach with two telephones, films one person with several cameras at once. Then each video holds what
the others lack: depth. Nobody has to say so: the motions of two lifted tracks fit each other at one lag and one
rotation, and nowhere else. With rotations that are constant (cameras stand), every joint of every moment is where the
lines of sight of all cameras pass nearest to each other, with the lifted depth as a weak hint: bundle adjustment with
unknown cameras, in turns of closed steps (joints, places, rotations).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import roma
import torch
from torch import Tensor

from training.geometry.bones import bone_lengths, bones_to_joints, joints_to_bones, usual_bone_lengths
from training.geometry.camera import root_position

STEP_FRAMES = 5
"""Motion is how joints move in so many frames: it does not show where somebody only stands."""
FEWEST_FRAMES = 200
"""Least overlap of two tracks: eight seconds."""
_MOST_FRAMES = 5000
"""Only so many frames of a track are compared."""
SAME_MOTION = 0.5
"""Least correlation of two tracks' motion at their lag."""
CLEARLY = 1.3
"""So many times higher is the correlation at the lag than at any lag that is off by more than `_NEAR_FRAMES`."""
_NEAR_FRAMES = 12
_FEWEST_ELSEWHERE = 100
"""Least overlap at those other lags."""
APART_DEG = 15.0
"""Least angle between two of the cameras. A copy of a video shows nothing new."""
DEPTH_WEIGHT = 0.25
"""Weight of the lifted depth, relative to that of a place across the line of sight. A lifter's depth is twice as far
off as its other two axes."""
_HINT = 0.02
"""Weight of the lifted places across the line of sight: they count where a joint is not seen."""
_OUTLIER_M = 0.1
"""Half weight of an observation that is so far off."""
_ITERATIONS = 30


@dataclass(frozen=True)
class View:
    """One track among several that show the same motion.

    Attributes:
        track: Number of the track.
        start: Moment of its first frame, in frames of the common time.
        frames: Its frames.
    """

    track: int
    start: int
    frames: int

    def meets(self, other: View) -> bool:
        """Whether both show the same moment."""
        return self.start < other.start + other.frames and other.start < self.start + self.frames


def same_motion(poses_m: Sequence[Tensor], recordings: Sequence[str]) -> list[list[View]]:
    """Groups of tracks that show the same motion from different sides.

    Args:
        poses_m: For each track (T, J, 3) lifted poses of successive frames, root-relative.
        recordings: The video of each track. Two tracks of one video at one moment are two people.
    """
    order = sorted(range(len(poses_m)), key=lambda i: -len(poses_m[i]))
    moves = {i: _Motion(poses_m[i], 2 * _MOST_FRAMES) for i in order if len(poses_m[i]) >= FEWEST_FRAMES + STEP_FRAMES}
    groups: list[list[View]] = []
    for i in moves:
        best, place, group = 0.0, View(i, 0, len(poses_m[i])), None
        for views in groups:
            for view in views:
                found = lag_between(moves[view.track], moves[i])
                if found is None or found[0] <= best:
                    continue
                here = View(i, view.start + found[1], len(poses_m[i]))
                if not any(recordings[one.track] == recordings[i] and one.meets(here) for one in views):
                    best, place, group = found[0], here, views
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return [group for group in groups if _widest_angle(group, poses_m) >= math.radians(APART_DEG)]


class _Motion:
    """How joints move, and its Fourier transform.

    Args:
        poses_m: (T, J, 3) lifted poses.
        size: Of the transform.
    """

    def __init__(self, poses_m: Tensor, size: int) -> None:
        poses = poses_m[: _MOST_FRAMES + STEP_FRAMES].double()
        moves = poses[STEP_FRAMES:] - poses[:-STEP_FRAMES]
        self.frames, self.size = len(moves), size
        self.spectrum = torch.fft.rfft(moves.flatten(1), size, dim=0).unflatten(1, moves.shape[1:])
        self._energy = torch.cat([torch.zeros(1).double(), moves.square().sum((1, 2)).cumsum(0)])

    def energy(self, begin: Tensor, end: Tensor) -> Tensor:
        """Sum of squares from one frame to before another."""
        begin, end = begin.clamp(0, self.frames), end.clamp(0, self.frames)
        return (self._energy[end] - self._energy[begin]).clamp(min=1e-12)


def lag_between(first: _Motion, second: _Motion) -> tuple[float, int] | None:
    """Correlation and lag of two motions, or None if there is no lag where they fit, and only there.

    The correlation is that after the best rotation: the sum of the singular values of the 3 x 3 cross-covariance, the
    least of them negative if it would take a mirror. All lags are worked out at once by Fourier transform.

    Returns:
        The frame of the first motion where the second begins, which may be negative.
    """
    product = torch.einsum("fjx,fjy->fxy", first.spectrum, second.spectrum.conj())
    covariance = torch.fft.irfft(product, first.size, dim=0)  # [k]: sum over t of first[t + k] and second[t]
    lags = torch.arange(first.size)
    lags = torch.where(lags < first.size // 2, lags, lags - first.size)
    begin, end = lags.clamp(min=0), (lags + second.frames).clamp(max=first.frames)
    energy = (first.energy(begin, end) * second.energy(begin - lags, end - lags)).sqrt()
    # A sum of three singular values is at most so many times the root of the sum of their squares.
    most = math.sqrt(3) * covariance.flatten(1).norm(dim=1) / energy
    some = torch.nonzero((end - begin >= _FEWEST_ELSEWHERE) & (most >= SAME_MOTION / CLEARLY))[:, 0]
    values, sign = torch.linalg.svdvals(covariance[some]), torch.linalg.det(covariance[some]).sign()
    correlation = (values[:, 0] + values[:, 1] + sign * values[:, 2]) / energy[some]
    overlap = (end - begin)[some]
    if not len(some) or not (overlap >= FEWEST_FRAMES).any():
        return None
    best = int(torch.where(overlap >= FEWEST_FRAMES, correlation, -torch.ones(()).double()).argmax())
    highest, lag = float(correlation[best]), int(lags[some[best]])
    elsewhere = correlation[(lags[some] - lag).abs() > _NEAR_FRAMES]
    clearly = not len(elsewhere) or highest >= CLEARLY * float(elsewhere.amax())
    return (highest, lag) if highest >= SAME_MOTION and clearly else None


def _widest_angle(group: Sequence[View], poses_m: Sequence[Tensor]) -> float:
    """The largest angle between cameras that show the same moments, in radians; 0 of a single track."""
    widest = 0.0
    for number, view in enumerate(group):
        for other in group[:number]:
            begin, end = max(view.start, other.start), min(view.start + view.frames, other.start + other.frames)
            if end - begin < FEWEST_FRAMES:
                continue
            one, two = (poses_m[each.track][begin - each.start : end - each.start] for each in (view, other))
            rotation = roma.special_procrustes((one.flatten(0, 1).mT @ two.flatten(0, 1)).double())
            widest = max(widest, float(roma.rotmat_to_rotvec(rotation).norm()))
    return widest


@dataclass(frozen=True)
class Together:
    """What several views tell.

    Attributes:
        poses_m: For each view (T, J, 3) poses in its axes, root-relative.
        size_m: Mean distance of a joint from the pelvis.
        steadier: Whether bones change their lengths less than in the lifted poses. If not, the views did not agree.
    """

    poses_m: list[Tensor]
    size_m: float
    steadier: bool


def joined(
    poses_m: Sequence[Tensor],
    keypoints: Sequence[Tensor],
    starts: Sequence[int],
    focal: float,
    size_m: float | None = None,
) -> Together:
    """One motion for several views of it, as each camera sees it.

    Args:
        poses_m: For each view (T, J, 3) lifted poses of successive frames, root-relative, camera axes.
        keypoints: For each view (T, J, 2) normalised image coordinates; NaN where a joint is not seen.
        starts: For each view, the moment of its first frame.
        focal: Focal length assumed for all cameras, in half image widths.
        size_m: See `Together`; None: as lifted. No 2D shows it.
    """
    first = min(starts)
    moments = max(start + len(pose) for start, pose in zip(starts, poses_m, strict=True)) - first
    joints = poses_m[0].shape[1]
    views = [_Seen(*each, moments, first, focal) for each in zip(poses_m, keypoints, starts, strict=True)]
    rotations = _first_rotations(views)
    motion = _mean([view.lifted @ r for view, r in zip(views, rotations, strict=True)], views)
    known = torch.stack([view.moments for view in views]).any(0)  # between parts of a video nobody is seen
    size = _size(motion[known]) if size_m is None else size_m
    for _ in range(_ITERATIONS):
        pull, weight = torch.zeros(moments, joints, 3), torch.zeros(moments, joints, 3, 3)
        for number, view in enumerate(views):
            rotation = rotations[number]
            observed, weights = view.observed(motion @ rotation.T)
            rotations[number] = rotation = _rotation_to(motion, observed, weights)
            by_axis = torch.maximum(weights * torch.tensor([1.0, 1.0, DEPTH_WEIGHT]), _HINT * view.known)
            observed = torch.where(weights > 0, observed, view.lifted)
            observed = torch.cat([observed[..., :2], view.lifted[..., 2:]], -1)
            weight += torch.einsum("xi,tjx,xk->tjik", rotation, by_axis, rotation)
            pull += (by_axis * observed) @ rotation
        solved = torch.linalg.solve(weight + 1e-6 * torch.eye(3), pull[..., None])[..., 0]
        motion = torch.where((weight.diagonal(dim1=-2, dim2=-1).sum(-1) > 0)[..., None], solved, motion)
        motion = _towards_constant_bones(motion - motion[:, :1], known)
        motion = motion * (size / _size(motion[known]))
    told = [
        (motion @ rotation.T)[start - first : start - first + len(pose)]
        for rotation, start, pose in zip(rotations, starts, poses_m, strict=True)
    ]
    before, after = (sum(map(_length_variation, poses)) for poses in (poses_m, told))
    return Together(told, size, after < before)


class _Seen:
    """One view on the common time."""

    def __init__(self, pose: Tensor, keypoints: Tensor, start: int, moments: int, first: int, focal: float) -> None:
        at = slice(start - first, start - first + len(pose))
        self.lifted = torch.zeros(moments, *pose.shape[1:])
        self.lifted[at] = pose.float().nan_to_num()
        self.places = torch.zeros(moments, *keypoints.shape[1:])
        self.places[at] = keypoints.float().nan_to_num()
        self.known = torch.zeros(moments, pose.shape[1], 1)
        self.known[at] = pose.isfinite().flatten(1).all(1)[:, None, None].float()
        self.seen = torch.zeros(moments, pose.shape[1], 1)
        self.seen[at] = keypoints.isfinite().all(-1, keepdim=True).float() * self.known[at]
        self._lens, self._focal = torch.full((moments,), focal), focal
        self.moments = self.known[:, 0, 0] > 0

    def observed(self, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Where the 2D puts joints (T, J, 3) at the depth of a pose, root-relative, and weights (T, J, 1)."""
        position = root_position(pose, self.places, self._lens)
        depth = position[:, None, 2:] + pose[..., 2:]
        across = self.places / self._focal * depth - position[:, None, :2]
        observed = torch.cat([across, (1 - DEPTH_WEIGHT) * pose[..., 2:] + DEPTH_WEIGHT * self.lifted[..., 2:]], -1)
        off = (across - pose[..., :2]).norm(dim=-1, keepdim=True)
        return observed, self.seen / (1 + (off / _OUTLIER_M).square())


def _first_rotations(views: Sequence[_Seen]) -> list[Tensor]:
    """Rotations from common axes (those of the first view) to each camera's, from lifted poses."""
    rotations = [torch.eye(3)]
    for view in views[1:]:
        both = [(one, rotation, one.moments & view.moments) for one, rotation in zip(views, rotations, strict=False)]
        one, rotation, shared = max(both, key=lambda each: int(each[2].sum()))
        rotations.append(_rotation_to((one.lifted @ rotation)[shared], view.lifted[shared], view.seen[shared]))
    return rotations


def _rotation_to(motion: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
    """The rotation (3, 3) that brings motion (T, J, 3) nearest to what is observed, with weights (T, J, 1)."""
    covariance = (weights * observed).flatten(0, 1).mT @ motion.flatten(0, 1)
    rotation: Tensor = roma.special_procrustes(covariance.double())
    return rotation.float()


def _mean(poses: Sequence[Tensor], views: Sequence[_Seen]) -> Tensor:
    weights = torch.stack([view.known for view in views])
    return (torch.stack(list(poses)) * weights).sum(0) / weights.sum(0).clamp(min=1)


def _towards_constant_bones(motion: Tensor, known: Tensor) -> Tensor:
    """Motion (T, J, 3) with bones halfway to their usual lengths in the known moments (T,), left and right alike."""
    ratio = usual_bone_lengths(motion[known]) / bone_lengths(motion).clamp(min=1e-6)
    return (motion + bones_to_joints(joints_to_bones(motion) * ratio[..., None])) / 2


def _length_variation(poses: Tensor) -> float:
    """Standard deviation of bone lengths over time, relative to their mean, mean over bones."""
    lengths = bone_lengths(poses)
    return float((lengths.std(0) / lengths.mean(0).clamp(min=1e-6)).mean())


def _size(motion: Tensor) -> float:
    return float(motion.norm(dim=-1).mean())
