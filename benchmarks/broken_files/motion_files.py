"""Small valid files of source motion, and what their reader may answer to damaged copies of them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.broken_files.data_sets import answer_of
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.skeletons.skeleton import COCO17, H36M16
from sdk.writers.factory import open_writer
from training.motion.readers.motion import load_motion

_FRAMES = 12
_SIDE_M = {
    "hip": (0.1, 0), "knee": (0.1, -0.4), "ankle": (0.1, -0.82), "shoulder": (0.18, 0.5), "elbow": (0.2, 0.2),
    "wrist": (0.2, -0.05),
}  # fmt: skip
_MIDDLE_M = {"pelvis": (0, 0), "spine": (0, 0.2), "thorax": (0, 0.5), "head": (0, 0.72)}


def standing() -> np.ndarray:
    """(T, 16, 3) metres, y up: a person who stands and sways."""
    places = [
        _MIDDLE_M[joint] if joint in _MIDDLE_M else (_sign(joint) * _SIDE_M[part][0], _SIDE_M[part][1])
        for joint in H36M16.joints
        for part in [joint.rpartition("_")[2]]
    ]
    sway = 0.05 * np.sin(np.arange(_FRAMES))[:, None, None] * np.array([1.0, 0, 0])
    return np.concatenate([np.array(places, np.float64), np.zeros((16, 1))], 1)[None] + sway


def _sign(joint: str) -> int:
    return 1 if joint.startswith("left") else -1


def positions(folder: Path) -> Path:
    """Positions in an .npz file, z up."""
    x, y, z = np.moveaxis(standing(), -1, 0)
    path = folder / "clips.npz"
    np.savez(path, walk=np.stack([x, -z, y], -1), frame_rate_hz=50.0)
    return path


def bvh(folder: Path) -> Path:
    """A .bvh file as the SDK writes it."""
    nothing = np.zeros((len(COCO17), 2), np.float32), np.zeros(len(COCO17), np.float32)
    with open_writer(folder / "walk.bvh", COCO17, (64, 48), 25.0) as writer:
        for index, pose in enumerate(standing()):
            joints_m = (pose * (1, -1, -1)).astype(np.float32)
            person = PersonPose(1, np.zeros(4, np.float32), *nothing, LiftStatus.LIFTED, joints_m)
            image = np.zeros((48, 64, 3), np.uint8)
            writer.write(PoseFrame(index, index / 25, image, (person,), 1, StageTimes(0, 0, 0, 0), 0.0))
    (path,) = writer.paths
    return path


def bvh_of_six_channels(folder: Path) -> Path:
    """The same with a position in each joint, as Blender writes it."""
    path = bvh(folder)
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    offsets: list[list[str]] = []
    changed = []
    for line in lines[:first]:
        words = line.split()
        if words[:1] == ["OFFSET"]:
            last = words[1:]
        if words[:2] == ["CHANNELS", "3"]:
            offsets.append(last)
            line = line.replace("CHANNELS 3", "CHANNELS 6 Xposition Yposition Zposition")
        changed.append(line)
    for line in lines[first:]:
        numbers = line.split()
        row = numbers[:6]
        for joint, offset in enumerate(offsets):
            row += [*offset, *numbers[6 + 3 * joint : 9 + 3 * joint]]
        changed.append(" ".join(row))
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")
    return path


def ask_motion(path: Path) -> tuple[str, str]:
    """`read`, `refused` or `failure`, with the reason. Clips check themselves."""
    with contextlib.redirect_stderr(io.StringIO()):  # the unit that was assumed
        return answer_of(lambda: bool(load_motion(path)))


MOTION: dict[str, tuple[Callable[[Path], Path], Callable[[Path], tuple[str, str]]]] = {
    "motion npz": (positions, ask_motion),
    "motion BVH": (bvh, ask_motion),
    "motion BVH, six channels": (bvh_of_six_channels, ask_motion),
}
"""By reader: what writes a valid file, and what reads it."""
