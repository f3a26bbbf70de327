"""The constants of the method: recipes and controls. No heavy import here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

SourceTurn = Literal["none", "random", "matched"]
BoneTurn = Literal["bg1", "bg2", "bg3", "constant", "none"]
Camera = Literal["probabilistic", "deterministic", "none"]
RotationNumbers = Literal["axis-angle", "euler", "quaternion"]
HardRatioForm = Literal["printed", "band"]


@dataclass(frozen=True)
class Method:
    """The constants of AdaptPose; the defaults here are the paper's, in its notation where it has one."""

    position: Literal["learned", "aligned"] = "learned"
    """Where generated people stand: learned translation (eq. 3), or the 2D root and box size of drawn target poses."""
    source_share: float = 0.0
    """Share of the fakes that are source motion itself, put where target people stand; at 1 there is no generator."""
    source_turn: SourceTurn = "none"
    """How that share is rotated: not at all (the source's own cameras), at random, or by view matching."""
    random_turns: tuple[float, float] = (0.5, 0.1)
    """With `matched`: share that is turned at random all the same, at the start and, falling linearly, from the middle
    on. A lifter takes a view that it has never seen for one that it knows, and would never be shown it."""
    turn_deviation_deg: tuple[float, float] = (45.0, 10.0)
    """Likewise, standard deviation of the random turn that is added to matched ones."""
    source_focal: tuple[float, float] | None = None
    """Its range of focal lengths, in half image widths; the source's own if None."""
    source_bodies: float = 0.0
    """Its standard deviation of people's relative size, and of their limbs' relative lengths."""
    limb_exchange: float = 0.0
    """Share of it that gets legs, arms or the upper body of other source people."""
    target_share: float = 0.0
    """Share of it that is the target's own motion, as the lifter sees it, fitted to its 2D and turned."""
    target_lifted_at: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    """When that motion is lifted anew, as shares of the steps."""
    speeds: tuple[float, float] = (1.0, 2.5)
    """Source motion plays at these multiples of its speed: every 2nd to 5th frame of 50 Hz, for a lifter at 25 Hz."""
    adversarial_2d: float = 1.0
    """Weight of the domain discriminator in the generator's loss."""
    adversarial_3d: float = 6.0
    """Weight of the 3D discriminator in the generator's loss."""
    ranges: float = 3.0
    """Weight of the penalties on bone turns and length changes."""
    hard_ratio_form: HardRatioForm = "printed"
    """Which error ratios eq. 21 pulls to c: as printed those within c ± d, or with `band` those outside of it."""
    hard_ratio_bones: tuple[float, float, float] = (3.0, 5.0, 2.0)
    """Wanted error ratio after the bone stage: at the start, at the end (c), and the reach (d)."""
    hard_ratio_bones_weight: float = 0.01
    """Its weight. The published code has 0.1; our lifter's ratio sits near 2, and at that weight bones left the range
    that is human to reach 5."""
    hard_ratio_camera: tuple[float, float] = (6.0, 5.0)
    """Wanted error ratio after the camera stage (c) and the reach (d). The published code has 17 ± 15, for a lifter
    whose ratio sits there; ours sits near 2, and all that is 17 times as hard for it is outside the picture."""
    hard_ratio_camera_weight: float = 0.001
    """Its weight; the published code has 0.01. See hard_ratio_bones_weight."""
    selection: tuple[float, float] | None = (17.0, 16.0)
    """Generated samples with an error ratio within a ± b are kept (eq. 14); None: all of them."""
    reprojection: float = 1e-4
    """Weight of the reprojection loss of the lifted target (eq. 18); at 0 the target is not lifted at all."""
    keep_norm_statistics: bool = False
    """Whether the lifter's batch normalisation keeps the statistics it came with."""
    warm_up: float = 0.04
    """Share of the steps in which only generator and discriminators learn: 2 of the paper's 50 epochs."""
    discriminators_every: int = 2
    """Generator steps per discriminator step."""
    momentum: float = 0.0
    """Of generator's and discriminators' Adam. The paper is silent; 0.9 lets them circle the target's distribution."""
    gradient_penalty: float = 0.03
    """Weight of the penalty on the domain discriminator's slope at real samples. Not in the paper: see momentum."""
    bone_rotation: BoneTurn = "bg3"
    """BG1 to BG3 (section 4.1); `constant`: BG2's displacement, the same in every frame; or bones do not turn."""
    bone_lengths: bool = True
    """Whether the generator changes the lengths of bones (λ in eqs. 5 and 6)."""
    camera: Camera = "probabilistic"
    """Whether its rotation is drawn from a learned distribution (section 4.2); `none`: the source's cameras stay."""
    camera_rotation: RotationNumbers = "axis-angle"
    """The numbers that the camera's rotation is made of."""
    real_2d: Literal["target", "source"] = "target"
    """Whose 2D is real to the 2D discriminator: the target's (a domain discriminator), or without that the source's."""
    domain_kcs: bool = True
    """Whether the 2D discriminator has a branch for the kinematic chain matrix."""
    perturbation: bool = True
    """Whether the 3D discriminator sees real limbs turned by up to 10 degrees (figure 8)."""
    steps: int = 1500
    """Of generator and lifter."""
    batch: int = 256
    """Generated windows a step."""
    learning_rate: float = 1e-3
    """Of the generator (Adam), as all rates falling linearly to zero. The paper has 1e-4, over 75,000 steps."""
    discriminator_learning_rate: float = 1e-3
    """Of both discriminators."""
    lifter_learning_rate: float = 3e-4
    """Of the lifter."""
    average: float = 0.99
    """Decay of the running average of the lifter's weights; the average is the result."""

    @property
    def sees_target(self) -> bool:
        """Whether anything of the target is looked at."""
        placed = self.position == "aligned" or self.source_share > 0
        return placed or self.real_2d == "target" or self.reprojection > 0


RECIPES: dict[str, Method] = {
    "paper": Method(),
    "default": Method(
        position="aligned",
        source_share=1.0,
        source_turn="matched",
        source_focal=(1.3, 3.5),
        source_bodies=0.03,
        limb_exchange=1.0,
        target_share=0.4,
        speeds=(0.6, 2.0),
        keep_norm_statistics=True,
        warm_up=0.0,
        steps=8000,
        batch=128,
        lifter_learning_rate=1e-3,
        average=0.998,
    ),
}
"""`default`: what did best on splits of the benchmark's source people (benchmarks/cross_domain.py)."""


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
"""What a learned method must beat: position alignment alone, the same with source motion turned at random, and
augmentation that sees nothing of the target (PoseAug: Gong et al., CVPR 2021): one change of bones for all frames, a
deterministic camera, discriminators on the source, no selection."""
