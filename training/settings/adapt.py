"""Settings of `adaptpose-train --target`. No heavy import here: `--help` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

MaybePath = Annotated[Path | None, tyro.conf.arg(metavar="PATH")]
MaybeText = Annotated[str | None, tyro.conf.arg(metavar="TEXT")]


MODEL, PYBULLET = "model", "pybullet"
SOURCE_WORDS = (MODEL, PYBULLET)
"""What a source can be beside files; a file of such a name is reached as ./model."""


@dataclass(frozen=True)
class Adapt:
    """Adapt a lifter to the people, motions and cameras of unlabelled videos."""

    target: MaybePath = None
    """Folder of videos, one video, or keypoints (AlphaPose, OpenPose, MMPose, MediaPipe, Sports2D, DeepLabCut, npz)."""
    out: MaybePath = None
    """Run folder; runs/<name of the target> if not given."""
    resume: MaybePath = None
    """Go on with an interrupted run: its folder. All other settings come from there."""
    source: Annotated[tuple[str, ...], tyro.conf.arg(metavar="model|pybullet|PATH ...")] = ("model",)
    """Motion to learn from: `model` draws it from the motion model, `pybullet` takes that package's real clips, a
    path is a file or folder of real motion (npz of joint positions in metres, BVH, AMC with ASF); of several, as much
    of each."""
    source_up: Annotated[Literal["y", "z"] | None, tyro.conf.arg(metavar="y|z")] = None
    """Axis that points up in the source files; z for npz, and y for BVH and AMC, if not given."""
    source_fps: Annotated[float | None, tyro.conf.arg(metavar="FPS")] = None
    """Frames per second of source files that do not say it: npz, and AMC, which is taken to have 120 if not given."""
    start: MaybePath = None
    """Lifter to start from: a checkpoint (.pt), or a shipped one: fast or base; fast if not given."""
    detector: str = "mediapipe"
    """2D detector: mediapipe, rtmpose-m (t, s, m, l), rtmo-s, onnx:FILE, or mmpose:CONFIG:CHECKPOINT."""
    boxes: MaybeText = None
    """Detector that finds the people for a top-down model (RTMPose), in the same words."""
    det_every: int = 1
    """Look for people in every n-th picture only, and round their last poses in between (a top-down --detector)."""
    skeleton: MaybeText = None
    """Joint layout of keypoint files, where they do not say it."""
    image_size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="WIDTH HEIGHT")] = None
    """Width and height of the pictures that keypoint files were found in, where they do not say it."""
    fps: Annotated[float | None, tyro.conf.arg(metavar="FPS")] = None
    """Frames per second of keypoint files, where they do not say it."""
    height: float | None = None
    """The people's height in metres from sole to crown, if it is known, one for all of the target: 2D does not hold
    it, and the adapted lifter's people come out as tall as its source motion's without."""
    recipe: Literal["default", "paper"] = "default"
    """Constants of the method: the paper's, or those that we found to be better."""
    constants: tuple[str, ...] = ()
    """Constants in place of the recipe's, NAME=VALUE: bone_rotation=bg1 camera=none (docs: Method)."""
    steps: int | None = None
    """Steps of adaptation; the recipe's own if not given."""
    batch: int | None = None
    """Generated windows a step; the recipe's own if not given."""
    seed: int = 0
    """The same seed gives the same run."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""
    threads: int = 0
    """CPU threads; 0 leaves it to torch."""
    save_every: int = 100
    """Steps between saved states, from which --resume goes on."""
