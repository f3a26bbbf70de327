"""Which of a target's tracks show the same motion, and the poses that they tell together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training.matching.gravity import PHONE_FOCAL
from training.matching.several_views import joined, same_motion
from training.target.target_windows import TargetWindows

MOST_TRACKS = 60
"""Only the longest tracks are compared: all pairs of them are."""
_LIFT_AT_ONCE = 2048


class SharedMotion:
    """Tracks of one person in several videos at the same moment.

    Args:
        windows: Target windows.

    Attributes:
        sizes_m: The size of each motion's person, as first lifted. It stays: else a lifter that learns from these poses
            would let people grow each time.
        views: (S, 2) for each track the number of the motion that it shares, or -1, and the moment of its first frame
            in that motion. Empty until `find`.
    """

    def __init__(self, windows: TargetWindows) -> None:
        self._windows = windows
        self.views = torch.empty(0, 2, dtype=torch.long)
        self.sizes_m: dict[int, float] = {}

    def find(self, lifter: nn.Module) -> None:
        """Find them with a lifter in evaluation mode; none where 2D is root-centred: it tells no lines of sight."""
        sequence = self._windows.sequence
        lengths = torch.bincount(sequence)
        self.sizes_m = {}
        self.views = torch.tensor([[-1, 0]]).repeat(len(lengths), 1)
        if self._windows.normalisation != "screen":
            return
        longest = lengths.argsort(descending=True, stable=True)[:MOST_TRACKS]
        poses = [lifted(lifter, self._windows, torch.nonzero(sequence == one)[:, 0]) for one in longest]
        recordings = [self._windows.recordings[int(one)] for one in longest]
        for number, group in enumerate(same_motion(poses, recordings)):
            for view in group:
                self.views[longest[view.track]] = torch.tensor([number, view.start])

    def state_dict(self) -> dict[str, Tensor | dict[int, float]]:
        """What was found."""
        return {"views": self.views, "sizes_m": self.sizes_m}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.views, self.sizes_m = state["views"], dict(state["sizes_m"])

    @property
    def videos(self) -> list[list[str]]:
        """For each motion, the names of the videos that show it."""
        of_motion: list[set[str]] = [set() for _ in range(int(self.views[:, 0].amax()) + 1 if len(self.views) else 0)]
        for track, number in enumerate(self.views[:, 0].tolist()):
            if number >= 0:
                name = self._windows.names[track]
                of_motion[number].add(name.rpartition("#")[0] or name)
        return [sorted(names) for names in of_motion]

    def joined(self, poses_m: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Lifted poses, with what several videos tell in place of what each tells.

        Args:
            poses_m: (N, J, 3) root-relative, camera axes.
            rows: (N,) their frames, as rows of the target windows' keypoints: whole tracks.

        Returns:
            The poses, and (N,) whether several videos told them.
        """
        poses_m, told = poses_m.clone(), torch.zeros(len(poses_m), dtype=torch.bool)
        sequence, keypoints = self._windows.sequence[rows], self._windows.keypoints[rows]
        for number in range(len(self.videos)):
            views = [
                (torch.nonzero(sequence == track)[:, 0], int(self.views[track, 1]))
                for track in torch.nonzero(self.views[:, 0] == number)[:, 0]
                if (sequence == track).any()
            ]
            if len(views) < 2:
                continue
            places, starts = zip(*views, strict=True)
            together = joined(
                [poses_m[one] for one in places],
                [keypoints[one] for one in places],
                starts,
                PHONE_FOCAL,
                self.sizes_m.get(number),
            )
            self.sizes_m.setdefault(number, together.size_m)
            if not together.steadier:
                continue
            for place, pose in zip(places, together.poses_m, strict=True):
                poses_m[place], told[place] = pose, True
        return poses_m, told


def lifted(lifter: nn.Module, windows: TargetWindows, rows: Tensor) -> Tensor:
    """(N, J, 3) poses of the frames in these rows (N,) of the windows' keypoints, on the CPU."""
    device = next(lifter.parameters()).device
    with torch.no_grad():
        return torch.cat([lifter(windows.at(part).to(device)).cpu() for part in rows.split(_LIFT_AT_ONCE)])


def told_poses(lifter: nn.Module, windows: TargetWindows) -> tuple[Tensor, Tensor]:
    """Frames (N,) whose poses several videos tell, as rows of the windows' keypoints, and the poses (N, J, 3)."""
    shared = SharedMotion(windows)
    shared.find(lifter)
    rows = torch.nonzero(shared.views[windows.sequence, 0] >= 0)[:, 0]
    if not len(rows):
        return rows, torch.empty(0, windows.keypoints.shape[1], 3)
    poses, told = shared.joined(lifted(lifter, windows, rows), rows)
    return rows[told], poses[told]
