"""Joint definitions: where a detector puts the joints of a body. They differ from detector to detector.

Annotators and detectors mark points on the body's surface and call them joints. Hips lie higher or wider than the
centres of rotation, shoulders outside them, the head on the face or the crown. Here each window draws a definition as
it draws a camera: one offset for each joint, in the axes of its part of the body, for the whole window. The right
answer stays the body itself, so the lifter learns to read it from what it is given.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sdk.skeletons.skeleton import H36M16, pose_skeleton
from training.geometry.bones import joints_to_bones
from training.motion.limb_swap import PELVIS, THORAX, trunk_axes

OFFSETS_M = {
    "hip": (0.025, 0.030, 0.020),
    "shoulder": (0.020, 0.025, 0.020),
    "head": (0.008, 0.035, 0.035),
    "thorax": (0.006, 0.025, 0.020),
    "spine": (0.006, 0.040, 0.030),
    "pelvis": (0.006, 0.020, 0.015),
    "knee": (0.012, 0.015, 0.012),
    "ankle": (0.012, 0.015, 0.012),
    "elbow": (0.012, 0.015, 0.012),
    "wrist": (0.015, 0.025, 0.015),
    "heel": (0.008, 0.012, 0.015),
    "toe": (0.012, 0.012, 0.025),
}
"""Standard deviation of a joint's offset in an adult, metres: to the left, up along the part, forward. Joints that are
guessed under clothes vary more than those at the ends of limbs. Differences between joint tables and annotated joints
in docs/benchmarks/detection.md are of this size."""
_ADULT_LEG_M = 0.84
"""Thigh and shin of the adult in `OFFSETS_M`. Offsets grow with the leg."""
_BOTH_SIDES = 0.9
"""Share of an offset that both sides have alike; the rest, 0.45, is of each side alone."""
_LOWER_TRUNK = ("pelvis", "left_hip", "right_hip", "spine")
_UPPER_TRUNK = ("thorax", "left_shoulder", "right_shoulder")


def as_defined(joints_m: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """The joints of each window as one drawn detector defines them.

    Args:
        joints_m: (B, T, J, 3) in any axes, J 16 or 20.
        largest: Largest offsets in units of `OFFSETS_M`; each window draws its own between zero and this.
        generator: Source of randomness, on the CPU.

    Returns:
        (B, T, J, 3). The pelvis stays in the middle of the hips and the thorax in that of the shoulders, each with an
        offset of its own.
    """
    batch, _, count, _ = joints_m.shape
    skeleton = pose_skeleton(count)
    offset = _draw(batch, count, largest, generator) * _leg_m(joints_m)[:, None, None] / _ADULT_LEG_M
    axes = _axes(joints_m)
    moved = joints_m + (axes @ offset[:, None, :, :, None])[..., 0]
    for middle, sides in (("pelvis", ("left_hip", "right_hip")), ("thorax", ("left_shoulder", "right_shoulder"))):
        joint, pair = skeleton.index(middle), [skeleton.index(side) for side in sides]
        moved[:, :, joint] += moved[:, :, pair].mean(2) - joints_m[:, :, pair].mean(2)
    return moved


def _draw(batch: int, count: int, largest: float, generator: torch.Generator) -> Tensor:
    """(B, J, 3) offsets of an adult."""
    skeleton = pose_skeleton(count)
    twin = [min(joint, other) for joint, other in enumerate(skeleton.mirror)]
    shared = torch.randn(batch, count, 3, generator=generator)[:, twin]
    own = torch.randn(batch, count, 3, generator=generator)
    level = largest * torch.rand(batch, 1, 1, generator=generator)
    size = torch.tensor([OFFSETS_M[joint.split("_")[-1]] for joint in skeleton.joints])
    side = torch.tensor([[-1.0 if joint.startswith("right") else 1.0, 1.0, 1.0] for joint in skeleton.joints])
    return (_BOTH_SIDES * shared + (1 - _BOTH_SIDES**2) ** 0.5 * own) * size * side * level


def _leg_m(joints_m: Tensor) -> Tensor:
    """(B,) mean length of thigh and shin together."""
    lengths = joints_to_bones(joints_m).norm(dim=-1).mean(1)
    bones = [H36M16.index(f"{side}_{joint}") - 1 for side in ("left", "right") for joint in ("knee", "ankle")]
    return lengths[:, bones].sum(1) / 2


def _axes(joints_m: Tensor) -> Tensor:
    """(B, T, J, 3, 3): axes of the part that each joint belongs to; columns are left, up along the part, forward."""
    count = joints_m.shape[2]
    skeleton = pose_skeleton(count)
    bones = joints_to_bones(joints_m)
    lower, upper = trunk_axes(bones, PELVIS), trunk_axes(bones, THORAX)
    result = []
    for joint, name in enumerate(skeleton.joints):
        part = upper if name in _UPPER_TRUNK or name == "head" or name.split("_")[-1] in ("elbow", "wrist") else lower
        if name in _UPPER_TRUNK or name in _LOWER_TRUNK:
            result.append(part)
            continue
        # Along the bone that ends here; left as far as it can be.
        up = normalize(bones[:, :, joint - 1], dim=-1)
        left = part[..., 0]
        left = normalize(left - (left * up).sum(-1, keepdim=True) * up + 1e-6 * part[..., 2], dim=-1)
        result.append(torch.stack([left, up, torch.linalg.cross(left, up, dim=-1)], -1))
    return torch.stack(result, 2)
