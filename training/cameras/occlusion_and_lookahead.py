"""Occlusion and look-ahead augmentation: keypoints as in live use, with missing joints and a shorter future."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.lifter.feet_head import ANKLES, FEET

WHOLE_FUTURE_SHARE = 0.3
"""Share of windows that keep all of their future, so that offline use loses nothing."""
_LIMBS = [
    [H36M16.index(f"{side}_{joint}") for joint in joints]
    for side in ("left", "right")
    for joints in (("knee", "ankle"), ("elbow", "wrist"), ("ankle",), ("wrist",), ("shoulder", "elbow", "wrist"))
]
_WITHOUT_FEET = 0.5
"""Share of windows in which no foot is seen, as by detectors that know no feet."""
_LOWER_BODIES = [
    [H36M16.index(f"{side}_{joint}") for side in ("left", "right") for joint in joints]
    for joints in (("ankle",), ("knee", "ankle"))
]


def cut_future(windows: Tensor, shortest: int, random: torch.Generator) -> Tensor:
    """Replace future frames by the last known frame, as `sdk.lifting.windows` does.

    Args:
        windows: (B, T, ...) keypoints.
        shortest: Fewest known frames after the middle one. Each window draws its own number.
        random: Source of randomness, on the CPU.

    Returns:
        (B, T, ...).
    """
    batch, frames = windows.shape[:2]
    reach = frames // 2
    ahead = torch.randint(shortest, reach + 1, (batch,), generator=random)
    ahead[torch.rand(batch, generator=random) < WHOLE_FUTURE_SHARE] = reach
    index = torch.minimum(torch.arange(frames), (reach + ahead)[:, None]).to(windows.device)
    return windows[torch.arange(batch, device=windows.device)[:, None], index]


def hide_joints(windows: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Hide joints in a share of the windows.

    A third of these windows lose a limb for a while. A third lose the lower end of the body in all frames, as when the
    image ends at the knees. A third lose single joints in single frames. Feet are hidden with their ankles, and half of
    all windows have none.

    Args:
        windows: (B, T, J, 2) keypoints; J is 16, or 20 with feet.
        share: Share of the windows.
        random: Source of randomness, on the CPU.

    Returns:
        (B, T, J, 3): x, y, and whether the joint is seen (1 or 0); a joint that is not seen is all zero.
    """
    batch, frames, joints, _ = windows.shape
    limbs, lower = (_members(groups, joints) for groups in (_LIMBS, _LOWER_BODIES))
    times = torch.arange(frames)[None]
    first = torch.randint(-frames // 2, frames, (batch, 1), generator=random)
    length = torch.randint(1, frames + 1, (batch, 1), generator=random)
    for_a_while = ((times >= first) & (times < first + length))[..., None]
    limb = for_a_while & limbs[torch.randint(len(limbs), (batch,), generator=random)][:, None]
    below = lower[torch.randint(len(lower), (batch,), generator=random)][:, None].expand(batch, frames, joints)
    rate = torch.rand(batch, 1, 1, generator=random) * 0.3
    single = torch.rand(batch, frames, joints, generator=random) < rate
    kind = torch.randint(3, (batch, 1, 1), generator=random)
    hidden = torch.where(kind == 0, limb, torch.where(kind == 1, below, single))
    hidden &= (torch.rand(batch, generator=random) < share)[:, None, None]
    if joints > len(H36M16):
        none = torch.rand(batch, generator=random) < _WITHOUT_FEET
        for foot, ankle in zip(FEET, ANKLES, strict=True):
            hidden[..., foot] |= hidden[..., ankle] | none[:, None]
    seen = (~hidden).to(windows)[..., None]
    return torch.cat([windows * seen, seen], -1)


def all_seen(windows: Tensor) -> Tensor:
    """(..., J, 2) keypoints to (..., J, 3): every joint is seen, but for those that are NaN."""
    seen = windows.isfinite().all(-1, keepdim=True).to(windows)
    return torch.cat([windows.nan_to_num() * seen, seen], -1)


def _members(groups: list[list[int]], joints: int) -> Tensor:
    """(groups, joints) bool."""
    table = torch.zeros(len(groups), joints, dtype=torch.bool)
    for row, members in enumerate(groups):
        table[row, members] = True
    return table
