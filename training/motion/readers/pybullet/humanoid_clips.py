"""Reads DeepMimic's motion-capture clips, which are part of the PyPI package pybullet. Cycles are repeated."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from sdk.errors import BadMotion
from sdk.files.wheel_data import fetch_package_files
from training.files.cache_folder import default_cache_folder
from training.geometry.resampling import interpolation_weights, uniform_times
from training.motion.motion_clip import SOURCE_FRAME_RATE_HZ, MotionClip
from training.motion.motion_units import to_z_up
from training.motion.readers.pybullet.humanoid_model import (
    ROTATION_NUMBERS,
    HumanoidModel,
    forward_kinematics,
    read_humanoid,
    rotations_to_quaternions,
)

_WHEEL = "pybullet==3.2.7"
_CLIPS = "humanoid3d_*.txt"
_NUMBERS = 1 + 3 + ROTATION_NUMBERS
"""Numbers per frame: duration in seconds, root position in metres, rotations."""
HUMANOID_HEIGHT_M = 1.62
"""Height of the humanoid from its soles to the top of its head, from the links and shapes of its URDF."""
ADULT_HEIGHT_M = 1.70
"""Mean height of women and men; the clips are scaled to it. A lifter learns the scale of people from its source. One
that was adapted with the unscaled humanoid had an error of 82 mm on people of ordinary height, and of 71 mm after its
poses were scaled to fit."""


def load_humanoid_clips() -> list[MotionClip]:
    """All clips of pybullet_data, at 50 Hz, with a person of height `ADULT_HEIGHT_M`.

    Raises:
        BadDownload: pybullet is not installed, and its wheel can't be downloaded.
        BadMotion: if its data files are missing or damaged.
    """
    urdf, files = humanoid_files()
    if not files:
        raise BadMotion(f"no humanoid3d_*.txt clips beside {urdf}. Reinstall the package pybullet.")
    model = read_humanoid(urdf)
    clips = [read_humanoid_clip(file, model) for file in files]
    size = np.float32(ADULT_HEIGHT_M / HUMANOID_HEIGHT_M)
    return [MotionClip(clip.name, clip.joints_world_m * size, clip.frame_rate_hz) for clip in clips]


def humanoid_files() -> tuple[Path, list[Path]]:
    """The humanoid's URDF and the clips. If pybullet is not installed, its wheel is downloaded once, into the cache.

    pybullet itself is never imported. It has no wheel for Python 3.12, but its data are the same for all versions.

    Raises:
        BadDownload: pybullet is not installed, and its wheel can't be downloaded.
    """
    # The wheel has pybullet_data beside the compiled module. find_spec imports neither.
    found = find_spec("pybullet_data")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent
        return folder / "humanoid" / "humanoid.urdf", sorted((folder / "data" / "motions").glob(_CLIPS))
    print(f"pybullet is not installed: its motion clips are taken from the wheel of {_WHEEL}.", file=sys.stderr)
    patterns = [f"pybullet_data/data/motions/{_CLIPS}", "pybullet_data/humanoid/humanoid.urdf"]
    folder = default_cache_folder() / "pybullet_data"
    urdf, *clips = sorted(
        fetch_package_files(_WHEEL, patterns, folder, python_version="3.11"), key=lambda path: path.suffix != ".urdf"
    )
    return urdf, clips


def read_humanoid_clip(path: Path, model: HumanoidModel, frame_rate_hz: float = SOURCE_FRAME_RATE_HZ) -> MotionClip:
    """Read one clip file as positions at a constant frame rate.

    Rotations are interpolated on the sphere before forward kinematics, so that bones keep their lengths. A cycle (a
    clip whose end leads to its beginning) is repeated until the clip is long enough for windows.

    Args:
        path: A humanoid3d_*.txt file.
        model: The humanoid it belongs to.
        frame_rate_hz: Wanted frame rate.

    Raises:
        BadMotion: if the file has another format.
    """
    import roma

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        frames, cyclic = np.array(content["Frames"], np.float64), content["Loop"] == "wrap"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadMotion(f"{path} is not a humanoid motion clip (JSON with 'Loop' and 'Frames'): {error!r}.") from error
    if frames.ndim != 2 or frames.shape[1] != _NUMBERS or len(frames) < 2:
        raise BadMotion(f"{path}: 'Frames' has shape {frames.shape}, not (2 or more, {_NUMBERS}).")
    if not (np.isfinite(frames).all() and (frames[:-1, 0] > 0).all()):  # most clips end with a duration of zero
        raise BadMotion(f"{path}: a frame has no duration, or numbers that are not finite.")
    if cyclic:
        frames = _play_cycles(frames, model)
    times = _times(frames)
    before, after, weight = interpolation_weights(times, uniform_times(times, frame_rate_hz))
    fraction = torch.from_numpy(weight)[:, None]

    quaternions = rotations_to_quaternions(model, frames[:, 4:])
    start, end = quaternions[before], quaternions[after]
    # roma.unitquat_slerp takes every step for every pair; here each pair has its own step.
    turn = roma.unitquat_to_rotvec(roma.quat_product(roma.quat_conjugation(start), end), shortest_arc=True)
    between = roma.quat_product(start, roma.rotvec_to_unitquat(turn * fraction[..., None]))
    root = torch.from_numpy(frames[:, 1:4])
    joints = forward_kinematics(model, root[before] * (1 - fraction) + root[after] * fraction, between)
    return MotionClip(
        path.stem.removeprefix("humanoid3d_"), to_z_up(joints.numpy(), "y").astype(np.float32), frame_rate_hz
    )


def _times(frames: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(frames[:-1, 0])])


def _play_cycles(frames: np.ndarray, model: HumanoidModel) -> np.ndarray:
    """The frames of a cyclic clip, repeated. Each cycle goes on along the ground."""
    times, seam_s = _times(frames), float(np.median(frames[:-1, 0]))
    quaternions = rotations_to_quaternions(model, frames[:, 4:])
    joints = forward_kinematics(model, torch.from_numpy(frames[:, 1:4]), quaternions).numpy()
    travel = travel_per_cycle(frames[:, 1:4], times, seam_s) * (1, 0, 1)  # y is up: no cycle ends higher than it began
    frames = frames.copy()
    frames[-1, 0] = seam_s
    cycles = [frames.copy() for _ in range(cycles_to_play(joints, times, seam_s))]
    for number, cycle in enumerate(cycles):
        cycle[:, 1:4] += number * travel
    return np.concatenate(cycles)


REPEATED_TO_S = 4.0
"""Cycles are repeated up to this length: two windows at half speed. In a shorter clip most windows would repeat their
edge frame."""


def cycles_to_play(joints: np.ndarray, times_s: np.ndarray, seam_s: float) -> int:
    """How often to play a clip. Only once if the jump from its end to its beginning is faster than all its motion.

    Args:
        joints: (T, J, 3) positions.
        times_s: (T,) increasing.
        seam_s: Time from the last frame to the first of the next cycle.
    """
    pose = joints - joints[:, :1]
    step_s = np.diff(times_s)
    speed = np.linalg.norm(np.diff(pose, axis=0), axis=-1) / step_s[:, None]
    seam_speed = np.linalg.norm(pose[0] - pose[-1], axis=-1).max() / seam_s
    if seam_speed > speed.max():
        return 1
    return max(1, int(np.ceil(REPEATED_TO_S / (times_s[-1] + seam_s))))


def travel_per_cycle(root: np.ndarray, times_s: np.ndarray, seam_s: float) -> np.ndarray:
    """How far one cycle moves the root (T, 3). From its end to the next beginning it moves at their mean velocity."""
    first, last = (root[1] - root[0]) / (times_s[1] - times_s[0]), (root[-1] - root[-2]) / (times_s[-1] - times_s[-2])
    return root[-1] - root[0] + (first + last) / 2 * seam_s
