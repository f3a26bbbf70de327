"""Makes a new cross-domain split from motion clips, in the format of the benchmark's files.

    python benchmarks/make_split.py --clips CLIPS.npz --people 02 08 16 131 --out splits/a --seed 1

It writes target_train_2d.npz (2D only) and target_test.npz (2D and 3D). The clips of the named people go to the two
files in turn. Cameras are drawn with the seed: some near the floor, some level, some from above, with lenses from wide
to long. In a sequence, the whole person is in the image for at least two seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from training.cameras.known_cameras import KnownCamera, look_at
from training.motion.motion_clip import on_the_floor, resample_clip
from training.motion.readers.motion import load_motion

FRAME_RATE_HZ = 25.0
SHORTEST_FRAMES = 50


@dataclass(frozen=True)
class MakeSplit:
    """Film some people of a motion file as a target domain."""

    clips: Path
    """Motion file: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    people: tuple[str, ...]
    """People whose clips are the target."""
    out: Path
    """Folder for the two files."""
    cameras: int = 14
    """Number of cameras."""
    cameras_a_clip: int = 4
    """Number of cameras drawn for each clip."""
    elevation_deg: tuple[float, float] = (-8.0, 75.0)
    """Range of the cameras' elevation above the person's middle; negative looks up."""
    aspect: float = 0.5625
    """Image height divided by width."""
    noise: float = 0.0
    """Noise of the keypoints in both files, like a detector's: its usual size, relative to the larger side of the
    person's box. It has a bias per joint for the whole sequence, noise that lasts for about five frames, and noise of
    each frame with heavy tails (Student's t, three degrees of freedom). It is not the noise that lifters are trained
    with."""
    seed: int = 0
    """Seed for the cameras."""


def main() -> None:
    """Write both files."""
    settings = tyro.cli(MakeSplit, description=__doc__)
    random = np.random.default_rng(settings.seed)
    clips = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.people]
    cameras = [_camera(random, settings.elevation_deg) for _ in range(settings.cameras)]
    settings.out.mkdir(parents=True, exist_ok=True)
    for name, chosen, labelled in (("target_train_2d", clips[::2], False), ("target_test", clips[1::2], True)):
        arrays = film_clips([on_the_floor(clip) for clip in chosen], cameras, settings, random)
        if not labelled:
            del arrays["joints_camera_m"], arrays["focal"]
        for start, length in zip(arrays["start"], arrays["length"], strict=True):
            seen = arrays["keypoints"][start : start + length]
            seen += (settings.noise * _off(random, seen)).astype(np.float32)
        path = settings.out / f"{name}.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]
        print(f"{path}: {len(arrays['start'])} sequences, {len(arrays['keypoints'])} frames of {len(chosen)} clips")


def film_clips(clips: list, cameras: list[KnownCamera], settings: MakeSplit, random: np.random.Generator) -> dict:
    """Every clip through some of the cameras, in the format of the benchmark.

    Raises:
        SystemExit: if no camera sees a whole person for long enough.
    """
    keypoints, joints, rows = [], [], []
    for clip in clips:
        world = resample_clip(clip, FRAME_RATE_HZ).joints_world_m
        for number in random.choice(len(cameras), min(settings.cameras_a_clip, len(cameras)), replace=False):
            camera = cameras[number]
            seen = (world - camera.centre_world_m) @ camera.rotation_world_to_camera.T
            flat = camera.focal * seen[..., :2] / seen[..., 2:].clip(0.2)
            inside = (seen[..., 2] > 0.5) & (np.abs(flat) < (1, settings.aspect)).all(-1)
            for start, end in _stretches(inside.all(1)):
                rows.append((end - start, clip.name, number, camera.focal))
                keypoints.append(flat[start:end])
                joints.append(seen[start:end])
    if not rows:
        raise SystemExit("no camera sees a whole person for two seconds: take other people, cameras or another seed.")
    length = np.array([row[0] for row in rows])
    return {
        "keypoints": np.concatenate(keypoints).astype(np.float32),
        "joints_camera_m": np.concatenate(joints).astype(np.float32),
        "start": np.cumsum(length) - length,
        "length": length,
        "clip": np.array([row[1] for row in rows]),
        "camera": np.array([row[2] for row in rows]),
        "focal": np.array([row[3] for row in rows]),
        "frame_rate_hz": np.array(FRAME_RATE_HZ),
        "aspect": np.array(settings.aspect),
    }


def _off(random: np.random.Generator, keypoints: np.ndarray) -> np.ndarray:
    """Noise (T, 16, 2) with a usual size of one box side."""
    extent = (keypoints.max(1) - keypoints.min(1)).max(-1)[:, None, None]
    fresh = random.standard_t(3, keypoints.shape)
    lasting = np.empty_like(fresh)
    lasting[0] = fresh[0]
    for frame in range(1, len(fresh)):
        lasting[frame] = 0.8 * lasting[frame - 1] + 0.6 * fresh[frame]
    off = random.normal(0, 0.5, (1, *keypoints.shape[1:])) + 0.5 * lasting + 0.5 * random.standard_t(3, fresh.shape)
    return extent * off


def _camera(random: np.random.Generator, elevation_deg: tuple[float, float]) -> KnownCamera:
    """A random camera, from any side. Its lens shows a standing person 0.3 to 0.9 half image widths tall."""
    azimuth, elevation = random.uniform(0, 2 * math.pi), math.radians(random.uniform(*elevation_deg))
    distance = random.uniform(3, 9)
    focal = float(np.clip(distance * random.uniform(0.3, 0.9) / 1.7, 0.9, 4))
    flat = distance * math.cos(elevation)
    centre = (flat * math.cos(azimuth), flat * math.sin(azimuth), max(0.9 + distance * math.sin(elevation), 0.2))
    return look_at(centre, (*random.normal(0, 0.3, 2), 0.9), focal)


def _stretches(inside: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of true values in (T,) that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= SHORTEST_FRAMES]


if __name__ == "__main__":
    main()
