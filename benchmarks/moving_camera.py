"""Measures the vertical of recordings whose camera stands still or turns, and how often a turning one is noticed.

    python -m benchmarks.moving_camera --model benchmarks/held_out/feet.pt --clips CLIPS.npz --exclude 01 05 14 127 135

Clips of 15 s or more, each seen by a camera on a circle of 5.2 m round the person's mean place, 0.5, 1.5 or 4 m high;
in some rows its pitch changes over the clip, evenly or at once. A row says how far the vertical is off in the mean with
one vertical, with that of ten seconds, and with each limit in degrees beyond which the camera counts as moving
(`sdk/results/processors/upright_recording.py`), and how many recordings are then followed. The limit rests on these
people, whom the lifter knows.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from scipy.spatial.transform import Rotation

from benchmarks.feet import open_lifter
from sdk.commands.command_line import run_command
from sdk.lifting.windows import sample_windows
from sdk.results.processors.upright import median_direction
from sdk.results.processors.upright_recording import MOVES_SHARE, up_at, vertical_of_recording
from training.motion.motion_clip import MotionClip
from training.motion.readers.motion import load_motion

_SHORTEST_S, _DISTANCE_M, _HEIGHTS_M, _FOCAL, _AIM_M = 15.0, 5.2, (0.5, 1.5, 4.0), 2.29, 0.9
_LIMITS_DEG = (8, 10, 12, 14, 16, 20, 25)
_TURNS = {"still": (0, False), "turns by 30": (30, False), "by 60": (60, False), "by 30 at once": (30, True)}


@dataclass(frozen=True)
class MovingCamera:
    """Compare one vertical a recording with one that follows."""

    clips: Path
    """Motion file."""
    model: str = "benchmarks/held_out/feet.pt"
    """A lifter that tells which way is up."""
    exclude: tuple[str, ...] = ()
    """People to leave out: clips whose name starts with one of these and an underscore."""


def seen(clip: MotionClip, number: int, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Joints (T, 16, 3) in the axes of the clip's camera, and the vertical in them."""
    joints = clip.joints_world_m[:: round(clip.frame_rate_hz / rate_hz)].astype(np.float64)
    joints = joints - [*joints[:, 0, :2].mean(0), np.percentile(joints[..., 2].min(1), 5)]
    azimuth, height = 2.4 * number, _HEIGHTS_M[number % len(_HEIGHTS_M)]  # 2.4 radians: all round
    centre = np.array([_DISTANCE_M * math.cos(azimuth), _DISTANCE_M * math.sin(azimuth), height])
    ahead = np.array([0, 0, _AIM_M]) - centre
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(ahead, right), ahead])
    return (joints - centre) @ axes.T, axes[:, 2]


def measure(options: MovingCamera) -> None:
    """Print a row for each movement."""
    clips = [one for one in load_motion(options.clips) if one.name.split("_")[0] not in options.exclude]
    clips = [one for one in clips if len(one.joints_world_m) / one.frame_rate_hz >= _SHORTEST_S]
    with tempfile.TemporaryDirectory() as folder:
        lifter = open_lifter(options.model, Path(folder))
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in _TURNS}
    for number, clip in enumerate(clips):
        joints, up = seen(clip, number, lifter.metadata.frame_rate_hz)
        times = np.arange(len(joints)) / lifter.metadata.frame_rate_hz
        for name, (degrees, at_once) in _TURNS.items():
            course = times / times[-1] - 0.5
            turn = Rotation.from_euler(
                "x", degrees * (np.sign(course) / 2 if at_once else course)[:, None], degrees=True
            )
            turned = np.einsum("tij,tkj->tki", turn.as_matrix(), joints)
            if (turned[..., 2] < 0.5).any():
                continue
            keypoints = np.full((len(turned), 20, 2), np.nan, np.float32)
            keypoints[:, :16] = turned[..., :2] / turned[..., 2:] * _FOCAL
            answer = lifter.form.unpacked(
                lifter.answer_windows(sample_windows(keypoints, times, times, lifter.metadata))
            )
            assert answer.up is not None
            told = answer.up.astype(float)
            whole, slow = median_direction(told), vertical_of_recording(times, told, "moving")
            far = np.percentile(_degrees(slow.values, whole), 100 * (1 - MOVES_SHARE))
            true = turn.apply(np.tile(up, (len(times), 1)))
            followed = np.stack([up_at(slow, time) for time in times[::5]])
            rows[name].append((float(far), _degrees(true, whole).mean(), _degrees(followed, true[::5]).mean()))
    print("| camera | recordings | one vertical | ten seconds |", *(f" {limit} |" for limit in _LIMITS_DEG), sep="")
    print("|---" * (4 + len(_LIMITS_DEG)), "|", sep="")
    for name, values in rows.items():
        far, one, ten = np.array(values).T
        cells = [f"{np.where(far > limit, ten, one).mean():.1f} ({(far > limit).mean():.0%})" for limit in _LIMITS_DEG]
        print(
            f"| {name} | {len(values)} | {one.mean():.1f} | {ten.mean():.1f} |",
            *(f" {cell} |" for cell in cells),
            sep="",
        )


def _degrees(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((first * second).sum(-1), -1, 1)))


def main() -> None:
    """Console script."""
    run_command(lambda: measure(tyro.cli(MovingCamera)))


if __name__ == "__main__":
    main()
