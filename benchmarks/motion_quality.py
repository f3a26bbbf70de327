"""Measures the quality of the motion model, compared with real motion of people that it was not trained on.

    python benchmarks/motion_quality.py --clips CLIPS.npz --held-out 01 05 14 127 135 --motion-model motion.pt

It prints a table. --picture FILE.png draws 24 sampled motions. The model must be trained without the held-out people
(adaptpose-train motion-model --exclude ...). Otherwise the comparison shows nothing.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
import numpy as np
import torch
import tyro
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from benchmarks.cross_domain import HELD_OUT_MOTION_MODEL
from benchmarks.motion_drawing import draw_motions
from sdk.commands.command_line import run_command
from sdk.results.processors.joint_angles import joint_angles
from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import bone_lengths
from training.motion.motion_clip import MotionClip, on_the_floor, resample_clip
from training.motion.readers.motion import load_motion
from training.motion_model.model_file import load_motion_model
from training.motion_model.motion_model import MotionModel
from training.motion_model.pose_features import features_to_joints, pose_features
from training.motion_model.source_motion import model_clips

RATE_HZ = 25.0
WINDOW = 27
_EVERY = 3
"""Every 3rd frame of a window is compared."""
_BANDS_HZ = ((0.3, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0))
_LIMB_ENDS = ("right_ankle", "left_ankle", "right_wrist", "left_wrist")
_FEET = [H36M16.index(joint) for joint in _LIMB_ENDS[:2]]
_LOW_M, _LEVEL_MPS = 0.03, 0.15
"""A foot is on the floor if it is this near to the lowest place of its motion, and moves up or down no faster than
this."""
_ANGLES = ("knee_flexion", "hip_flexion", "elbow_flexion", "shoulder_elevation")
_PERCENTILES = (1, 50, 99)


@dataclass(frozen=True)
class MotionQuality:
    """Measure a motion model."""

    clips: Path
    """Real motion: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    held_out: tuple[str, ...]
    """People that the model was not trained on. All others count as its training motion."""
    motion_model: Path = HELD_OUT_MOTION_MODEL
    """File of the motion model. Default: one that was trained without 01, 05, 14, 127 and 135."""
    motions: int = 360
    """Motions of 4 s to sample: 24 minutes."""
    windows: int = 2000
    """Number of windows to compare with training motion, and of poses to compare with sampled poses."""
    seed: int = 0
    """Seed of all randomness."""
    picture: Path | None = None
    """PNG file for 24 sampled motions."""
    threads: int = 1
    """CPU threads of torch."""


def main() -> None:
    """Print the table."""
    run_command(lambda: _measure(tyro.cli(MotionQuality, description=__doc__)))


def _measure(settings: MotionQuality) -> None:
    torch.set_num_threads(settings.threads)
    model = load_motion_model(settings.motion_model)
    random = torch.Generator().manual_seed(settings.seed)
    clips = [resample_clip(on_the_floor(clip), RATE_HZ) for clip in load_motion(settings.clips)]
    held_out = [clip for clip in clips if clip.name.partition("_")[0] in settings.held_out]
    training = [clip for clip in clips if clip.name.partition("_")[0] not in settings.held_out]
    sampled = [resample_clip(clip, RATE_HZ) for clip in model_clips(model, settings.seed, settings.motions)]
    groups = {"model": sampled, "training people": training, "held-out people": held_out}

    rows = {name: _row(clips) for name, clips in groups.items()}
    cut, clip_of = {}, {}
    for name, clips in groups.items():
        cut[name], clip_of[name] = _windows(clips, model)
    reference = _compared(cut["training people"])
    for name in groups:
        drawn = torch.randperm(len(cut[name]), generator=random)[: settings.windows]
        own = clip_of[name][drawn] if name == "training people" else torch.full((len(drawn),), -1)
        distance = _nearest(_compared(cut[name][drawn]), reference, own, clip_of["training people"])
        rows[name]["nearest window of (other) training clips, mm: 5th percentile, median"] = (
            f"{np.percentile(distance, 5):.0f}, {np.median(distance):.0f}"
        )
    # The same number of each: with more poses, the nearest one is always nearer.
    poses = {name: _poses(windows) for name, windows in cut.items()}
    count = min(len(poses["model"]), len(poses["training people"]))
    wanted = poses["held-out people"]
    wanted = wanted[torch.randperm(len(wanted), generator=random)[: settings.windows]]
    for name in ("model", "training people"):
        chosen = poses[name][torch.randperm(len(poses[name]), generator=random)[:count]]
        nobody = torch.full((len(wanted),), -1)
        distance = _nearest(wanted, chosen, nobody, torch.zeros(len(chosen), dtype=torch.long))
        rows[name][f"held-out pose to the nearest of {count}, mm: median, 95th percentile"] = (
            f"{np.median(distance):.0f}, {np.percentile(distance, 95):.0f}"
        )
    _print_table(rows)
    print(f"\n{_sampling_rates(model)}")
    if settings.picture:
        drawn = model.sample(24, 126, RATE_HZ, torch.Generator().manual_seed(settings.seed))
        draw_motions(drawn.numpy(), settings.picture)


def _row(clips: list[MotionClip]) -> dict[str, str]:
    """All numbers that need only one group of clips."""
    row = {"bone lengths, largest change within a motion, %": f"{100 * max(map(_length_change, clips)):.3f}"}
    angles = _joint_angles(clips)
    for name in _ANGLES:
        low, middle, high = np.degrees(np.percentile(angles[name], _PERCENTILES))
        row[f"{name.replace('_', ' ')}, degrees: 1%, median, 99%"] = f"{low:.0f}, {middle:.0f}, {high:.0f}"
    speed, acceleration = _rates_of_change(clips)
    for what, values, unit in (("speed", speed, "m/s"), ("acceleration", acceleration, "m/s²")):
        middle, high = np.percentile(values, (50, 95))
        row[f"{what} of hands and feet, {unit}: median, 95%"] = f"{middle:.2f}, {high:.2f}"
    shares = _band_amplitudes_mm(clips)
    row["hands and feet, amplitude in mm in " + ", ".join(f"{a:g}-{b:g}" for a, b in _BANDS_HZ) + " Hz"] = ", ".join(
        f"{share:.1f}" for share in shares
    )
    sliding = _foot_sliding(clips)
    row["foot on the floor slides, cm/s: median, 90%"] = (
        f"{100 * np.median(sliding):.1f}, {100 * np.percentile(sliding, 90):.1f}"
    )
    return row


def _length_change(clip: MotionClip) -> float:
    lengths = bone_lengths(torch.from_numpy(clip.joints_world_m))
    middle = lengths.median(0).values
    return float(((lengths - middle).abs() / middle).max())


def _joint_angles(clips: list[MotionClip]) -> dict[str, np.ndarray]:
    """Joint angles of every fifth frame in radians, both sides together."""
    found = [joint_angles(pose) for clip in clips for pose in clip.joints_world_m[::5]]
    return {name: np.array([one[f"{side}_{name}"] for side in ("left", "right") for one in found]) for name in _ANGLES}


def _limb_ends(clip: MotionClip) -> np.ndarray:
    """(T, 4, 3) positions of hands and feet relative to the pelvis."""
    joints = clip.joints_world_m
    return joints[:, [H36M16.index(joint) for joint in _LIMB_ENDS]] - joints[:, :1]


def _rates_of_change(clips: list[MotionClip]) -> tuple[np.ndarray, np.ndarray]:
    ends = [_limb_ends(clip) for clip in clips]
    speed = [np.linalg.norm(np.diff(one, axis=0), axis=-1).ravel() * RATE_HZ for one in ends]
    acceleration = [np.linalg.norm(np.diff(one, 2, axis=0), axis=-1).ravel() * RATE_HZ**2 for one in ends]
    return np.concatenate(speed), np.concatenate(acceleration)


def _band_amplitudes_mm(clips: list[MotionClip]) -> list[float]:
    """Root mean square movement of hands and feet about their mean place, in windows of 2.56 s, per frequency band."""
    frames = 64
    windows = [
        _limb_ends(clip)[start : start + frames].reshape(frames, -1)
        for clip in clips
        for start in range(0, len(clip.joints_world_m) - frames + 1, frames)
    ]
    taper = np.hanning(frames)[:, None]
    power = np.mean([np.abs(np.fft.rfft((one - one.mean(0)) * taper, axis=0)) ** 2 for one in windows], axis=(0, 2)) / (
        frames * (taper**2).sum()
    )
    hz = np.fft.rfftfreq(frames, 1 / RATE_HZ)
    return [1000 * float(np.sqrt(2 * power[(hz >= low) & (hz < high)].sum())) for low, high in _BANDS_HZ]


def _foot_sliding(clips: list[MotionClip]) -> np.ndarray:
    """Speed along the floor, m/s, of feet that are on it."""
    found = []
    for clip in clips:
        feet = clip.joints_world_m[:, _FEET]
        lowest = np.percentile(feet[..., 2], 2)
        steps = np.diff(feet, axis=0) * RATE_HZ
        down = (feet[1:, :, 2] < lowest + _LOW_M) & (np.abs(steps[..., 2]) < _LEVEL_MPS)
        found.append(np.linalg.norm(steps[..., :2], axis=-1)[down])
    return np.concatenate(found)


def _windows(clips: list[MotionClip], model: MotionModel) -> tuple[Tensor, Tensor]:
    """Every fifth window of each clip, (N, `WINDOW`, 16, 3), and its clip, (N,).

    All windows have the same body, head along x in the middle frame, and have the pelvis at zero. So only motion
    counts, not the body or the direction.
    """
    lengths = model.bodies.mean_lengths()[None]
    found, clip_of = [], []
    for number, clip in enumerate(clips):
        features = torch.from_numpy(pose_features(clip.joints_world_m, RATE_HZ)).float()
        if len(features) < WINDOW:
            continue
        cut = features.unfold(0, WINDOW, 5).transpose(1, 2).clone()
        middle = cut[:, WINDOW // 2 : WINDOW // 2 + 1]
        cut[..., -4] -= middle[..., -4]
        cut[..., -3:] = 0
        found.append(features_to_joints(cut, lengths.expand(len(cut), -1)))
        clip_of += [number] * len(cut)
    return torch.cat(found), torch.tensor(clip_of)


def _compared(windows: Tensor) -> Tensor:
    return windows[:, ::_EVERY].flatten(1)


def _poses(windows: Tensor) -> Tensor:
    return windows[:, WINDOW // 2].flatten(1)


def _nearest(these: Tensor, others: Tensor, own: Tensor, clip_of: Tensor) -> np.ndarray:
    """(N,) root mean square joint distance, in mm, to the nearest of the others or their mirror images.

    Args:
        these: (N, D) positions.
        others: (M, D) positions.
        own: (N,) clip whose others do not count.
        clip_of: (M,) clips of the others.
    """
    joints = these.shape[1] // 3
    mirrored = others.unflatten(1, (-1, len(H36M16), 3))[:, :, list(H36M16.mirror)]
    mirrored = (mirrored * torch.tensor([1.0, -1.0, 1.0])).flatten(1)
    both, clips = torch.cat([others, mirrored]), torch.cat([clip_of, clip_of])
    nearest = []
    for part, of in zip(these.split(200), own.split(200), strict=True):
        distance = torch.cdist(part, both)
        distance[of[:, None] == clips] = float("inf")
        nearest.append(distance.amin(1))
    return 1000 * (torch.cat(nearest) / joints**0.5).numpy()


def _sampling_rates(model: MotionModel) -> str:
    """Windows of 27 frames at 25 Hz that are sampled per second of processor time."""
    count, frames, repeats = 512, 126, 3
    model.sample(count, frames, RATE_HZ, torch.Generator().manual_seed(0))
    times = []
    for seed in range(repeats):
        began = time.process_time()
        model.sample(count, frames, RATE_HZ, torch.Generator().manual_seed(seed))
        times.append(time.process_time() - began)
    second = count / float(np.median(times))
    return (
        f"{second:.0f} motions of {frames} frames in a second of processor time: {second * (frames // WINDOW):.0f} "
        f"windows of {WINDOW} frames that share none, {second * (frames - WINDOW + 1):.0f} different ones."
    )


def _print_table(rows: dict[str, dict[str, str]]) -> None:
    names = list(rows)
    print("| |" + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for measure in dict.fromkeys(measure for row in rows.values() for measure in row):
        print(f"| {measure} | " + " | ".join(rows[name].get(measure, "") for name in names) + " |")


if __name__ == "__main__":
    main()
