"""The videos of a target in the report: what was found in each, and how sure the lifter is there."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import torch

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.skeletons.skeleton import pose_skeleton
from training.evaluation.expected_error import expected_error_mm
from training.lifter.lifter import TemporalLifter
from training.report.content import TargetVideo
from training.target.target_windows import TargetWindows

_MOST = 20_000
"""Frames that are lifted, spread over all tracks."""
_LIFT_AT_ONCE = 1024
_LEAST_SURE = 3


def target_videos(
    tracks: Sequence[KeypointTrack], windows: TargetWindows, lifter: TemporalLifter
) -> tuple[TargetVideo, ...]:
    """The target's videos, and how sure a lifter is on each.

    Args:
        tracks: Of the target, named VIDEO#NUMBER.
        windows: Of the same tracks, in their order.
        lifter: The adapted one, in evaluation mode.
    """
    names = [track.name.rpartition("#")[0] for track in tracks]
    by_video: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        by_video[name].append(number)
    centres = windows.centres(max(1, len(windows) // _MOST))
    deviations = _deviations(lifter, windows.at(centres))
    videos = []
    for name, numbers in by_video.items():
        own = [tracks[number] for number in numbers]
        video = TargetVideo(name, len(own), sum(map(len, own)), sum(track.duration_s for track in own))
        if deviations is not None:
            told = deviations[torch.isin(windows.sequence[centres], torch.tensor(numbers))]
            video = dataclasses.replace(video, expected_error_mm=expected_error_mm(told), least_sure=_least_sure(told))
        videos.append(video)
    return tuple(videos)


def _deviations(network: TemporalLifter, windows: torch.Tensor) -> torch.Tensor | None:
    """(N, J, 3) standard deviations in metres, if the lifter tells them."""
    if not network.tells_more:
        return None
    with torch.no_grad():
        return torch.cat([network.outputs(part).deviations_m for part in windows.split(_LIFT_AT_ONCE)])


def _least_sure(deviations_m: torch.Tensor) -> str:
    """The three joints with the largest mean deviation, with both sides as one, the worst first."""
    by_joint: dict[str, list[float]] = defaultdict(list)
    for joint, deviation in zip(
        pose_skeleton(deviations_m.shape[1]).joints, deviations_m.norm(dim=-1).mean(0).tolist(), strict=True
    ):
        by_joint[joint.removeprefix("left_").removeprefix("right_")].append(deviation)
    worst = sorted(by_joint, key=lambda joint: -max(by_joint[joint]))[:_LEAST_SURE]
    return ", ".join(f"{joint}s" for joint in worst)
