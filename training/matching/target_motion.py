"""The target's own motion as source motion: lifted, then fitted to its 2D with constant bone lengths.

This is bundle adjustment of one body in front of one camera. It starts from the lifted joints. Gradient descent moves
them until they project onto their keypoints, every bone has its track's usual length (the same left and right), and the
motion is smooth. The joints stay near the lifted ones. On a split of source people it took a sixth off the error of
the lifted poses (57 to 48 mm; after rigid alignment 47 to 37).

The lifted poses may be wrong. But once they are rotated and projected again, 2D and 3D fit each other exactly, and they
show poses that the source may lack.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.cameras.random_cameras import CameraWindows
from training.geometry.bones import bone_lengths, usual_bone_lengths
from training.geometry.camera import project, root_position, root_relative
from training.geometry.keypoint_normalisation import people_size
from training.matching.cycle_consistency import FOCAL, smoothed
from training.matching.gravity import rotation_between, tracks_up
from training.matching.shared_motion import SharedMotion, lifted
from training.motion.body_variation import mirror_half, of_height
from training.motion.motion_clip import MotionClip
from training.motion.source_windows import SourceWindows
from training.target.target_windows import TargetWindows

ITERATIONS = 100
_STEP_M = 0.02
EXACT_2D = 100.0
"""Weight of the squared distance in the image, relative to the person's size, where keypoints are exact."""
_LENGTHS, _LIFTED, _SMOOTHNESS = 10.0, 1.0, 10.0
"""Weights of three squared errors: bone length in metres; distance from the lifted pose in metres; acceleration in
metres per frame squared. On exact 2D, a third or three times of each changed little."""
_LIFTED_AXES = (0.25, 0.25, 1.0)
"""Weights of x, y, z in the distance from the lifted pose. Depth has the largest: only the lifter knows it."""


@dataclass(frozen=True)
class FittedMotion:
    """Target motion in the camera.

    Attributes:
        pose_m: (N, 16, 3) root-relative, camera axes.
        position_m: (N, 3) position of the pelvis, for the assumed focal length.
    """

    pose_m: Tensor
    position_m: Tensor


def fit_to_keypoints(
    lifted_m: Tensor, keypoints: Tensor, sequence: Tensor, focal: float, reprojection: float = EXACT_2D
) -> FittedMotion:
    """Correct lifted poses so that they fit their keypoints.

    Args:
        lifted_m: (N, J, 3) root-relative poses of successive frames, camera axes; J is 16, or 20 with feet.
        keypoints: (N, J, 2) normalised image coordinates of the same frames; NaN where a foot is not seen.
        sequence: (N,) track of each frame. The frames of a track follow one another.
        focal: Focal length assumed for all cameras, in half image widths. Only the effect of perspective depends on it.
        reprojection: Weight of the keypoints; see `Method.fit_reprojection`.
    """
    lengths = usual_lengths(lifted_m, sequence)
    lens = torch.full((len(lifted_m),), focal, device=lifted_m.device)
    size = people_size(keypoints)
    axes = torch.tensor(_LIFTED_AXES, device=lifted_m.device)
    one_track = (sequence[2:] == sequence[:-2])[:, None, None]
    pose = lifted_m.clone().requires_grad_()
    position = root_position(lifted_m, keypoints, lens).requires_grad_()
    seen, places = keypoints.isfinite(), keypoints.nan_to_num()
    optimiser = torch.optim.Adam([pose, position], _STEP_M)
    for iteration in range(ITERATIONS):
        optimiser.param_groups[0]["lr"] = _STEP_M * (1 - iteration / ITERATIONS)
        off = (project(pose + position[:, None], lens) - places) * seen / size
        acceleration = (pose[2:] - 2 * pose[1:-1] + pose[:-2]) * one_track
        loss = (
            reprojection * off.square().sum()
            + _LENGTHS * (bone_lengths(pose) - lengths).square().sum()
            + _LIFTED * ((pose - lifted_m).square() * axes).sum()
            + _SMOOTHNESS * acceleration.square().sum()
        ) / len(pose)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return FittedMotion(root_relative(pose).detach(), position.detach() + pose[:, 0].detach())


def usual_lengths(lifted_m: Tensor, sequence: Tensor) -> Tensor:
    """(N, J - 1) bone lengths in metres: the median over each track, then the mean of left and right."""
    usual = torch.empty_like(lifted_m[:, 1:, 0])
    for one in sequence.unique():
        of_track = sequence == one
        usual[of_track] = usual_bone_lengths(lifted_m[of_track])
    return usual


MOST_FRAMES = 30_000
"""Most frames to lift at once: 20 minutes of motion. Of a longer target, whole tracks are drawn anew each time; with
earlier targets, they get half of it."""


class TargetMotion:
    """Motion of the target's people; empty until `lift`.

    Args:
        windows: Target windows.
        speeds: Lowest and highest speed at which the motion is played, relative to its own.
        height_m: Height of the target's people, if it is known.
        reprojection: Weight of the keypoints in the fit; see `fit_to_keypoints`.

    Attributes:
        up: (S, 3) up in each of the target's tracks, camera axes; empty until `find_up`.
        shared: The motions that several videos show; none until `shared.find`.
    """

    def __init__(
        self,
        windows: TargetWindows,
        speeds: tuple[float, float],
        height_m: float | None = None,
        reprojection: float = EXACT_2D,
    ) -> None:
        self._windows, self._speeds, self._height_m = windows, speeds, height_m
        self._reprojection = reprojection
        self._told_by_several = torch.empty(0, dtype=torch.bool)
        self.shared = SharedMotion(windows)
        self._joints, self._sequence = torch.empty(0, 16, 3), torch.empty(0, dtype=torch.long)
        self._motion: SourceWindows | None = None
        self._rows, self._errors = torch.empty(0, dtype=torch.long), torch.empty(0)
        self.up = torch.empty(0, 3)

    def find_up(self, lifter: nn.Module) -> None:
        """Find the vertical of every track with a lifter in evaluation mode. From now on motion stands along z."""
        self.up = tracks_up(lifter, self._windows)

    def lift(self, lifter: nn.Module, random: torch.Generator) -> None:
        """Lift the target with a lifter in evaluation mode. The result replaces the earlier motion."""
        rows = self._drawn_tracks(random)
        self._sequence = self._windows.sequence[rows]
        keypoints = self._windows.keypoints[rows]
        poses, self._told_by_several = self.shared.joined(lifted(lifter, self._windows, rows), rows)
        fitted = fit_to_keypoints(poses, keypoints, self._sequence, FOCAL, self._reprojection)
        self._joints, self._rows = fitted.pose_m + fitted.position_m[:, None], rows
        if (told := self._told_by_several).any():  # several videos know better than one
            position = root_position(poses[told], keypoints[told], torch.full((int(told.sum()),), FOCAL))
            self._joints[told] = poses[told] + position[:, None]
        self._cut()

    def detector_errors(self, centres: Tensor) -> Tensor | None:
        """How far keypoints lie from the projection of the fitted motion: (B, T, J, 2), relative to the person's size.

        The fit goes by all frames and all joints, so what is left is mostly the detector's error: of this person, from
        this view, at this moment. Part of the error is in the fitted motion and does not show.

        Args:
            centres: (B,) middle frames, as rows of the target windows' keypoints. Zero of what was not lifted, and of
                feet that are not seen.

        Returns:
            None before `lift`.
        """
        return self._errors[self._windows.frames_of(centres)] if len(self._errors) else None

    def told_by_several(self, centres: Tensor) -> tuple[Tensor, Tensor]:
        """The poses that several videos tell.

        Args:
            centres: (B,) frames, as rows of the target windows' keypoints.

        Returns:
            Whether there is one for each frame (B,), and poses (B, J, 3), root-relative, camera axes; zero where not.
        """
        place = torch.full((len(self._windows),), -1)
        place[self._rows[self._told_by_several]] = torch.nonzero(self._told_by_several)[:, 0]
        told = place[centres] >= 0
        poses = torch.zeros(len(centres), *self._windows.keypoints.shape[1:2], 3)
        if told.any():
            poses[told] = root_relative(self._joints[place[centres[told]]])
            if self._height_m is not None:
                poses[told] = of_height(poses[told][:, None], self._height_m)[:, 0]
        return told, poses

    @property
    def clips(self) -> list[MotionClip]:
        """Whole tracks in camera axes; their frame rate counts one target frame as one second. Empty until `lift`.

        Tracks of one frame, and tracks that can't be fitted, are left out.
        """
        clips = []
        for one in self._sequence.unique():
            joints = self._joints[self._sequence == one]
            if len(joints) < 2 or not joints.isfinite().all():
                continue
            steady = joints - joints[:, :1] + smoothed(joints[None, :, 0])[0][:, None]
            # Time is counted in target frames. With a frame rate of 1, a speed is also a time step.
            clips.append(MotionClip(str(int(one)), steady.numpy(), 1.0))
        return clips

    def mixed_in(self, source: CameraWindows, share: float, random: torch.Generator) -> CameraWindows:
        """Replace a share of the source windows by target motion. Before `lift`, the source windows stay as they are.

        The replaced windows are drawn at random, because random rotations and limb swaps later take the first or the
        last windows of a batch.

        Args:
            source: (B, ...) windows.
            share: Share of the windows to replace.
            random: Source of randomness, on the CPU.
        """
        count = round(share * len(source.joints_m))
        if self._motion is None or not count:
            return source
        joints = mirror_half(self._motion.sample(count, random), random).to(source.joints_m)
        if self._height_m is not None:
            joints = of_height(joints, self._height_m)
        middle = joints.shape[1] // 2
        mixed, up = source.joints_m.clone(), source.up
        replaced = torch.randperm(len(mixed), generator=random)[:count]
        mixed[replaced] = joints - joints[:, middle : middle + 1, :1]
        if up is not None:
            up = up.clone()
            up[replaced] = up.new_tensor([0.0, 0.0, 1.0]) if len(self.up) else torch.nan
        return CameraWindows(mixed, source.position_m, source.focal, up)

    def state_dict(self) -> dict[str, Any]:
        """The motion, as tensors."""
        return {"joints": self._joints, "sequence": self._sequence, "up": self.up, "rows": self._rows,
                "shared": self.shared.state_dict(), "told_by_several": self._told_by_several}  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._joints, self._sequence, self.up = state["joints"], state["sequence"], state["up"]
        self._rows = state.get("rows", torch.empty(0, dtype=torch.long))  # older states have none, and need none
        self._told_by_several = torch.zeros(len(self._rows), dtype=torch.bool)
        if "shared" in state:
            self.shared.load_state_dict(state["shared"])
            self._told_by_several = state["told_by_several"]
        self._cut()

    def _cut(self) -> None:
        clips = [self._stood(clip) for clip in self.clips] if len(self.up) else self.clips
        self._motion = SourceWindows(clips, self._windows.frames, self._speeds) if clips else None
        if len(self._rows):
            keypoints = self._windows.keypoints[self._rows]
            off = keypoints - project(self._joints, torch.full((len(self._rows),), FOCAL))
            self._errors = torch.zeros_like(self._windows.keypoints)
            self._errors[self._rows] = (off / people_size(keypoints)).nan_to_num(posinf=0.0, neginf=0.0)

    def _stood(self, clip: MotionClip) -> MotionClip:
        """A track's motion with its vertical along z."""
        up = self.up[int(clip.name)][None].float()
        rotation = rotation_between(up, up.new_tensor([[0.0, 0.0, 1.0]]))[0].numpy()
        return dataclasses.replace(clip, joints_world_m=clip.joints_world_m @ rotation.T)

    def _drawn_tracks(self, random: torch.Generator) -> Tensor:
        sequence, new = self._windows.sequence, len(self._windows) - self._windows.earlier
        if not self._windows.earlier:
            return _whole_tracks(sequence, MOST_FRAMES, random)
        half, earlier = MOST_FRAMES // 2, sequence[new:] - sequence[new]
        of_new = _whole_tracks(sequence[:new], max(half, MOST_FRAMES - len(earlier)), random)
        of_earlier = _whole_tracks(earlier, max(half, MOST_FRAMES - new), random)
        return torch.cat([of_new, new + of_earlier])


def _whole_tracks(sequence: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Rows of tracks drawn at random, at most so many frames, but one track at least.

    Args:
        sequence: (N,) track of each frame, from 0.
        most: Most frames.
        random: Source of randomness.
    """
    lengths = torch.bincount(sequence)
    order = torch.randperm(len(lengths), generator=random)
    within = lengths[order].cumsum(0) <= most
    within[0] = True
    chosen = torch.zeros(len(lengths), dtype=torch.bool)
    chosen[order[within]] = True
    return torch.nonzero(chosen[sequence])[:, 0]
