"""Measures what a lifter tells beside 16 joints: feet, which way is up, how sure it is, which feet stand.

    python -m benchmarks.feet --model benchmarks/held_out/feet.pt --clips CLIPS.npz --feet FEET.npz --test TEST.npz
    python -m benchmarks.feet --model feet --real FOLDER

The test file of the cross-domain benchmark has 16 joints of people who were left out. Their feet are those of the
clips, turned and moved as the other joints were; 2D of feet is their projection. Every 5th frame. Real detections
(benchmarks/real_detections.py) have no truth of feet: there, up is measured against the calibration, and how sure the
lifter is against its own errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from benchmarks.real_detections import HIPS, JOINTS, read_view
from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.windows import prepare_keypoints, sample_windows
from sdk.skeletons.skeleton import H36M16
from training.evaluation.metrics import procrustes_aligned
from training.files.array_file import read_arrays
from training.lifter.checkpoint import LifterCheckpoint, exported_metadata
from training.lifter.feet_head import ANKLES, BODY, FEET
from training.lifter.onnx_graphs import write_lifter_onnx
from training.motion.feet import with_feet
from training.motion.ground_contact import ground_contact
from training.motion.readers.motion import load_motion

EVERY = 5
_SAME_M = 2e-3


@dataclass(frozen=True)
class Feet:
    """Measure feet, up, spread and contact."""

    model: str = "feet"
    """A lifter that tells more: shipped, a run folder, .onnx or .pt."""
    clips: Path | None = None
    """Motion of the benchmark's people."""
    feet: Path | None = None
    """Feet of the same clips."""
    test: Path | None = None
    """The labelled test file of the benchmark."""
    real: Path | None = None
    """Folder of real detections with truth."""
    out: Path | None = None
    """JSON file for the numbers."""


@dataclass(frozen=True)
class Truth:
    """One sequence with feet.

    Attributes:
        keypoints: (T, 20, 2) normalised image coordinates.
        pose_m: (T, 20, 3) root-relative, camera axes.
        up: (3,) camera axes.
        contact: (T, 4) which joints of the feet stand.
        root_m: (T, 3) the pelvis in camera axes.
        focal: Focal length in half image widths.
        frame_rate_hz: Of the frames.
    """

    keypoints: np.ndarray
    pose_m: np.ndarray
    up: np.ndarray
    contact: np.ndarray
    root_m: np.ndarray
    focal: float
    frame_rate_hz: float


def sequences_with_feet(clips: Path, feet: Path, test: Path) -> list[Truth]:
    """The sequences of the test file whose clip is found, with the feet of the clip.

    Raises:
        BadTarget: a file is damaged, or a sequence is not part of its clip.
    """
    wanted = ("keypoints", "joints_camera_m", "start", "length", "clip", "frame_rate_hz", "focal")
    arrays = read_arrays(test, wanted, BadTarget)
    library = {clip.name: clip for clip in with_feet(load_motion(clips), feet)}
    result = []
    for i, (start, length) in enumerate(zip(arrays["start"], arrays["length"], strict=True)):
        clip = library[str(arrays["clip"][i])]
        step = round(clip.frame_rate_hz / float(arrays["frame_rate_hz"]))
        world = clip.joints_world_m[::step].astype(np.float64)
        joints = arrays["joints_camera_m"][start : start + length].astype(np.float64)
        first = _frame_of(joints[0], world)
        world = world[first : first + length]
        rotation, shift = _registration(world[:, :BODY].reshape(-1, 3), joints.reshape(-1, 3))
        whole = world @ rotation.T + shift
        if np.abs(whole[:, :BODY] - joints).max() > _SAME_M:
            raise BadTarget(f"{test}: sequence {i} is not part of clip {clip.name}.")
        keypoints = arrays["keypoints"][start : start + length]
        seen = whole[:, FEET, :2] / whole[:, FEET, 2:] * float(arrays["focal"][i])
        contact = ground_contact(clip)[::step][first : first + length]
        result.append(
            Truth(
                np.concatenate([keypoints, seen], 1).astype(np.float32),
                (whole - whole[:, :1]).astype(np.float32),
                rotation[:, 2],
                contact,
                whole[:, 0].astype(np.float32),
                float(arrays["focal"][i]),
                float(arrays["frame_rate_hz"]),
            )
        )
    return result


def _frame_of(pose: np.ndarray, world: np.ndarray) -> int:
    """The frame of a clip in which the joints have the same distances from each other."""

    def distances(joints: np.ndarray) -> np.ndarray:
        return np.linalg.norm(joints[..., :, None, :] - joints[..., None, :, :], axis=-1)

    return int(np.abs(distances(world[:, :BODY]) - distances(pose)).mean((1, 2)).argmin())


def _registration(points: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and shift (Kabsch) that take points (N, 3) to others."""
    middle, goal = points.mean(0), wanted.mean(0)
    u, _, vt = np.linalg.svd((wanted - goal).T @ (points - middle))
    rotation = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return rotation, goal - rotation @ middle


def answers_on_benchmark(lifter: Lifter, sequences: list[Truth], *, feet_seen: bool) -> list[PoseAnswer]:
    """What a lifter says of every fifth frame of each sequence."""
    answers = []
    for one in sequences:
        keypoints = one.keypoints.copy()
        if not feet_seen:
            keypoints[:, FEET] = np.nan
        times = np.arange(len(keypoints)) / lifter.metadata.frame_rate_hz
        windows = sample_windows(keypoints, times, times[::EVERY], lifter.metadata)
        answers.append(lifter.form.unpacked(lifter.answer_windows(windows)))
    return answers


def measure_benchmark(lifter: Lifter, sequences: list[Truth], *, feet_seen: bool) -> dict[str, float]:
    """Errors over all sequences, once with the feet in the input and once without."""
    answers = answers_on_benchmark(lifter, sequences, feet_seen=feet_seen)
    joints = np.concatenate([one.joints_m for one in answers])
    truth = np.concatenate([one.pose_m[::EVERY] for one in sequences])
    error = joints - truth
    to_ankle = np.linalg.norm(error[:, FEET] - error[:, ANKLES], axis=-1)
    soles = (each[:, FEET[1::2]] - each[:, FEET[::2]] for each in (joints, truth))
    contact = np.concatenate([one.contact[::EVERY] for one in sequences])
    told = np.concatenate([_known(one.contact) for one in answers])
    values = _body(joints[:, :BODY], truth[:, :BODY])
    values |= {
        "heel and toe mm": float(np.linalg.norm(error[:, FEET], axis=-1).mean() * 1000),
        "heel and toe to ankle mm": float(to_ankle.mean() * 1000),
        "foot direction deg": float(np.median(_angles_deg(*soles))),
        "contact right": float(((told > 0.5) == contact).mean()),
    }
    ups = [_mean_up_error(_known(one.up), each.up) for one, each in zip(answers, sequences, strict=True)]
    values["up deg, median over sequences"] = float(np.median(ups))
    return values | _spread(error[:, 1:BODY], np.concatenate([_known(one.deviations_m) for one in answers])[:, 1:BODY])


@dataclass(frozen=True)
class RealAnswers:
    """What a lifter says of real detections, beside the truth.

    Attributes:
        poses_m: (N, 12, 3) joints of the protocol, centred on the hips.
        truths_m: (N, 12, 3) the truth.
        deviations_m: (N, 12, 3) told.
        up_errors_deg: Of each video.
    """

    poses_m: np.ndarray
    truths_m: np.ndarray
    deviations_m: np.ndarray
    up_errors_deg: list[float]


def answers_on_real(lifter: Lifter, folder: Path) -> RealAnswers:
    """What a lifter says of all `test_` files of a folder of real detections."""
    columns = [H36M16.index(joint) for joint in JOINTS]
    deviations, ups, poses, truths = [], [], [], []
    for path in sorted(folder.glob("test_*.npz")):
        view = read_view(path)
        prepared = prepare_keypoints(
            view.keypoints, view.image_size, view.skeleton, lifter.metadata, lifter.missing_below
        )
        answer, _ = lifter.answer_prepared(prepared, np.arange(len(prepared)) / view.frame_rate_hz)
        joints = answer.joints_m[view.frames][:, columns]
        joints = joints - joints[:, HIPS].mean(1, keepdims=True)
        kept = np.isfinite(joints).all((1, 2))
        deviations.append(_known(answer.deviations_m)[view.frames][:, columns][kept])
        poses.append(joints[kept])
        truths.append(view.truth_m[kept])
        rotation = np.load(path, allow_pickle=False)["rotation_world_to_camera"]
        # The world's vertical is the axis that points up in the image of an upright camera.
        up = min((sign * rotation[:, axis] for axis in range(3) for sign in (1, -1)), key=lambda one: one[1])
        ups.append(_mean_up_error(_known(answer.up)[view.frames][kept], up))
    return RealAnswers(np.concatenate(poses), np.concatenate(truths), np.concatenate(deviations), ups)


LIMBS = [i for i, joint in enumerate(JOINTS) if "hip" not in joint]
"""Joints of the protocol whose spread is measured: poses are centred on the hips."""


def measure_real(lifter: Lifter, folder: Path) -> dict[str, float]:
    """Errors on real detections."""
    said = answers_on_real(lifter, folder)
    values = _body(said.poses_m, said.truths_m)
    values |= {
        "up deg, median over videos": float(np.median(said.up_errors_deg)),
        "up deg, largest": float(np.max(said.up_errors_deg)),
    }
    return values | _spread((said.poses_m - said.truths_m)[:, LIMBS], said.deviations_m[:, LIMBS])


def _known(values: np.ndarray | None) -> np.ndarray:
    assert values is not None
    return values


def _body(joints: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    aligned = procrustes_aligned(torch.from_numpy(joints).double(), torch.from_numpy(truth).double()).numpy()
    return {
        "MPJPE mm": float(np.linalg.norm(joints - truth, axis=-1).mean() * 1000),
        "PA-MPJPE mm": float(np.linalg.norm(aligned - truth, axis=-1).mean() * 1000),
    }


def _angles_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _mean_up_error(ups: np.ndarray, truth: np.ndarray) -> float:
    """Degrees between the median direction of a sequence and the truth."""
    usual = np.median(ups, axis=0)
    return float(_angles_deg(usual, truth))


def _spread(error: np.ndarray, deviation: np.ndarray) -> dict[str, float]:
    """Coverage of each coordinate, and the error that is left when the least sure frames are left out."""
    far = np.abs(error / deviation)
    distance, unsure = np.linalg.norm(error, axis=-1).mean(1), np.linalg.norm(deviation, axis=-1).mean(1)
    order = np.argsort(unsure)
    values = {"within 1 deviation": float((far < 1).mean()), "within 2 deviations": float((far < 2).mean())}
    for left_out in (0.0, 0.1, 0.2, 0.5):
        kept = order[: round(len(order) * (1 - left_out))]
        values[f"mm without the least sure {left_out:.0%}"] = float(distance[kept].mean() * 1000)
    return values


def open_lifter(model: str, folder: Path) -> Lifter:
    """The lifter of a name, or of a checkpoint, which is exported into a folder."""
    if not model.endswith(".pt"):
        return Lifter(model)
    checkpoint = LifterCheckpoint.load(Path(model))
    path = folder / "lifter.onnx"
    write_lifter_onnx(checkpoint.network, exported_metadata(checkpoint.metadata, Path(model)), path)
    return Lifter(path)


def main() -> None:
    """Measure and print."""
    settings = tyro.cli(Feet, description=__doc__)

    def run() -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            lifter = open_lifter(settings.model, Path(folder))
        rows: dict[str, dict[str, float]] = {}
        if settings.clips and settings.feet and settings.test:
            sequences = sequences_with_feet(settings.clips, settings.feet, settings.test)
            for name, seen in (("feet seen", True), ("feet not seen", False)):
                rows[name] = measure_benchmark(lifter, sequences, feet_seen=seen)
        if settings.real:
            rows["real detections"] = measure_real(lifter, settings.real)
        for name, values in rows.items():
            print(name)
            for what, value in values.items():
                print(f"  {what}: {value:.3g}" if value < 1 else f"  {what}: {value:.1f}")
        if settings.out:
            settings.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")

    run_command(run)


if __name__ == "__main__":
    main()
