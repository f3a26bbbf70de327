"""How well several videos of one person at one moment are found, and the pose that they tell, on motion capture.

    python -m benchmarks.same_moments --clips cmu_mocap_h36m17.npz

Each clip is filmed by several cameras (drawn, standing still), which start and end at different moments; 2D gets a
detector's noise, and is lifted. Then all tracks of a draw of clips are compared, as adaptpose-train does. Reported:
pairs of one clip that are found, at the right lag; pairs of different clips that are taken for the same; and the error
of the lifted poses and of those that several videos tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from training.cameras.detector_noise import add_detector_noise
from training.cameras.random_cameras import CameraRanges, film
from training.evaluation.metrics import mpjpe, procrustes_aligned
from training.lifter.checkpoint import LifterCheckpoint, starting_checkpoint
from training.matching.shared_motion import SharedMotion, lifted
from training.motion.motion_clip import MotionClip
from training.motion.readers.motion import load_motion
from training.target.target_windows import TargetSequence, TargetWindows


@dataclass(frozen=True)
class SameMoments:
    """Measure how well several videos of one moment are found."""

    clips: Path
    """Motion file."""
    model: Path = Path("benchmarks/held_out/fast.pt")
    """The lifter."""
    shortest_s: float = 10.0
    """Only clips that are as long."""
    views: int = 3
    """Cameras of each clip."""
    focal: tuple[float, float] = (1.2, 2.0)
    """Range of focal lengths in half image widths: those of telephones and video cameras."""
    draws: int = 6
    """How many times clips are drawn."""
    clips_at_once: int = 12
    """Clips of a draw, all of whose tracks are compared."""
    noise: float = 0.03
    """Largest standard deviation of the noise of 2D, relative to the person's size."""
    seed: int = 0
    """Seed of all draws."""


def filmed(clip: MotionClip, options: SameMoments, random: torch.Generator) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """For each camera: the frame it starts at, (T, 16, 2) keypoints and (T, 16, 3) poses in its axes, at 25 Hz."""
    joints = torch.from_numpy(clip.joints_world_m[:: max(1, round(clip.frame_rate_hz / 25)), :16]).float()
    seen = []
    for _ in range(options.views):
        first, last = (int(n) for n in torch.randint(0, max(1, len(joints) // 5), (2,), generator=random))
        part = joints[first : len(joints) - last]
        whole = film(part[None] - part[len(part) // 2, :1], CameraRanges(focal=options.focal), random)
        keypoints = add_detector_noise(whole.keypoints, options.noise, random)[0]
        pose = whole.joints_m[0] - whole.joints_m[0, :, :1]
        seen.append((first, keypoints.numpy(), pose.numpy()))
    return seen


def main(options: SameMoments) -> None:
    """Measure and print."""
    clips = [
        clip
        for clip in load_motion(options.clips)
        if len(clip.joints_world_m) / clip.frame_rate_hz >= options.shortest_s
    ]
    print(f"{len(clips)} clips")
    network = LifterCheckpoint.load(starting_checkpoint(options.model)).network.eval()
    random = torch.Generator().manual_seed(options.seed)
    right = wrong_lag = false = pairs = others = 0
    errors: list[tuple[float, ...]] = []
    for _ in range(options.draws):
        chosen = [clips[i] for i in torch.randperm(len(clips), generator=random)[: options.clips_at_once]]
        sequences, starts, poses, of_clip = [], [], [], []
        for number, clip in enumerate(chosen):
            for view, (start, keypoints, pose) in enumerate(filmed(clip, options, random)):
                scores = np.ones(keypoints.shape[:2], np.float32)
                sequences.append(TargetSequence(f"{number}-{view}#1", keypoints, scores, 0.5625, f"{number}-{view}"))
                starts.append(start)
                poses.append(pose)
                of_clip.append(number)
        windows = TargetWindows(sequences, network.receptive_field)
        shared = SharedMotion(windows)
        shared.find(network)
        for i in range(len(sequences)):
            for j in range(i):
                same = of_clip[i] == of_clip[j]
                found = shared.views[i, 0] == shared.views[j, 0] >= 0
                lag = int(shared.views[i, 1] - shared.views[j, 1]) - (starts[i] - starts[j])
                pairs, others = pairs + same, others + (not same)
                right += int(same and bool(found) and abs(lag) <= 1)
                wrong_lag += int(same and bool(found) and abs(lag) > 1)
                false += int(not same and bool(found))
        rows = torch.arange(len(windows))
        alone = lifted(network, windows, rows)
        together, told = shared.joined(alone, rows)
        truth = torch.from_numpy(np.concatenate(poses))[told]
        if told.any():
            errors.append(
                tuple(
                    1000 * float(mpjpe(form(one[told]), truth))
                    for one in (alone, together)
                    for form in (lambda pose: pose, lambda pose, truth=truth: procrustes_aligned(pose, truth))
                )
            )
    print(f"pairs of one clip: {pairs}, found {right / pairs:.0%}, at a wrong lag {wrong_lag}")
    print(f"pairs of two clips: {others}, taken for the same {false}")
    a, b, c, d = (math.fsum(one) / len(errors) for one in zip(*errors, strict=True))
    print(f"MPJPE / PA-MPJPE mm: each alone {a:.1f} / {b:.1f}, together {c:.1f} / {d:.1f}")


if __name__ == "__main__":
    main(tyro.cli(SameMoments, description=__doc__))
