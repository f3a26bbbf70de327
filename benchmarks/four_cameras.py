"""Measures whether lifters see the same body from four calibrated cameras.

    python benchmarks/four_cameras.py LIFTER.onnx [OTHER.onnx ...] --videos CAM01.mp4 CAM02.mp4 CAM03.mp4 CAM04.mp4 \\
        --calibration CALIBRATION.qca.txt --detector onnx:movenet-thunder.onnx

Each video is processed alone: 2D is detected, then lifted. The four poses of one moment are the same body. `between
cameras` is their mean distance in pairs after rigid alignment, without scale. `to triangulated` compares each pose with
that triangulated from the other cameras' 2D. With --mediapipe, the table also has MediaPipe's own 3D
(`pose_world_landmarks`), with joints converted in the same way. The data is a hundred frames of one man: a check, not a
benchmark.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import roma
import torch
import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from benchmarks.calibrated_cameras import CalibratedCamera, read_calibration, triangulate
from sdk import Lifter, open_detector, open_video
from sdk.commands.command_line import run_command
from sdk.errors import BadVideo
from sdk.skeletons.joint_conversion import conversion_matrix, to_h36m16

_LOOKAHEADS = (0, 13)


@dataclass(frozen=True)
class FourCameras:
    """Compare lifters over calibrated views of one person."""

    lifters: tyro.conf.Positional[tuple[Path, ...]]
    """Lifters (.onnx, or run folders)."""
    videos: tuple[Path, ...]
    """Videos of the cameras, synchronised, in the order of the calibration."""
    calibration: Path
    """Qualisys calibration (.qca.txt)."""
    detector: str = "movenet"
    """2D detector. Of several people, the largest is used."""
    mediapipe: bool = False
    """Whether to measure MediaPipe's own 3D too."""


@dataclass(frozen=True)
class SeenPerson:
    """The largest person in each frame of a video.

    Attributes:
        keypoints: (T, J, 3) pixels and scores; NaN where nobody was found.
        skeleton: Skeleton of the J joints.
        image_size: Width and height.
        fps: Frame rate of the video.
    """

    keypoints: np.ndarray
    skeleton: str
    image_size: tuple[int, int]
    fps: float


def seen_in(video: Path, detector_word: str) -> SeenPerson:
    """Detect. A frame without people gets the keypoints of its neighbours."""
    detector = open_detector(detector_word)
    frames = []
    with open_video(video) as source:
        for frame in source:
            found = detector(frame.image)
            one = np.full((len(detector.skeleton), 3), np.nan, np.float32)
            if len(found):
                largest = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=-1).argmax()
                one = np.concatenate([found.keypoints[largest], found.scores[largest, :, None]], -1)
            frames.append(one)
        size, fps = source.image_size, source.frame_rate_hz
    keypoints = np.stack(frames)
    there = np.isfinite(keypoints).all((1, 2))
    if not there.any():
        raise BadVideo(f"{video}: {detector_word} found nobody in {len(keypoints)} images.")
    nearest = np.abs(np.arange(len(keypoints))[:, None] - np.flatnonzero(there)).argmin(1)
    return SeenPerson(keypoints[np.flatnonzero(there)[nearest]], detector.skeleton.name, size, fps)


def triangulated(cameras: list[CalibratedCamera], people: list[SeenPerson], without: int | None) -> np.ndarray:
    """(T, 16, 3) metres in the world, triangulated linearly from all cameras except one."""
    others = [i for i in range(len(cameras)) if i != without]
    joints = np.stack([to_h36m16(people[i].keypoints, people[i].skeleton) for i in others])
    flat = joints.reshape(len(others), -1, 3)
    return triangulate([cameras[i] for i in others], flat[..., :2], flat[..., 2]).reshape(*joints.shape[1:3], 3)


def reprojection_px(cameras: list[CalibratedCamera], people: list[SeenPerson]) -> float:
    """Mean distance of the triangulated joints from the 2D in all cameras. It checks how the calibration is read."""
    world = triangulated(cameras, people, None)
    errors = []
    for camera, person in zip(cameras, people, strict=True):
        seen = camera.pixels(world.reshape(-1, 3))
        wanted = to_h36m16(person.keypoints, person.skeleton)[..., :2].reshape(-1, 2)
        errors.append(np.linalg.norm(seen - wanted, axis=-1).mean())
    return float(np.mean(errors))


def distance_mm(poses_m: np.ndarray, others_m: np.ndarray, *, scaled: bool) -> float:
    """Mean joint distance between (T, 16, 3) poses after rotation and shift (if `scaled`, also scale) of each pose."""
    x, y = torch.from_numpy(poses_m).double(), torch.from_numpy(others_m).double()
    rotation, shift, *scale = roma.rigid_points_registration(x, y, compute_scaling=scaled)
    factor = scale[0][:, None, None] if scaled else 1.0
    moved = factor * (x @ rotation.mT) + shift[:, None]
    return float((moved - y).norm(dim=-1).mean()) * 1000


def row(name: str, poses: list[np.ndarray], cameras: list[CalibratedCamera], people: list[SeenPerson]) -> str:
    """A line of the table, from (T, 16, 3) poses for each camera."""
    frames = min(map(len, poses))
    views = [pose[:frames] for pose in poses]
    cells = []
    for scaled in (False, True):
        pairs = [distance_mm(a, b, scaled=scaled) for a, b in itertools.permutations(views, 2)]
        cells.append(float(np.mean(pairs)))
    for scaled in (False, True):
        each = [
            distance_mm(view, triangulated(cameras, people, i)[:frames], scaled=scaled) for i, view in enumerate(views)
        ]
        cells.append(float(np.mean(each)))
    return f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |"


def mediapipe_world(video: Path) -> np.ndarray:
    """(T, 16, 3) metres of MediaPipe's own 3D. A frame without people repeats the one before."""
    from mediapipe.python.solutions import pose

    found: list[np.ndarray] = []
    with pose.Pose(model_complexity=1) as solution, open_video(video) as source:
        for frame in source:
            marks = solution.process(cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)).pose_world_landmarks
            if marks is not None:
                found.append(np.array([[mark.x, mark.y, mark.z] for mark in marks.landmark]))
            elif found:
                found.append(found[-1])
    return conversion_matrix("mediapipe33") @ np.stack(found)


def main() -> None:
    """Measure and print."""
    settings = tyro.cli(FourCameras, description=__doc__)

    def run() -> None:
        cameras = list(read_calibration(settings.calibration).values())
        people = [seen_in(video, settings.detector) for video in settings.videos]
        frames = min(len(person.keypoints) for person in people)
        people = [SeenPerson(p.keypoints[:frames], p.skeleton, p.image_size, p.fps) for p in people]
        print(f"triangulated joints lie {reprojection_px(cameras, people):.1f} px from the 2D of {settings.detector}\n")
        print("| mm | between cameras | ... scaled | to triangulated | ... scaled |\n|---|---:|---:|---:|---:|")
        for path in settings.lifters:
            ahead = _LOOKAHEADS if Lifter(path).metadata.shortest_lookahead == 0 else _LOOKAHEADS[1:]
            for lookahead in ahead:
                lifter = Lifter(path, lookahead=lookahead)
                poses = [lifter(p.keypoints, p.image_size, p.skeleton, p.fps) for p in people]
                print(row(f"{path.parent.name}/{path.stem}, look-ahead {lookahead}", poses, cameras, people))
        if settings.mediapipe:
            own = [mediapipe_world(video) for video in settings.videos]
            print(row("MediaPipe's own 3D", own, cameras, people))

    run_command(run)


if __name__ == "__main__":
    main()
