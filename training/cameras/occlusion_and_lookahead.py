"""Keypoints as a lifter in use gets them: without all of the future, and without joints that nobody saw."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16

WHOLE_FUTURE_SHARE = 0.3
"""Of windows that keep all of their future: offline use is to lose nothing."""
_LIMBS = [
    [H36M16.index(f"{side}_{joint}") for joint in joints]
    for side in ("left", "right")
    for joints in (("knee", "ankle"), ("elbow", "wrist"), ("ankle",), ("wrist",), ("shoulder", "elbow", "wrist"))
]
_LOWER_BODIES = [
    [H36M16.index(f"{side}_{joint}") for side in ("left", "right") for joint in joints]
    for joints in (("ankle",), ("knee", "ankle"))
]


def cut_future(windows: Tensor, shortest: int, random: torch.Generator) -> Tensor:
    """Let the last frame that has come stand in for those that have not, as `sdk.lifting.windows` does.

    Args:
        windows: (B, T, ...) keypoints.
        shortest: Frames after the middle one that are there at the least; each window draws its own number.
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
    """Let joints go unseen in a share of the windows.

    A third of them lose a limb for a while, a third the lower end of the body in all frames, as where the picture ends
    at the knees, a third single joints in single frames.

    Args:
        windows: (B, T, 16, 2) keypoints.
        share: Of the windows.
        random: Source of randomness, on the CPU.

    Returns:
        (B, T, 16, 3): zero where a joint is not seen, and whether it is.
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
    seen = (~hidden).to(windows)[..., None]
    return torch.cat([windows * seen, seen], -1)


def all_seen(windows: Tensor) -> Tensor:
    """(..., 16, 2) keypoints to (..., 16, 3): every joint is seen."""
    return torch.cat([windows, torch.ones_like(windows[..., :1])], -1)


def _members(groups: list[list[int]], joints: int) -> Tensor:
    """(groups, joints) bool."""
    table = torch.zeros(len(groups), joints, dtype=torch.bool)
    for row, members in enumerate(groups):
        table[row, members] = True
    return table
