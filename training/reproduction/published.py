"""Published results across data sets, from Human3.6M, and ours beside those whose protocol ours can be scored by."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from training.reproduction.cost import Job
from training.reproduction.markdown import markdown_table
from training.reproduction.writing import Results

NEEDS = "needs the data"


@dataclass(frozen=True)
class Published:
    """A published result.

    Attributes:
        data_set: What it is measured on.
        method: Whose.
        mpjpe_mm: Protocol 1; None where it is not told.
        pa_mpjpe_mm: Protocol 2, likewise.
        scored: How it is scored, in words.
        protocol: The nearest protocol of ours; empty if none is near.
        experiment: Ours that is scored so.
    """

    data_set: str
    method: str
    mpjpe_mm: float | None
    pa_mpjpe_mm: float | None
    scored: str
    protocol: str
    experiment: str


_ITS_OWN = "AdaptPose's own, 24,688 frames"
_VALID = "2,929 valid frames"
PUBLISHED = (
    Published("H36M, 3D of S1", "AdaptPose (CVPR 2022)", 42.5, 34.0, "S9, S11; mean over frames", "h36m-s1", "h36m-s1"),
    Published("H36M, 3D of S1", "Li et al. (CVPR 2020)", 50.5, None, "S9, S11", "h36m-s1", "h36m-s1"),
    Published("H36M, 3D of S1", "VideoPose3D (CVPR 2019)", 51.7, None, "S9, S11", "h36m-s1", "h36m-s1"),
    Published("H36M, 3D of S1", "PoseAug (CVPR 2021)", 56.7, None, "S9, S11", "h36m-s1", "h36m-s1"),
    Published("3DHP", "AdaptPose", 77.2, 53.6, _ITS_OWN, "3dhp-adaptpose", "3dhp"),
    Published("3DHP", "AdaptPose, released checkpoint", 77.1, 52.9, _ITS_OWN, "3dhp-adaptpose", "3dhp"),
    Published("3DHP", "Lifelong (AAAI 2026)", 75.3, 50.7, "AdaptPose's files", "3dhp-adaptpose", "3dhp"),
    Published("3DHP", "PoseAug, as AdaptPose measured it", 92.6, 59.0, _ITS_OWN, "3dhp-adaptpose", "3dhp"),
    Published("3DHP", "VideoPose3D, as AdaptPose measured it", 96.4, 66.5, _ITS_OWN, "3dhp-adaptpose", "3dhp"),
    Published(
        "3DHP", "DH-AUG (ECCV 2022), 27 frames", 75.4, None, f"{_VALID}, mean over mirrored input", "3dhp-valid", "3dhp"
    ),
    Published(
        "3DHP",
        "PoseDA (ICCV 2023)",
        61.3,
        None,
        f"{_VALID}, 17 joints, camera truth; knows the target's intrinsics",
        "3dhp-valid-camera",
        "3dhp",
    ),
    Published("3DHP", "AugLift with PoseAug", 62.4, None, "with depth from the image; protocol not read", "", "3dhp"),
    Published(
        "3DHP",
        "ZeDO (WACV 2024), best of 50",
        55.2,
        None,
        f"{_VALID}, 17 joints, the best of 50 answers; knows the intrinsics",
        "",
        "3dhp",
    ),
    Published("3DPW", "AdaptPose", 81.2, 46.5, "37,154 poses, 16 joints", "3dpw", "3dpw"),
    Published("3DPW", "Lifelong (AAAI 2026)", 81.7, 45.6, "AdaptPose's files", "3dpw", "3dpw"),
    Published("3DPW", "PoseAug", 94.1, 58.5, "16 joints, portrait padded", "3dpw", "3dpw"),
    Published("3DPW", "DH-AUG, 27 frames", 87.3, None, "protocol not read", "", "3dpw"),
    Published("3DPW", "PoseDA", 87.7, 55.3, "valid frames, 17 joints; knows the intrinsics", "3dpw-h36m14", "3dpw"),
    Published(
        "3DPW",
        "ZeDO, one answer",
        69.7,
        40.3,
        "17 joints; optimises every pose, knows the intrinsics",
        "3dpw-h36m14",
        "3dpw",
    ),
    Published("3DPW", "BOA (CVPR 2021)", 77.2, 49.5, "14 joints; adapts to the test set", "3dpw-h36m14", "3dpw"),
    Published("3DPW", "VIBE (CVPR 2020), without 3DPW", 93.5, 56.5, "14 joints, from images", "3dpw-h36m14", "3dpw"),
    Published("3DPW", "SPIN (ICCV 2019)", 96.9, 59.2, "14 joints, from images", "3dpw-h36m14", "3dpw"),
    Published("Ski-Pose", "AdaptPose", 99.4, 83.0, "1,716 samples, root-centred 2D", "ski", "ski"),
    Published("Ski-Pose", "PoseAug, as AdaptPose measured it", 105.4, 83.5, "1,716 samples", "ski", "ski"),
    Published("Ski-Pose", "VideoPose3D, as AdaptPose measured it", 106.0, 88.1, "1,716 samples", "ski", "ski"),
)
"""From the papers, AdaptPose's tables 1 to 4 and 9, and for DH-AUG and ZeDO's 50 from lists of results of theirs."""


def comparison(results: Results, seeds: Sequence[int], recipe: str = "paper") -> str:
    """The published results in Markdown, with ours by the nearest protocol, or what they need.

    Args:
        results: Errors of runs; may be empty.
        seeds: Seeds of ours.
        recipe: Recipe of ours.
    """
    heads = ("data set", "method", "MPJPE", "PA-MPJPE", "scored by", "nearest protocol here", "ours by it")
    rows = []
    for one in PUBLISHED:
        numbers = ("-" if value is None else f"{value:.1f}" for value in (one.mpjpe_mm, one.pa_mpjpe_mm))
        nearest = f"`{one.protocol}`" if one.protocol else "none"
        rows.append((one.data_set, one.method, *numbers, one.scored, nearest, _ours(one, results, seeds, recipe)))
    return markdown_table(heads, rows, numbers=(2, 3)) + "\n"


def _ours(one: Published, results: Results, seeds: Sequence[int], recipe: str) -> str:
    if not one.protocol:
        return "not comparable"
    found = [results.get(Job(one.experiment, recipe, seed)) for seed in seeds]
    errors = [each["chosen"][one.protocol] for each in found if each and one.protocol in each["chosen"]]
    if not errors:
        return NEEDS
    mean = (statistics.fmean(each[name] for each in errors) for name in ("mpjpe_mm", "pa_mpjpe_mm"))
    return " / ".join(f"{value:.1f}" for value in mean) + f" ({len(errors)} seeds)"
