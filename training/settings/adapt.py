"""Settings of `adaptpose-train --target`. No heavy import here: `--help` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sdk.tracking.people_choice import PeopleChoice

MaybePath = Annotated[Path | None, tyro.conf.arg(metavar="PATH")]
MaybeText = Annotated[str | None, tyro.conf.arg(metavar="TEXT")]


MODEL, PYBULLET = "model", "pybullet"
SOURCE_WORDS = (MODEL, PYBULLET)
"""Words for sources that are no files. For a file of that name, write ./model."""


@dataclass(frozen=True)
class Adapt:
    """Adapt a lifter to the people, motions and cameras of unlabelled videos.

    Everything goes into the run folder, --out: lifter.onnx (for use), lifter.pt (to export), report.html, config.json,
    skipped.json, state.pt (for --resume), history.json and targets.npz (for --continue), target_windows.npz and
    tensorboard/. Keypoints found in videos are kept in the user's cache folder, or in $ADAPTPOSE_CACHE.
    """

    target: MaybePath = None
    """What to adapt to: folder of videos, one video, or keypoints (AlphaPose, OpenPose, MMPose, MediaPipe, Sports2D,
    DeepLabCut, npz)."""
    out: MaybePath = None
    """Run folder; runs/<name of the target> if not given."""
    resume: MaybePath = None
    """Go on with an interrupted run: its folder. All other settings come from there."""
    continued: Annotated[Path | None, tyro.conf.arg(name="continue", metavar="RUN")] = None
    """Adapt the lifter of a finished run further, to this new target. Keypoints of its earlier targets are replayed, so
    that it does not forget them. The result is a run of its own."""
    source: Annotated[tuple[str, ...], tyro.conf.arg(metavar="model|pybullet|PATH ...")] = ("model",)
    """Motion to learn from. `model`: drawn from the motion model. `pybullet`: that package's real clips. A path: a file
    or folder of real motion (npz of joint positions in metres, BVH, AMC with ASF). Of several sources, equal parts are
    used."""
    source_up: Annotated[Literal["y", "z"] | None, tyro.conf.arg(metavar="y|z")] = None
    """Axis that points up in the source files. If not given: z for npz, y for BVH and AMC."""
    source_fps: Annotated[float | None, tyro.conf.arg(metavar="FPS")] = None
    """Frames per second of source files that do not state it (npz and AMC). If not given, AMC files have 120."""
    start: MaybePath = None
    """Lifter to start from: a checkpoint (.pt), or a shipped lifter (fast, base or feet). If not given: feet where the
    target's keypoints have heels and toes, else fast."""
    detector: str = "movenet"
    """2D detector: movenet, movenet-fast, mediapipe, rtmpose-m (t, s, m, l, x), rtmw-m (m, l), rtmo-s (s, m, l),
    onnx:FILE; in mmpose itself: mmpose:rtmpose-m (and its like), mmpose:CONFIG:CHECKPOINT."""
    boxes: MaybeText = None
    """Detector that finds the people for a top-down --detector (RTMPose, RTMW). Same values as --detector, or yolox-m
    (nano, tiny, s, m, l, x)."""
    det_every: int = 1
    """With a top-down --detector: look for people in every n-th frame only. In between, follow their last poses."""
    people: Annotated[PeopleChoice, tyro.conf.arg(metavar="all|largest|central|N")] = "all"
    """Whom to adapt to: everybody, the largest or most central person, or the N largest. A track counts as a whole: it
    is taken if its person is among them in at least half of the frames with more people than that."""
    skeleton: MaybeText = None
    """Joint layout of keypoint files that do not state it."""
    image_size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="WIDTH HEIGHT")] = None
    """Width and height of the video, in pixels, for keypoint files that do not state it."""
    fps: Annotated[float | None, tyro.conf.arg(metavar="FPS")] = None
    """Frames per second of keypoint files that do not state it."""
    height: float | None = None
    """Height of the target's people in metres, from sole to crown, if it is known; one value for all of them. 2D does
    not show height. Without this value, people come out as tall as those of the source motion."""
    recipe: Literal["auto", "default", "detections", "paper"] = "auto"
    """Which recipe to use. `paper` has the paper's constants. `detections` did best on what a detector found of people
    who mostly stand, walk or sit, `default` on exact 2D. `auto` takes `detections` if the keypoints have scores other
    than 1, as detectors give them, else `default`; the run says which."""
    constants: tuple[str, ...] = ()
    """Constants that replace those of the recipe, NAME=VALUE: bone_rotation=bg1 camera=none (docs: Method)."""
    steps: int | None = None
    """Steps of adaptation; the recipe's number if not given."""
    batch: int | None = None
    """Generated windows per step; the recipe's number if not given."""
    seed: int = 0
    """Seed of all randomness. The same seed gives the same run."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""
    devices: int = 1
    """Processes on each machine, one per GPU (or CPU process); each takes an equal share of the batch. The same seed
    gives the same losses with any number of them. Several targets or seeds go faster side by side: --workers."""
    num_nodes: int = 1
    """Machines. Start the same command on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK set, or under Slurm."""
    threads: int = 0
    """CPU threads of each process; with 0, torch decides."""
    save_every: int = 100
    """Steps between saved states. --resume goes on from the last one."""
