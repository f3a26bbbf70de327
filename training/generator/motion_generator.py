"""The human motion generator (AdaptPose, section 4): turns source motion into motion that the target might show."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.generator.bone_displacement import BoneDisplacement, SequenceDisplacement
from training.generator.bone_length import BoneLength
from training.generator.bone_rotation import BoneRotation
from training.generator.camera_generator import CameraRotation, CameraTranslation
from training.geometry.bones import LENGTH_GROUPS, bone_lengths, bones_to_joints, joints_to_bones, scale_bones
from training.geometry.camera import root_relative, turn
from training.settings.method import BoneTurn, Camera, RotationNumbers


@dataclass(frozen=True)
class GeneratedMotion:
    """Generated motion from a batch of source windows.

    Attributes:
        body_m: (B, T, 16, 3) motion with changed bones, in source camera axes, relative to the middle frame's pelvis.
        joints_m: (B, T, 16, 3) the same motion in the axes of the new camera (eq. 3, before T).
        position_m: (B, 3) T, the pelvis in the new camera; None if the source's camera stays.
        length_ratios: (B, 9) relative length change of each group of bones; zero if lengths are not changed.
    """

    body_m: Tensor
    joints_m: Tensor
    position_m: Tensor | None
    length_ratios: Tensor


class MotionGenerator(nn.Module):
    """Bone rotation, bone length and camera. Each is a network of its own, or None if that part is left out.

    Args:
        start_depth_m: Mean depth of an untrained camera; take the source's.
        frames: Frames in a window. Only BG1 uses it, because it reads whole windows.
        bone_rotation: How bones are rotated.
        bone_lengths: Whether bone lengths change.
        camera: Whether there is a new camera, and whether its rotation is drawn.
        camera_rotation: How the camera's rotation is written in numbers.

    Raises:
        ValueError: nothing is left to generate.
    """

    def __init__(
        self,
        start_depth_m: float,
        *,
        frames: int = 27,
        bone_rotation: BoneTurn = "bg3",
        bone_lengths: bool = True,
        camera: Camera = "probabilistic",
        camera_rotation: RotationNumbers = "axis-angle",
    ) -> None:
        super().__init__()
        if (bone_rotation, bone_lengths, camera) == ("none", False, "none"):
            raise ValueError(
                "a generator turns bones, changes their lengths or moves the camera: this one does nothing."
            )
        self.bone_rotation = _bone_rotation(bone_rotation, frames)
        self.bone_length = BoneLength() if bone_lengths else None
        moves = camera != "none"
        self.camera_rotation = (
            CameraRotation(camera_rotation, probabilistic=camera == "probabilistic") if moves else None
        )
        self.camera_translation = CameraTranslation(start_depth_m) if moves else None

    def forward(self, joints_m: Tensor, generator: torch.Generator) -> GeneratedMotion:
        """Generate from source windows.

        Args:
            joints_m: (B, T, 16, 3) relative to the middle frame's pelvis, source camera axes, metres. The path of the
                pelvis is kept.
            generator: Source of all noise, on the CPU.
        """
        middle = joints_m.shape[1] // 2
        pose = root_relative(joints_m[:, middle])
        bones = joints_to_bones(joints_m)
        if self.bone_rotation is not None:
            bones = self.bone_rotation(bones, pose, generator)
        ratios = bones.new_zeros(len(bones), len(LENGTH_GROUPS))
        if self.bone_length is not None:
            ratios = self.bone_length(pose, bone_lengths(pose), generator)
        body = bones_to_joints(scale_bones(bones, ratios)) + joints_m[:, :, :1]
        if self.camera_rotation is None or self.camera_translation is None:
            return GeneratedMotion(body, body, None, ratios)
        rotation = self.camera_rotation(root_relative(body[:, middle]), generator)
        turned = turn(body, rotation)
        position = self.camera_translation(root_relative(turned[:, middle]), generator)
        return GeneratedMotion(body, turned, position, ratios)


def _bone_rotation(kind: BoneTurn, frames: int) -> nn.Module | None:
    if kind == "bg1":
        return SequenceDisplacement(frames)
    if kind in ("bg2", "constant"):
        return BoneDisplacement(gradual=kind == "bg2")
    return BoneRotation() if kind == "bg3" else None
