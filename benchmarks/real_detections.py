"""Measures lifters on real detections of real people, against motion capture, before and after adaptation.

    python -m benchmarks.real_detections --data FOLDER --model fast --out OUT
    python -m benchmarks.real_detections --data FOLDER --model fast --adapt --out OUT

FOLDER has one .npz file per camera view of a take: `adapt_*` with a detector's keypoints only, `test_*` also with the
measured joints (the arrays are named below). Protocol: twelve joints (shoulders, elbows, wrists, hips, knees, ankles),
centred on the middle of the hips; every 5th frame among those with `good`; MPJPE, PA-MPJPE (each frame rotated, scaled
and moved to fit the truth) and N-MPJPE (each frame scaled), as means over frames. Frames without a detection are
missing for the lifter. The detector's own 3D is measured in the same way. --adapt first adapts each lifter to the
`adapt_` files with a recipe. The truth is not read before that is over.

It writes errors.json and errors.md to OUT: all frames together, and by camera, take and joint.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import tyro

from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from sdk.skeletons.skeleton import H36M16, find_skeleton
from training.commands.adapt import adapt
from training.evaluation.metrics import joint_errors, procrustes_aligned, scale_aligned
from training.files.array_file import read_arrays
from training.lifter.checkpoint import LifterCheckpoint, exported_metadata
from training.lifter.onnx_graphs import write_lifter_onnx
from training.settings.adapt import Adapt

EVERY = 5
JOINTS = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
HIPS = [JOINTS.index(f"{side}_hip") for side in ("left", "right")]
LEGS = [i for i, joint in enumerate(JOINTS) if joint.split("_")[1] in ("hip", "knee", "ankle")]
ARMS = [i for i in range(len(JOINTS)) if i not in LEGS]
MEASURED_AS = {"shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand", "hip": "UpLeg", "knee": "Leg", "ankle": "Foot"}
"""Names of the joints in the skeleton of the truth, after Left or Right."""
METRICS = ("MPJPE", "PA-MPJPE", "N-MPJPE")
_SEEN = ("keypoints", "image_size", "skeleton", "frame_rate_hz", "detected")
_TRUTH = ("joints_camera_m", "joint_names", "good")


@dataclass(frozen=True)
class RealDetections:
    """Measure lifters on real detections."""

    data: Path
    """Folder of adapt_*.npz and test_*.npz files, one per camera view of a take."""
    model: tuple[str, ...] = ("fast",)
    """Lifters: fast, base, feet, checkpoints (.pt), .onnx files or run folders."""
    adapt: bool = False
    """Adapt each lifter (shipped or .pt) to the adapt_ files first, and measure it before and after."""
    source: tuple[str, ...] = ("model",)
    """Source motion of the adaptation, as for adaptpose-train."""
    recipe: Literal["auto", "default", "detections", "paper"] = "auto"
    """Recipe of the adaptation, as for adaptpose-train."""
    height: float | None = None
    """Height of the person in metres that the adaptation is told, as for adaptpose-train."""
    steps: int | None = None
    """Steps of the adaptation; the recipe's own if not given."""
    constants: tuple[str, ...] = ()
    """Constants that replace those of the recipe, NAME=VALUE, as for adaptpose-train."""
    seed: int = 0
    """Seed of the adaptation."""
    threads: int = 1
    """CPU threads."""
    out: Path = Path("runs/real_detections")
    """Folder for errors.json, errors.md and the runs of adaptation."""


@dataclass(frozen=True)
class View:
    """One camera's view of a take, with truth.

    Attributes:
        take: Name of the take.
        camera: Name of the camera.
        keypoints: (T, J, 3) pixels and scores, NaN in frames without a detection.
        image_size: Width and height.
        skeleton: Skeleton of the J joints.
        frame_rate_hz: Frame rate of the video.
        frames: (N,) frames that count.
        columns: (12,) columns of `JOINTS` among the joints of the file.
        truth_m: (N, 12, 3) metres of `JOINTS`, camera axes, the middle of the hips at zero.
        detector_m: (N, 12, 3) the detector's own 3D in the same form, if there is any; NaN in frames without.
    """

    take: str
    camera: str
    keypoints: np.ndarray
    image_size: tuple[int, int]
    skeleton: str
    frame_rate_hz: float
    frames: np.ndarray
    columns: tuple[int, ...]
    truth_m: np.ndarray
    detector_m: np.ndarray | None


def read_view(path: Path) -> View:
    """Read a test_ file, called test_[PERSON_]TAKE_CAMERA.npz.

    Raises:
        BadTarget: the file is missing or damaged, or lacks a needed array.
    """
    arrays = read_arrays(path, (*_SEEN, *_TRUTH), BadTarget)
    _, _, name = path.stem.partition("_")
    take, _, camera = name.rpartition("_")
    keypoints = arrays["keypoints"].astype(np.float32)
    keypoints[~arrays["detected"]] = np.nan
    frames = np.flatnonzero(arrays["good"])
    frames = frames[frames % EVERY == 0]
    names = [str(one) for one in arrays["joint_names"]]
    try:
        columns = [names.index(side.title() + MEASURED_AS[part]) for side, part in (one.split("_") for one in JOINTS)]
    except ValueError as error:
        raise BadTarget(f"{path}: joint_names lack a joint of the protocol: {error}. They are {names}.") from error
    skeleton = find_skeleton(str(arrays["skeleton"]))
    detector = None
    with np.load(path, allow_pickle=False) as archive:
        if "detector_joints_m" in archive.files:
            of_detector = archive["detector_joints_m"].astype(np.float32)
            of_detector[~arrays["detected"]] = np.nan
            detector = centred(of_detector[frames][:, [skeleton.index(joint) for joint in JOINTS]])
    width, height = (int(side) for side in arrays["image_size"])
    return View(
        take,
        camera,
        keypoints,
        (width, height),
        skeleton.name,
        float(arrays["frame_rate_hz"]),
        frames,
        tuple(columns),
        centred(arrays["joints_camera_m"].astype(np.float32)[frames][:, columns]),
        detector,
    )


def centred(joints_m: np.ndarray) -> np.ndarray:
    """(N, 12, 3) with the middle of the hips at zero."""
    return joints_m - joints_m[:, HIPS].mean(1, keepdims=True)


def lifted_m(lifter: Lifter, view: View) -> np.ndarray:
    """(N, 12, 3) metres: the lifter's poses in the frames that count, with the middle of the hips at zero."""
    poses = lifter(view.keypoints, view.image_size, view.skeleton, view.frame_rate_hz)
    return centred(poses[view.frames][:, [H36M16.index(joint) for joint in JOINTS]])


def frame_errors_mm(predicted_m: np.ndarray, truth_m: np.ndarray) -> np.ndarray:
    """Errors of each frame and joint in each of `METRICS`: (3, N, 12) mm, from poses (N, 12, 3) in metres."""
    predicted, truth = torch.from_numpy(predicted_m).double(), torch.from_numpy(truth_m).double()
    forms = predicted, procrustes_aligned(predicted, truth), scale_aligned(predicted, truth)
    return torch.stack([joint_errors(form, truth) for form in forms]).numpy() * 1000


def summary(views: Sequence[View], errors: Sequence[np.ndarray]) -> dict[str, dict[str, float]]:
    """Mean errors over frames in mm: all together, legs and arms, and by take, camera and joint.

    Args:
        views: The views.
        errors: (3, N, 12) errors of each view. Frames with NaN are left out.

    Returns:
        For each of these names, the number of frames and the value of each metric.
    """
    kept = [one[:, np.isfinite(one).all((0, 2))] for one in errors]
    groups = {"all": list(range(len(views)))}
    for attribute in ("take", "camera"):
        for value in sorted({getattr(view, attribute) for view in views}):
            groups[value] = [i for i, view in enumerate(views) if getattr(view, attribute) == value]
    together = np.concatenate(kept, 1)
    rows = {name: np.concatenate([kept[i] for i in members], 1) for name, members in groups.items()}
    rows |= {"legs": together[:, :, LEGS], "arms": together[:, :, ARMS]}
    rows |= {joint: together[:, :, [i]] for i, joint in enumerate(JOINTS)}
    return {
        name: {"frames": row.shape[1]} | dict(zip(METRICS, row.mean((1, 2)).tolist(), strict=True))
        for name, row in rows.items()
        if row.shape[1]
    }


def measure(lifter: Lifter, views: Sequence[View]) -> dict[str, dict[str, float]]:
    """`summary` of a lifter."""
    return summary(views, [frame_errors_mm(lifted_m(lifter, view), view.truth_m) for view in views])


def measure_detector(views: Sequence[View]) -> dict[str, dict[str, float]]:
    """`summary` of the detector's own 3D, over the frames that have it; empty if none has."""
    own = [view for view in views if view.detector_m is not None]
    errors = []
    for view in own:
        assert view.detector_m is not None
        there = np.isfinite(view.detector_m).all((1, 2))
        errors.append(frame_errors_mm(view.detector_m[there], view.truth_m[there]))
    return summary(own, errors) if own else {}


def open_lifter(word: str, folder: Path) -> Lifter:
    """Open a lifter by name or file. A checkpoint is exported into the folder first."""
    if not word.endswith(".pt"):
        return Lifter(word, threads=1)
    checkpoint = LifterCheckpoint.load(Path(word))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(word).stem}.onnx"
    write_lifter_onnx(checkpoint.network, exported_metadata(checkpoint.metadata, Path(word)), path)
    return Lifter(path, threads=1)


def adapted(word: str, options: RealDetections, name: str) -> Lifter:
    """The lifter after `adaptpose-train` on the adapt_ files only."""
    target, run = options.out / "adapt_files", options.out / "runs" / name
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.data.glob("adapt_*.npz")):
        if not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)
    settings = Adapt(
        target=target, out=run, start=Path(word), source=options.source, recipe=options.recipe, height=options.height,
        steps=options.steps, constants=options.constants, seed=options.seed, threads=options.threads,
    )  # fmt: skip
    adapt(settings)
    return Lifter(run, threads=1)


def as_markdown(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """One table for all frames and body parts, and one each for takes, cameras and joints."""
    rows = list(dict.fromkeys(row for result in results.values() for row in result))
    lines = [f"| | {' | '.join(results)} |", f"|---|{'---|' * len(results)}"]
    for row in rows:
        cells = (
            " / ".join(f"{result[row][metric]:.1f}" for metric in METRICS) if row in result else ""
            for result in results.values()
        )
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return f"{' / '.join(METRICS)} in mm, mean over frames.\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write, print."""
    settings = tyro.cli(RealDetections, description=__doc__)

    def run() -> None:
        paths = sorted(settings.data.glob("test_*.npz"))
        if not paths:
            raise BadTarget(f"{settings.data} holds no test_*.npz file.")
        settings.out.mkdir(parents=True, exist_ok=True)
        lifters: dict[str, Lifter] = {}
        for word in settings.model:
            lifters[word] = open_lifter(word, settings.out)
            if settings.adapt:
                name = f"{Path(word).stem}-{settings.recipe}-{settings.seed}"
                lifters[name] = adapted(word, settings, name)
        views = [read_view(path) for path in paths]
        own = measure_detector(views)
        results = {"the detector's own 3D": own} if own else {}
        results |= {name: measure(lifter, views) for name, lifter in lifters.items()}
        options = json.loads(json.dumps(dataclasses.asdict(settings), default=str))
        (settings.out / "errors.json").write_text(json.dumps({"options": options, "errors": results}, indent=1))
        (settings.out / "errors.md").write_text(as_markdown(results))
        print(as_markdown(results))

    run_command(run)


if __name__ == "__main__":
    main()
