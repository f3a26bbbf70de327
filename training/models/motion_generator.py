"""The human motion generator (AdaptPose, section 4): source motion to motion as the target might show it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.geometry.bones import bone_lengths, bones_to_joints, joints_to_bones, scale_bones
from training.geometry.camera import root_relative, turn
from training.models.bone_length import BoneLength
from training.models.bone_rotation import BoneRotation
from training.models.camera_generator import CameraRotation, CameraTranslation


@dataclass(frozen=True)
class GeneratedMotion:
    """What the generator made of a batch of source windows.

    Attributes:
        body_m: (B, T, 16, 3) with other bones, in the source camera's axes; relative to the middle frame's pelvis.
        joints_m: (B, T, 16, 3) the same in the new camera's axes (eq. 3, before T).
        position_m: (B, 3) T, the pelvis in the new camera.
        length_ratios: (B, 9) relative change of each group of bones.
    """

    body_m: Tensor
    joints_m: Tensor
    position_m: Tensor
    length_ratios: Tensor


class MotionGenerator(nn.Module):
    """Bone rotation, bone length and camera, each a network of its own.

    Args:
        start_depth_m: Mean depth of an untrained camera; take the source's.
    """

    def __init__(self, start_depth_m: float) -> None:
        super().__init__()
        self.bone_rotation = BoneRotation()
        self.bone_length = BoneLength()
        self.camera_rotation = CameraRotation()
        self.camera_translation = CameraTranslation(start_depth_m)

    def forward(self, joints_m: Tensor, generator: torch.Generator) -> GeneratedMotion:
        """Generate from source windows.

        Args:
            joints_m: (B, T, 16, 3) relative to the middle frame's pelvis, source camera axes, metres. The pelvis' path
                is kept.
            generator: Source of all noise, on the CPU.
        """
        middle = joints_m.shape[1] // 2
        pose = root_relative(joints_m[:, middle])
        bones = self.bone_rotation(joints_to_bones(joints_m), pose, generator)
        ratios = self.bone_length(pose, bone_lengths(pose), generator)
        body = bones_to_joints(scale_bones(bones, ratios)) + joints_m[:, :, :1]
        body_pose = root_relative(body[:, middle])
        rotation = self.camera_rotation(body_pose, generator)
        turned = turn(body, rotation)
        position = self.camera_translation(root_relative(turned[:, middle]), generator)
        return GeneratedMotion(body, turned, position, ratios)
