"""Splits the error on real detections into parts: each part in turn is replaced by the truth.

    python -m benchmarks.real_error_budget --data FOLDER --model fast runs/adapted --out OUT

Replaced in the lifter's 2D: joints with low scores are dropped; the twelve limb joints are projected from the truth and
go through the table of the detector's skeleton; the truth is used as H36M-16. Replaced in its 3D from real detections:
the size in each video, the lengths of all bones, the rotation of each video, the rotation of each frame. Data and
protocol are those of `real_detections`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch
import tyro

from benchmarks.real_detections import HIPS, JOINTS, View, centred, frame_errors_mm, lifted_m, open_lifter, read_view
from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from sdk.skeletons.joint_conversion import SPINE_FRACTION
from sdk.skeletons.skeleton import H36M16, find_skeleton
from training.files.array_file import read_arrays

LOW_SCORE = 0.1
HEAD_ABOVE_SHOULDERS = 0.228 / 0.84
"""Distance from the middle of the shoulders to the head joint, as in the source motion. Unit: length of thigh and shin.
"""
_SHOULDERS = [JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
_BONES = tuple(
    (JOINTS.index(f"{side}_{a}"), JOINTS.index(f"{side}_{b}"))
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)


@dataclass(frozen=True)
class ErrorBudget:
    """Split the error of lifters on real detections."""

    data: Path
    """Folder of test_*.npz files."""
    model: tuple[str, ...] = ("fast",)
    """Lifters, as for real_detections."""
    out: Path = Path("runs/real_error_budget")
    """Folder for budget.json and budget.md."""


@dataclass(frozen=True)
class Truth:
    """The truth in all frames of a view.

    Attributes:
        joints_m: (T, 12, 3) metres of `JOINTS` in camera axes.
        neck_to_head: (T, 3) vector in metres.
        camera_matrix: (3, 3) intrinsics in pixels.
    """

    joints_m: np.ndarray
    neck_to_head: np.ndarray
    camera_matrix: np.ndarray

    def pixels(self, joints_m: np.ndarray) -> np.ndarray:
        """(T, J, 3) metres in camera axes to (T, J, 2) pixels."""
        seen = joints_m @ self.camera_matrix.T
        return (seen[..., :2] / seen[..., 2:]).astype(np.float32)


def read_truth(path: Path, view: View) -> Truth:
    """The truth of a test_ file in all its frames."""
    arrays = read_arrays(path, ("joints_camera_m", "joint_names", "camera_matrix"), BadTarget)
    names = [str(one) for one in arrays["joint_names"]]
    joints = arrays["joints_camera_m"].astype(np.float64)
    head = joints[:, names.index("Head")] - joints[:, names.index("Neck")]
    return Truth(joints[:, list(view.columns)], head, arrays["camera_matrix"])


def as_h36m16(truth: Truth) -> np.ndarray:
    """(T, 16, 3) metres: the twelve joints, their middles, and a head along the neck at the source motion's height."""
    joints = truth.joints_m
    result = np.zeros((len(joints), len(H36M16), 3))
    for i, joint in enumerate(JOINTS):
        result[:, H36M16.index(joint)] = joints[:, i]
    pelvis, thorax = joints[:, HIPS].mean(1), joints[:, _SHOULDERS].mean(1)
    legs = np.mean([np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in _legs()]) * 2
    up = truth.neck_to_head / np.linalg.norm(truth.neck_to_head, axis=-1, keepdims=True)
    result[:, H36M16.index("pelvis")] = pelvis
    result[:, H36M16.index("thorax")] = thorax
    result[:, H36M16.index("spine")] = pelvis + SPINE_FRACTION * (thorax - pelvis)
    result[:, H36M16.index("head")] = thorax + HEAD_ABOVE_SHOULDERS * legs * up
    return result


def _legs() -> list[tuple[int, int]]:
    return [bone for bone in _BONES if JOINTS[bone[1]].split("_")[1] in ("knee", "ankle")]


def inputs(view: View, truth: Truth) -> dict[str, tuple[np.ndarray, str]]:
    """Keypoints (T, J, 3) and their skeleton, by the name of the replaced part."""
    low = view.keypoints.copy()
    low[low[..., 2] < LOW_SCORE] = np.nan
    limbs, skeleton = view.keypoints.copy(), find_skeleton(view.skeleton)
    seen = np.isfinite(limbs).all((1, 2))
    limbs[:, [skeleton.index(joint) for joint in JOINTS], :2] = truth.pixels(truth.joints_m)
    limbs[:, [skeleton.index(joint) for joint in JOINTS], 2] = 1
    limbs[~seen] = np.nan
    exact = truth.pixels(as_h36m16(truth))
    whole = np.concatenate([exact, np.ones_like(exact[..., :1])], -1)
    return {
        "real detections": (view.keypoints, view.skeleton),
        f"without joints scored under {LOW_SCORE}": (low, view.skeleton),
        "the limbs' joints exact, through the table": (limbs, view.skeleton),
        "exact as H36M-16": (whole, "h36m16"),
    }


def corrected(poses_m: np.ndarray, truth_m: np.ndarray) -> dict[str, np.ndarray]:
    """Poses of one video with one part replaced by the truth.

    Args:
        poses_m: (N, 12, 3) lifted poses, the middle of the hips at zero.
        truth_m: (N, 12, 3) true poses in the same form.

    Returns:
        (N, 12, 3) for each part.
    """
    size = (poses_m * truth_m).sum() / (poses_m**2).sum()
    whole = _turned(poses_m.reshape(1, -1, 3), truth_m.reshape(1, -1, 3)).reshape(poses_m.shape)
    return {
        "one size per video": poses_m * size,
        "the true lengths of bones": with_lengths(poses_m, truth_m),
        "one rotation per video": whole,
        "one rotation per frame": _turned(poses_m, truth_m),
        "one rotation per frame, the true lengths of bones": _turned(with_lengths(poses_m, truth_m), truth_m),
    }


def _turned(poses_m: np.ndarray, truth_m: np.ndarray) -> np.ndarray:
    """Each pose (N, J, 3), rotated about zero to fit the truth best."""
    poses, truth = torch.from_numpy(poses_m).double(), torch.from_numpy(truth_m).double()
    return (poses @ roma.rigid_vectors_registration(poses, truth).mT).numpy()


def with_lengths(poses_m: np.ndarray, truth_m: np.ndarray) -> np.ndarray:
    """(N, 12, 3) poses with their own bone directions and the true bone lengths: hips, trunk, shoulders, limbs."""
    result = np.zeros_like(poses_m)

    def put(joint: int, at: np.ndarray, bone: np.ndarray, true_bone: np.ndarray) -> None:
        length = np.linalg.norm(true_bone, axis=-1, keepdims=True)
        result[:, joint] = at + bone / np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9) * length

    chest, true_chest = poses_m[:, _SHOULDERS].mean(1), truth_m[:, _SHOULDERS].mean(1)
    for hip in HIPS:
        put(hip, np.zeros_like(chest), poses_m[:, hip], truth_m[:, hip])
    trunk = np.linalg.norm(true_chest, axis=-1, keepdims=True)
    placed = chest / np.maximum(np.linalg.norm(chest, axis=-1, keepdims=True), 1e-9) * trunk
    for shoulder in _SHOULDERS:
        put(shoulder, placed, poses_m[:, shoulder] - chest, truth_m[:, shoulder] - true_chest)
    for a, b in _BONES:
        put(b, result[:, a], poses_m[:, b] - poses_m[:, a], truth_m[:, b] - truth_m[:, a])
    return result


def budget(lifter: Lifter, views: list[tuple[View, Truth]]) -> dict[str, tuple[float, float, float]]:
    """MPJPE, PA-MPJPE and N-MPJPE in mm, by the name of the replaced part."""
    errors: dict[str, list[np.ndarray]] = {}
    for view, truth in views:
        for name, (keypoints, skeleton) in inputs(view, truth).items():
            poses = lifter(keypoints, view.image_size, skeleton, view.frame_rate_hz)[view.frames]
            lifted = centred(poses[:, [H36M16.index(joint) for joint in JOINTS]])
            errors.setdefault(name, []).append(frame_errors_mm(lifted, view.truth_m))
        for name, poses in corrected(lifted_m(lifter, view), view.truth_m).items():
            errors.setdefault(f"in 3D: {name}", []).append(frame_errors_mm(poses, view.truth_m))
    together = {name: np.concatenate(parts, 1).mean((1, 2)) for name, parts in errors.items()}
    return {name: (float(a), float(b), float(c)) for name, (a, b, c) in together.items()}


def main() -> None:
    """Measure, write, print."""
    settings = tyro.cli(ErrorBudget, description=__doc__)

    def run() -> None:
        paths = sorted(settings.data.glob("test_*.npz"))
        if not paths:
            raise BadTarget(f"{settings.data} holds no test_*.npz file.")
        views = [(view, read_truth(path, view)) for path, view in ((path, read_view(path)) for path in paths)]
        results = {word: budget(open_lifter(word, settings.out), views) for word in settings.model}
        settings.out.mkdir(parents=True, exist_ok=True)
        (settings.out / "budget.json").write_text(json.dumps(results, indent=1))
        rows = [f"| {' | '.join(['', *results])} |", f"|---|{'---|' * len(results)}"]
        for name in next(iter(results.values())):
            cells = (" / ".join(f"{value:.1f}" for value in result[name]) for result in results.values())
            rows.append(f"| {name} | {' | '.join(cells)} |")
        text = "MPJPE / PA-MPJPE / N-MPJPE in mm.\n\n" + "\n".join(rows) + "\n"
        (settings.out / "budget.md").write_text(text)
        print(text)

    run_command(run)


if __name__ == "__main__":
    main()
