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
from training.geometry.camera import root_position
from training.lifter.lifter import TemporalLifter
from training.lifter.mirrored_lifter import MirroredLifter
from training.target.target_windows import TargetWindows

FRAMES_A_TRACK = 300
"""Frames of a track that are used, spread over the track."""
PHONE_FOCAL = 1.44
"""Focal length of a phone's main camera in half image widths: 26 mm on 36 mm film. It is assumed for the floor. Of a
lens twice as long, the floor would seem to slope half as much."""
_LEAST_WALK_M = 0.25
"""Least standard deviation of the places where feet stood, in the direction in which they differ least. Of somebody who
stays in one place or walks along one line there is no floor to be found."""
_MOST_UNEVEN_M = 0.15
"""Largest median distance of feet from the floor."""
_MOST_LEANING_DEG = 15.0
"""Largest angle of floor and people. Where people lean more against the floor, it is a slope, or no floor at all."""
_LIFT_AT_ONCE = 2048
_ITERATIONS = 10
FEWEST_FEET = 50
"""Fewest frames to find a floor from."""
_FLOOR_ITERATIONS = 30
_NEAR = 0.05
"""Smallest distance in the geometric median (3 degrees) and from the floor (5 cm). What is nearer counts as this."""
_ANKLES = [H36M16.index(f"{side}_ankle") for side in ("left", "right")]


def body_up(poses_m: Tensor) -> Tensor:
    """The body's up: from feet to pelvis and from pelvis to shoulders, half each. (N, 16, 3) to (N, 3) of length 1.

    Somebody who sits or bows points elsewhere, somebody who lies anywhere: what counts is the usual over a track.
    """
    unit = torch.nn.functional.normalize
    pelvis, thorax = poses_m[:, 0], poses_m[:, H36M16.index("thorax")]
    feet = poses_m[:, _ANKLES].mean(1)
    return unit(unit(thorax - pelvis, dim=-1) + unit(pelvis - feet, dim=-1), dim=-1)


def floor_up(poses_m: Tensor, keypoints: Tensor, up: Tensor, focal: float = PHONE_FOCAL) -> Tensor | None:
    """The vertical as the normal of the floor that somebody walked on.

    A lifter that takes all cameras for level ones lets people lean, and the vertical of their bodies leans with them.
    Their feet do not: how large people appear says how far away they stand, and where they stand is on a plane. It is
    fitted to the lower ankle of each frame, with weights that let single feet be in the air.

    Args:
        poses_m: (N, 16, 3) root-relative poses of one camera that keeps its tilt, camera axes.
        keypoints: (N, 16, 2) of the same frames, normalised image coordinates.
        up: (3,) the vertical as bodies have it, of length 1.
        focal: Of the camera, in half image widths.

    Returns:
        (3,) of length 1, or None if people walked too little, or nowhere near a plane.
    """
    feet = (poses_m + root_position(poses_m, keypoints, torch.full((len(poses_m),), focal))[:, None])[:, _ANKLES]
    lower = (feet @ up).argmin(1)
    places = feet[torch.arange(len(feet)), lower].double()
    places = places[places.isfinite().all(-1)]
    if len(places) < FEWEST_FEET:
        return None
    weight = torch.ones(len(places), 1, dtype=places.dtype)
    for _ in range(_FLOOR_ITERATIONS):
        centre = (weight * places).sum(0) / weight.sum()
        _, axes = torch.linalg.eigh((places - centre).mT @ (weight * (places - centre)))
        normal = axes[:, 0]
        distance = ((places - centre) @ normal).abs()
        weight = 1 / (distance + _NEAR)[:, None]
    normal = normal if normal @ up.double() > 0 else -normal
    walked = ((places - centre) @ axes[:, 1:]).std(0).min()
    leaning = torch.rad2deg(torch.arccos((normal @ up.double()).clamp(-1, 1)))
    if walked < _LEAST_WALK_M or distance.median() > _MOST_UNEVEN_M or leaning > _MOST_LEANING_DEG:
        return None
    return normal.to(up)


def tracks_up(lifter: nn.Module, windows: TargetWindows) -> Tensor:
    """Up in camera axes for each of the target's tracks: (S, 3) of length 1, on the CPU.

    The floor's normal where one can be found (`floor_up`). Otherwise the geometric median of what the lifter tells, or
    of what bodies say, if it tells nothing: some frames lifted upside down do not turn it.

    Args:
        lifter: In evaluation mode.
        windows: Of the target.
    """
    device = next(lifter.parameters()).device
    tracks = int(windows.sequence.max()) + 1
    rows = [torch.nonzero(windows.sequence == one)[:, 0] for one in range(tracks)]
    rows = [one[torch.linspace(0, len(one) - 1, min(len(one), FRAMES_A_TRACK)).long()] for one in rows]
    lifted, directions = [], []
    with torch.no_grad():
        for part in torch.cat(rows).split(_LIFT_AT_ONCE):
            shown = windows.at(part).to(device)
            lifted.append(lifter(shown).cpu())
            told = _told_up(lifter, shown)
            directions.append(body_up(lifted[-1]) if told is None else told.cpu())
    counts = [len(one) for one in rows]
    result = []
    for poses, ups, frames in zip(
        torch.cat(lifted).split(counts), torch.cat(directions).split(counts), rows, strict=True
    ):
        up = _usual_direction(ups)
        of_floor = floor_up(poses, windows.keypoints[frames], up) if windows.normalisation == "screen" else None
        result.append(up if of_floor is None else of_floor)
    return torch.stack(result)


def _told_up(lifter: nn.Module, shown: Tensor) -> Tensor | None:
    """(B, 3) of length 1, as a lifter tells it of windows; None of one that does not."""
    inner = lifter.lifter if isinstance(lifter, MirroredLifter) else lifter
    if not isinstance(inner, TemporalLifter) or not inner.tells_more:
        return None
    return torch.nn.functional.normalize(inner.outputs(shown).up, dim=-1)


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
