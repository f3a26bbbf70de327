"""Finds which way is up in a target track, and rotates source motion about that vertical.

A lifter's pose of one frame may lean by 10 degrees and turn by as much, and a person may bow; but a camera that stands
has one gravity for all frames. Source motion that is laid over the lifted trunk takes over each frame's lean, and the
lifter learns that people lean. Turned about one vertical a track, it keeps the source's own: on real detections
(benchmarks/real_detections.py) that is where most of adaptation's gain in orientation comes from.
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor, nn

from sdk.skeletons.skeleton import H36M16
from training.target.target_windows import TargetWindows

FRAMES_A_TRACK = 60
"""Frames of a track that are used, spread over the track."""
_LIFT_AT_ONCE = 2048
_ITERATIONS = 10
_NEAR = 0.05
"""Smallest distance in the geometric median (3 degrees). Nearer vectors count as vectors at this distance."""
_ANKLES = [H36M16.index(f"{side}_ankle") for side in ("left", "right")]


def body_up(poses_m: Tensor) -> Tensor:
    """The body's up: from feet to pelvis and from pelvis to shoulders, half each. (N, 16, 3) to (N, 3) of length 1.

    Somebody who sits or bows points elsewhere, somebody who lies anywhere: what counts is the usual over a track.
    """
    unit = torch.nn.functional.normalize
    pelvis, thorax = poses_m[:, 0], poses_m[:, H36M16.index("thorax")]
    feet = poses_m[:, _ANKLES].mean(1)
    return unit(unit(thorax - pelvis, dim=-1) + unit(pelvis - feet, dim=-1), dim=-1)


def tracks_up(lifter: nn.Module, windows: TargetWindows) -> Tensor:
    """Up in camera axes for each of the target's tracks: (S, 3) of length 1, on the CPU.

    The geometric median of what the frames say: some frames lifted upside down do not turn it.

    Args:
        lifter: In evaluation mode.
        windows: Of the target.
    """
    device = next(lifter.parameters()).device
    tracks = int(windows.sequence.max()) + 1
    rows = [torch.nonzero(windows.sequence == one)[:, 0] for one in range(tracks)]
    rows = [one[torch.linspace(0, len(one) - 1, min(len(one), FRAMES_A_TRACK)).long()] for one in rows]
    with torch.no_grad():
        lifted = [lifter(windows.at(part).to(device)).cpu() for part in torch.cat(rows).split(_LIFT_AT_ONCE)]
    said = body_up(torch.cat(lifted)).split([len(one) for one in rows])
    return torch.stack([_usual_direction(one) for one in said])


def _usual_direction(directions: Tensor) -> Tensor:
    """(N, 3) to (3,), of length 1: their geometric median (Weiszfeld's iteration)."""
    usual = directions.median(0).values
    for _ in range(_ITERATIONS):
        weight = 1 / (directions - usual).norm(dim=-1, keepdim=True).clamp(min=_NEAR)
        usual = (weight * directions).sum(0) / weight.sum()
    return torch.nn.functional.normalize(usual, dim=0)


def rotation_between(start: Tensor, end: Tensor) -> Tensor:
    """The smallest rotations (B, 3, 3) that turn directions (B, 3) of length 1 into others."""
    axis = torch.linalg.cross(start, end, dim=-1)
    sine, cosine = axis.norm(dim=-1, keepdim=True), (start * end).sum(-1, keepdim=True)
    # Opposite directions have no axis of their own: any that is square to them.
    aside = torch.nn.functional.one_hot(start.abs().argmin(-1), 3).to(start)
    aside = torch.nn.functional.normalize(torch.linalg.cross(start, aside, dim=-1), dim=-1)
    axis = torch.where(sine > 1e-6, axis / sine.clamp(min=1e-6), aside)
    return roma.rotvec_to_rotmat(axis * torch.atan2(sine, cosine))


def matching_yaw(poses_m: Tensor, wanted_m: Tensor, up: Tensor) -> Tensor:
    """The rotation about the vertical that aligns joints with others best.

    Args:
        poses_m: (B, J, 3) relative to a point of the vertical, to turn.
        wanted_m: (B, J, 3) that they should lie like.
        up: (B, 3) of length 1.

    Returns:
        (B,) radians, in the sense of a right-handed turn about `up`.
    """
    axis = up[:, None]
    across = (torch.linalg.cross(poses_m, wanted_m, dim=-1) * axis).sum((-1, -2))
    along = ((poses_m * wanted_m).sum(-1) - (poses_m * axis).sum(-1) * (wanted_m * axis).sum(-1)).sum(-1)
    return torch.atan2(across, along)
