"""A protocol: which frames of a data set are scored, against which truth, and how. No figure goes without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import H36M16

Truth = Literal["camera", "universal"]
"""`camera`: metres as measured. `universal` (3DHP only): every person scaled to one height of the skeleton."""
Frames = Literal["all", "valid"]
Windows = Literal["padded", "neighbours", "end-to-end"]
"""`padded`: windows end at cuts, the edge frame is repeated, and frames are taken at the lifter's rate. `neighbours`:
the same with neighbouring frames, whatever their rate. `end-to-end`: neighbouring frames of all sequences as one; what
has no whole window is not scored."""
Pass = Literal["plain", "flipped", "reversed", "flipped-reversed"]
"""One look at a window: as it is, mirrored left to right, backwards in time, or both. Poses of several are averaged."""
Average = Literal["frames", "actions"]
"""`frames`: the mean over all scored poses. `actions`: of each action first, then over the actions."""

THRESHOLDS_M = tuple(step * 0.005 for step in range(31))
"""0 to 150 mm in steps of 5 mm, both ends included: the thresholds of the area under the curve."""
ALL_JOINTS = H36M16.joints
FOURTEEN_JOINTS = tuple(joint for joint in H36M16.joints if joint not in ("pelvis", "spine"))
"""Head top, neck, arms and legs: the joints of 3DHP's own PCK."""


@dataclass(frozen=True)
class Protocol:
    """How a lifter is scored on a data set.

    Attributes:
        name: Stands beside every figure.
        about: One sentence: whose protocol it is, and what sets it apart.
        dataset: Name of the data set.
        split: Which part of it is scored.
        poses: Number of poses on the whole data set, where it is published. End to end, those without a whole window
            are among them and not scored.
        truth: What is compared with.
        joint_orders: Joint orders that the prepared data may have, where a data set comes in several definitions of
            its joints; empty: any.
        frames: Which frames are scored. Windows hold all frames in any case.
        skipped: Frames that are left out at the beginning of a sequence, by the sequence's name.
        normalisation: Normalisation that a lifter must take its keypoints in.
        windows: How windows are cut.
        cut_at_invalid: Whether windows end at invalid frames too, because their 2D is none.
        passes: Looks at a window whose poses are averaged.
        torso_m: Mean distance of pelvis and thorax that the poses of each batch are scaled to; None: poses stay as the
            lifter gives them.
        batch: Poses that are scaled together.
        scored: Joints whose errors count, all root-relative.
        pck_joints: Joints of PCK and AUC.
        pck_threshold_m: A joint nearer than this is correct.
        auc_thresholds_m: Thresholds over which PCK is averaged.
        average: Over what errors are averaged.
        root: The joint that is put at zero.
    """

    name: str
    about: str
    dataset: str
    split: str = "test"
    poses: int | None = None
    truth: Truth = "camera"
    joint_orders: tuple[str, ...] = ()
    frames: Frames = "all"
    skipped: Mapping[str, int] = field(default_factory=dict)
    normalisation: Normalisation = "screen"
    windows: Windows = "padded"
    cut_at_invalid: bool = False
    passes: tuple[Pass, ...] = ("plain",)
    torso_m: float | None = None
    batch: int = 1024
    scored: tuple[str, ...] = ALL_JOINTS
    pck_joints: tuple[str, ...] = ALL_JOINTS
    pck_threshold_m: float = 0.15
    auc_thresholds_m: tuple[float, ...] = THRESHOLDS_M
    average: Average = "frames"
    root: str = "pelvis"


@dataclass(frozen=True)
class ProtocolErrors:
    """Errors by a protocol.

    Attributes:
        protocol: Name of the protocol.
        poses: Number of scored poses.
        expected: Number of poses on the whole data set, where it is published. Another number is another protocol.
        mpjpe_mm: Mean distance per joint, root-relative (protocol 1).
        pa_mpjpe_mm: After rigid alignment with scale of each pose (protocol 2).
        n_mpjpe_mm: After scaling each pose.
        pck_percent: Share of joints within the protocol's threshold.
        auc_percent: Mean of that share over the protocol's thresholds.
    """

    protocol: str
    poses: int
    expected: int | None
    mpjpe_mm: float
    pa_mpjpe_mm: float
    n_mpjpe_mm: float
    pck_percent: float
    auc_percent: float

    @property
    def complete(self) -> bool:
        """Whether as many poses were scored as the published protocol has."""
        return self.expected in (None, self.poses)
