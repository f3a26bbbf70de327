"""Measures how errors of heels and toes go with those of their ankles, seen by one detector from calibrated cameras.

    python -m benchmarks.foot_noise --videos CAM01.mp4 CAM02.mp4 CAM03.mp4 CAM04.mp4 --calibration CALIBRATION.qca.txt

The error of a joint is its distance from the point that the other cameras triangulate, less the mean of hips,
shoulders, knees, ankles and feet (cameras that are a frame apart move all joints alike), in shares of the person's
extent in the image. What is found is in `training/cameras/detector_noise.py`. It is one man: a hint, no benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from benchmarks.calibrated_cameras import read_calibration, triangulate
from benchmarks.four_cameras import seen_in
from sdk.commands.command_line import run_command
from sdk.skeletons.skeleton import find_skeleton

_COMMON = ("hip", "shoulder", "knee", "ankle", "heel", "foot_index")


@dataclass(frozen=True)
class FootNoise:
    """Compare errors of feet with errors of ankles."""

    videos: tuple[Path, ...]
    """Videos of the cameras, synchronised, in the order of the calibration."""
    calibration: Path
    """Qualisys calibration (.qca.txt)."""
    detector: str = "mediapipe"
    """A detector that sees feet."""


def measure(options: FootNoise) -> None:
    """Print the medians and the correlations of both sides."""
    cameras = list(read_calibration(options.calibration).values())
    seen = [seen_in(video, options.detector) for video in options.videos]
    frames = min(len(one.keypoints) for one in seen)
    places = np.stack([one.keypoints[:frames, :, :2] for one in seen]).astype(np.float64)  # camera, frame, joint
    extent = (np.nanmax(places, 2) - np.nanmin(places, 2)).max(-1)[..., None]
    joints = find_skeleton(seen[0].skeleton).joints

    def error(joint: int) -> np.ndarray:
        far = np.empty_like(places[:, :, joint])
        for number, camera in enumerate(cameras):
            others = [i for i in range(len(cameras)) if i != number]
            points = triangulate([cameras[i] for i in others], places[others, :, joint])
            far[number] = places[number, :, joint] - camera.pixels(points)
        return far / extent

    errors = {name: error(i) for i, name in enumerate(joints) if name.split("_", 1)[-1] in _COMMON}
    common = np.mean(list(errors.values()), axis=0)
    errors = {name: one - common for name, one in errors.items()}
    print(f"{frames} frames, {len(cameras)} cameras, {options.detector}; medians in percent of the person's extent")
    for side in ("left", "right"):
        ankle = errors[f"{side}_ankle"]
        print(f"{side} ankle: {_median(ankle):.1f}")
        for part in ("heel", "foot_index"):
            foot = errors[f"{side}_{part}"]
            tied = [np.corrcoef(ankle[..., axis].ravel(), foot[..., axis].ravel())[0, 1] for axis in (0, 1)]
            print(
                f"{side} {part}: {_median(foot):.1f}, relative to the ankle {_median(foot - ankle):.1f}; correlation "
                f"with the ankle {tied[0]:.2f} (x), {tied[1]:.2f} (y)"
            )


def _median(errors: np.ndarray) -> float:
    return 100 * float(np.nanmedian(np.linalg.norm(errors, axis=-1)))


def main() -> None:
    """Console script."""
    run_command(lambda: measure(tyro.cli(FootNoise)))


if __name__ == "__main__":
    main()
