"""The 3D discriminator: is this a human pose? (AdaptPose, section 4.3 and figure 8)"""

from __future__ import annotations

import math

import roma
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sdk.skeletons.skeleton import H36M16
from training.discriminators.domain_discriminator import DiscriminatorBranch
from training.generator.generator_trunk import Noise
from training.geometry.bones import PARENTS, TORSO_BONES, joints_to_bones
from training.geometry.kinematic_chain import kinematic_chain_matrix

LARGEST_PERTURBATION_RAD = math.radians(10)


def _bones(*joints: str) -> list[int]:
    return [H36M16.index(joint) - 1 for joint in joints]


LIMBS = tuple(
    _bones(f"{side}_{first}", f"{side}_{second}", f"{side}_{third}")
    for side in ("right", "left")
    for first, second, third in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
)
_TRUNK = _bones("spine", "thorax", "head", "right_hip", "left_hip", "right_shoulder", "left_shoulder")


class PoseDiscriminator(nn.Module):
    """Has five branches that see the angles between unit bones: one per limb, one for the trunk.

    The branch of a limb also sees the two torso bones, because the angles within a limb do not show where it points.
    The limbs of real poses are perturbed, so that poses near the source's also count as human. The trunk is not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.perturbation = LimbPerturbation()
        self.parts = [limb + list(TORSO_BONES) for limb in LIMBS] + [_TRUNK]
        self.branches = nn.ModuleList(
            nn.Sequential(DiscriminatorBranch(len(part) ** 2, 256, 3, 100), nn.LeakyReLU(), nn.Linear(100, 1))
            for part in self.parts
        )

    def forward(self, joints: Tensor, perturbation: torch.Generator | None = None) -> Tensor:
        """Judge poses.

        Args:
            joints: (N, 16, 3) in any frame and unit.
            perturbation: Only for real poses: source of random rotations of up to 10 degrees for each limb bone.

        Returns:
            (N, 5): one for human, zero for not human, from each branch.
        """
        bones = normalize(joints_to_bones(joints), dim=-1)
        seen = bones if perturbation is None else self.perturbation(bones, perturbation)
        answers = []
        for part, branch in zip(self.parts, self.branches, strict=True):
            shown = bones if part is self.parts[-1] else seen
            answers.append(branch(kinematic_chain_matrix(shown[:, part]).flatten(1)))
        return torch.cat(answers, -1)


class LimbPerturbation(nn.Module):
    """Rotates each limb bone about a random axis by up to 10 degrees. Other bones stay."""

    def __init__(self) -> None:
        super().__init__()
        self.axis, self.angle = Noise(len(PARENTS), 3), Noise(len(PARENTS), 1, uniform=True)

    def forward(self, bones: Tensor, generator: torch.Generator) -> Tensor:
        """(N, 15, 3) to the same; `generator` draws the rotations."""
        axis = normalize(self.axis(bones, generator), dim=-1)
        angle = self.angle(bones, generator) * LARGEST_PERTURBATION_RAD
        limbs = bones.new_zeros(len(PARENTS), 1)
        limbs[[bone for limb in LIMBS for bone in limb]] = 1
        return roma.quat_action(roma.rotvec_to_unitquat(axis * angle * limbs), bones)
