"""The constants of the method: recipes and controls. No heavy import here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

SourceTurn = Literal["none", "random", "matched", "upright"]
BoneTurn = Literal["bg1", "bg2", "bg3", "constant", "none"]
Camera = Literal["probabilistic", "deterministic", "none"]
RotationNumbers = Literal["axis-angle", "euler", "quaternion"]
HardRatioForm = Literal["printed", "band"]


@dataclass(frozen=True)
class Method:
    """The constants of AdaptPose. The defaults are the paper's, in its notation where it has one."""

    position: Literal["learned", "aligned"] = "learned"
    """Where generated people stand. `learned`: learned translation (eq. 3). `aligned`: at the 2D root and box size of
    drawn target poses."""
    source_share: float = 0.0
    """Share of the fakes that are real source motion, placed where target people stand. At 1 there is no generator."""
    source_turn: SourceTurn = "none"
    """How this source motion is rotated: `none` (the source's own cameras), `random`, `matched` (view matching), or
    `upright` (view matching about one vertical per target track; needs source_share 1)."""
    random_turns: tuple[float, float] = (0.5, 0.1)
    """With source_turn `matched` or `upright`: share of windows that are rotated at random instead. Two values: at the
    start, and from half of the steps on; it falls linearly in between. Why: a lifter mistakes a view that it has never
    seen for one that it knows, so view matching alone would never show it that view."""
    turn_deviation_deg: tuple[float, float] = (45.0, 10.0)
    """With source_turn `matched`: standard deviation of the random rotation that is added to view matching, in degrees.
    With `upright`: of the rotation about the vertical. Two values, as in random_turns."""
    tilt_deviation_deg: tuple[float, float] = (15.0, 5.0)
    """With source_turn `upright`: standard deviation of the random rotation about each axis, in degrees, because no
    vertical is found without error. Two values, as in random_turns."""
    source_focal: tuple[float, float] | None = None
    """Range of focal lengths for source motion, in half image widths; the source's own if None."""
    source_bodies: float = 0.0
    """Standard deviation of source people's relative size, and of the relative lengths of their limbs."""
    limb_exchange: float = 0.0
    """Limb swap: share of source windows that get legs, arms or the upper body of other source people."""
    target_share: float = 0.0
    """Share of source windows that are replaced by the target's own motion: lifted, fitted to its 2D, and rotated."""
    target_lifted_at: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    """When the target's own motion is lifted again, as shares of the steps."""
    fit_reprojection: float = 100.0
    """Weight of the 2D in the fit of the target's own motion, where the lifted pose has 1: squared distances relative
    to the person's size, against squared metres. For exact 2D it is high. What detectors say is off by 3 to 5% of the
    person's height (docs/benchmarks/real_detections.md), lifted joints by some 7 cm: equally likely errors of both
    weigh the same at about 3."""
    several_views: float = 0.0
    """Of the target windows whose person other videos show at the same moment, the share that the lifter sees as they
    are, and learns the pose that all these videos tell. See `training.matching.several_views`."""
    detector_errors: float = 0.0
    """Without a generator: what the lifter learns from is seen as the target's detector would see it. So much of the
    distance between the target's keypoints and the projection of its fitted motion is added to projected source
    motion, window by window. 1 copies the errors as they show, 0 adds none."""
    calibrated_spread: bool = False
    """Of a lifter that tells how sure it is: whether what it tells is made true of held-out source motion, as the
    target's cameras see it. Where the target's 2D is exact, that stands for the target. What a detector says is wrong
    in ways that no made-up 2D is: there the lifter would tell too narrow a spread."""
    mirrored_teacher: bool = False
    """Whether target poses are the mean of the lifter's answer and its mirrored answer to the mirrored 2D."""
    speeds: tuple[float, float] = (1.0, 2.5)
    """Lowest and highest speed at which source motion is played, relative to its own. For a lifter at 25 Hz this is
    every 2nd to 5th frame of 50 Hz."""
    adversarial_2d: float = 1.0
    """Weight of the domain discriminator in the generator's loss."""
    adversarial_3d: float = 6.0
    """Weight of the 3D discriminator in the generator's loss."""
    ranges: float = 3.0
    """Weight of the penalties on bone rotations and length changes."""
    hard_ratio_form: HardRatioForm = "printed"
    """Which error ratios eq. 21 pulls to c. `printed`: those within c ± d. `band`: those outside c ± d, as the
    published code does; with its constants it is worse here (docs/benchmarks/adaptation.md)."""
    hard_ratio_bones: tuple[float, float, float] = (3.0, 5.0, 2.0)
    """Wanted error ratio after the bone stage: c at the start, c at the end, and the reach d."""
    hard_ratio_bones_weight: float = 0.01
    """Weight of the feedback after the bone stage. The published code has 0.1. Our lifter's ratio is near 2: with 0.1,
    bones left the human range to reach 5."""
    hard_ratio_camera: tuple[float, float] = (6.0, 5.0)
    """Wanted error ratio c after the camera stage, and the reach d. The published code has 17 ± 15, with the band. Our
    lifter's ratio is near 2: only people outside the image are 17 times as hard for it."""
    hard_ratio_camera_weight: float = 0.001
    """Weight of the feedback after the camera stage. The published code has 0.01. See hard_ratio_bones_weight."""
    selection: tuple[float, float] | None = (17.0, 16.0)
    """Selection (eq. 14): a and b. Generated samples with an error ratio within a ± b are kept. None keeps all."""
    reprojection: float = 1e-4
    """Weight of the reprojection loss of the lifted target (eq. 18). At 0, training does not lift it."""
    keep_norm_statistics: bool = False
    """Whether the lifter's batch normalisation keeps the statistics that it had before adaptation."""
    warm_up: float = 0.04
    """Share of the steps in which only generator and discriminators learn: 2 of the paper's 50 epochs."""
    discriminators_every: int = 2
    """Generator steps per discriminator step."""
    momentum: float = 0.0
    """Momentum of Adam for generator and discriminators. The paper does not give it. With 0.9 they circle round the
    target's distribution."""
    gradient_penalty: float = 0.03
    """Weight of the penalty on the domain discriminator's gradient at real samples. Not in the paper; against circling,
    see momentum."""
    bone_rotation: BoneTurn = "bg3"
    """How the generator rotates bones: BG1 to BG3 (section 4.1); `constant`: BG2's displacement, the same in every
    frame; `none`: bones are not rotated."""
    bone_lengths: bool = True
    """Whether the generator changes the lengths of bones (λ in eqs. 5 and 6)."""
    camera: Camera = "probabilistic"
    """The generator's camera: whether its rotation is drawn from a learned distribution (section 4.2). `none`: the
    source's cameras stay."""
    camera_rotation: RotationNumbers = "axis-angle"
    """How the camera's rotation is written in numbers."""
    real_2d: Literal["target", "source"] = "target"
    """Whose 2D counts as real for the 2D discriminator: the target's (domain discriminator) or the source's."""
    domain_kcs: bool = True
    """Whether the 2D discriminator has a branch for the kinematic chain matrix."""
    perturbation: bool = True
    """Whether the 3D discriminator sees real limbs rotated by up to 10 degrees (figure 8)."""
    steps: int = 1500
    """Training steps of generator and lifter."""
    batch: int = 256
    """Generated windows per step."""
    learning_rate: float = 1e-3
    """Learning rate of the generator (Adam). All learning rates fall linearly to zero. The paper has 1e-4, over 75,000
    steps."""
    discriminator_learning_rate: float = 1e-3
    """Learning rate of both discriminators."""
    lifter_learning_rate: float = 3e-4
    """Learning rate of the lifter."""
    average: float = 0.99
    """Decay of the running average of the lifter's weights; the average is the result."""

    @property
    def sees_target(self) -> bool:
        """Whether anything of the target is used."""
        placed = self.position == "aligned" or self.source_share > 0
        return placed or self.real_2d == "target" or self.reprojection > 0


_DEFAULT = Method(
    position="aligned",
    source_share=1.0,
    source_turn="matched",
    source_focal=(1.3, 3.5),
    source_bodies=0.03,
    limb_exchange=1.0,
    target_share=0.4,
    calibrated_spread=True,
    speeds=(0.6, 2.0),
    keep_norm_statistics=True,
    warm_up=0.0,
    steps=8000,
    batch=128,
    lifter_learning_rate=1e-3,
    average=0.998,
)

RECIPES: dict[str, Method] = {
    "paper": Method(),
    "default": _DEFAULT,
    "detections": dataclasses.replace(
        _DEFAULT, source_turn="upright", fit_reprojection=3.0, mirrored_teacher=True, detector_errors=1.0,
        calibrated_spread=False, several_views=0.5, target_lifted_at=(0.0, 0.2, 0.4, 0.6, 0.8), steps=1200,
        lifter_learning_rate=5e-4,
    ),
}  # fmt: skip
"""`default` did best on splits of the benchmark's source people (benchmarks/cross_domain.py), whose 2D is exact.
`detections` is for what a detector found (docs/benchmarks/real_detections.md). Its steps and rate are those of its
first measurement, not the best ones."""


_MOVED = Method(
    position="aligned", source_share=1.0, keep_norm_statistics=True, warm_up=0.0, steps=4000,
    lifter_learning_rate=1e-3, average=0.998,
)  # fmt: skip


CONTROLS: dict[str, Method] = {
    "alignment": _MOVED,
    "random-alignment": dataclasses.replace(_MOVED, source_turn="random"),
    "poseaug": Method(
        bone_rotation="constant", camera="deterministic", real_2d="source", domain_kcs=False, perturbation=False,
        selection=None, reprojection=0.0,
    ),
}  # fmt: skip
"""Simple methods that a learned one must beat: position alignment alone; the same with source motion rotated at random;
and augmentation that sees nothing of the target (PoseAug: Gong et al., CVPR 2021), with one change of bones for all
frames, a deterministic camera, discriminators on the source, no selection."""
