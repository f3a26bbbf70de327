"""The paper's experiments: source, target, test, and the protocols that its figures may be of (section 6)."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.protocols.human36m import SOURCE_SUBJECT, TARGET_SUBJECTS


@dataclass(frozen=True)
class Part:
    """Part of a data set.

    Attributes:
        data_set: Its name: h36m, 3dhp, 3dpw or ski.
        split: Which split.
        subjects: Whose sequences; None: everybody's.
    """

    data_set: str
    split: str
    subjects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Experiment:
    """Adapting a lifter from a source to a target.

    Attributes:
        name: Part of the names of its runs.
        source: 3D with its own cameras.
        target: 2D only; its labels are not read.
        protocols: How lifters are scored. The paper's figures are of the first.
        filter_widths: Of the lifter: 27 frames, or 1.
        normalisation: Of the lifter's keypoints.
        detected: Whether target and test have detected 2D in place of the true.
    """

    name: str
    source: Part
    target: Part
    protocols: tuple[str, ...]
    filter_widths: tuple[int, ...] = (3, 3, 3)
    normalisation: Normalisation = "screen"
    detected: bool = False


_H36M = Part("h36m", "train")
_3DHP = Part("3dhp", "train")
_OF_3DHP = ("3dhp-adaptpose", "3dhp", "3dhp-valid", "3dhp-valid-camera")
_SINGLE = (1, 1, 1)

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "h36m-s1",
            Part("h36m", "train", (SOURCE_SUBJECT,)),
            Part("h36m", "train", TARGET_SUBJECTS),
            ("h36m-s1",),
        ),
        Experiment("3dhp", _H36M, _3DHP, _OF_3DHP),
        Experiment("3dhp-1-frame", _H36M, _3DHP, _OF_3DHP, _SINGLE),
        Experiment("3dhp-detected", _H36M, _3DHP, _OF_3DHP, detected=True),
        Experiment("3dpw", _H36M, Part("3dpw", "train"), ("3dpw", "3dpw-h36m14")),
        Experiment("ski", _H36M, Part("ski", "train"), ("ski",), _SINGLE, "root-centred"),
    )
}
