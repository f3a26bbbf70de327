"""Measures 2D detectors, and the 3D that they lead to, with calibrated cameras or an annotated photo.

    python -m benchmarks.detectors onnx:movenet-multipose.onnx mediapipe --videos FOLDER --calibration CALIB.qca.txt \\
        --photo skier.jpg --annotations coco785.json

For each detector it measures: OKS on the photo; OKS of each camera's 2D against the triangulated 2D of the other
cameras, projected into it; the distance between poses lifted from two cameras at the same time; the distance of their
limbs from triangulated limbs; and its time. Joints are converted to H36M-16 with the table made by hand, then with the
shipped one.
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro

import sdk.skeletons.joint_conversion
from benchmarks.calibrated_cameras import CalibratedCamera, read_calibration, triangulate
from sdk.detectors.factory import open_detector
from sdk.lifting.lifter import Lifter
from sdk.prediction.extraction import extract_keypoints
from sdk.skeletons.joint_conversion import anatomical_matrix, conversion_matrix
from sdk.skeletons.skeleton import COCO17, H36M16, find_skeleton

COCO_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
"""Standard deviation of annotators, from COCO's keypoint evaluation."""
AREA_OF_BOX = 0.53
"""Area of a person divided by the area of the box, if no outline is known."""
LIMBS = [H36M16.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle", "elbow", "wrist")]


@dataclass(frozen=True)
class Detectors:
    """Measure detectors on calibrated videos and an annotated photo."""

    detectors: Annotated[list[str], tyro.conf.Positional]
    """Values for --detector; `VALUE+VALUE` for a top-down detector and the detector of its boxes; `...@openvino` for
    another device than the CPU."""
    videos: Path | None = None
    """Folder with <camera>.mp4 files. <camera> is the name in the calibration; a prefix is allowed."""
    calibration: Path | None = None
    """Qualisys calibration (XML), in 64ths of a pixel and millimetres."""
    photo: Path | None = None
    annotations: Path | None = None
    """COCO JSON with one person in that photo."""


def oks(found: np.ndarray, wanted: np.ndarray, area: float, joints: list[int]) -> float:
    """Object keypoint similarity of (N, 2) pixels, for joints of COCO-17."""
    distance = ((found - wanted) ** 2).sum(-1)
    return float(np.exp(-distance / (2 * area * (2 * COCO_SIGMAS[joints]) ** 2)).mean())


def photo_oks(word: str, photo: Path, annotations: Path) -> float:
    person = json.loads(annotations.read_text())["annotations"][0]
    wanted = np.array(person["keypoints"], np.float64).reshape(17, 3)
    seen = np.flatnonzero(wanted[:, 2] > 0)
    detector, image = _open(word), cv2.imread(str(photo))
    for _ in range(3):  # a detector that tracks needs some frames to find its crop
        people = detector(image)
    joints = [detector.skeleton.index(COCO17.joints[joint]) for joint in seen]
    found = [oks(pose[joints], wanted[seen, :2], person["area"], list(seen)) for pose in people.keypoints]
    return max(found, default=0.0)


def _open(word: str):
    rest, _, device = word.rpartition("@") if word.endswith(("@openvino", "@cuda")) else (word, "", "cpu")
    detector, _, boxes = rest.partition("+")
    return open_detector(detector, boxes=boxes or None, device=device)


def main_person(video: Path, word: str) -> tuple[np.ndarray, np.ndarray, tuple[int, int], float, str]:
    """The person seen longest: keypoints (T, J, 2), frame numbers (T,) without gaps, image size, rate, skeleton."""
    tracks = extract_keypoints(video, _open(word), lambda *_: None).tracks
    track = max(tracks, key=lambda track: len(track) * np.ptp(track.keypoints_px[..., 1], 1).mean())
    frames = np.arange(track.frame_indices[0], track.frame_indices[-1] + 1)
    flat = track.keypoints_px.reshape(len(track), -1)
    filled = np.stack([np.interp(frames, track.frame_indices, column) for column in flat.T], 1)
    pose = filled.reshape(len(frames), -1, 2)
    return pose, frames, track.image_size, track.frame_rate_hz, track.skeleton


def measure(word: str, options: Detectors) -> None:
    line = [word]
    line.append(
        f"{photo_oks(word, options.photo, options.annotations):.3f}" if options.photo and options.annotations else "-"
    )
    if options.videos and options.calibration:
        started = time.process_time()
        cameras = read_calibration(options.calibration)
        files = {name: next(options.videos.glob(f"*{name}.mp4")) for name in cameras}
        people = {name: main_person(file, word) for name, file in files.items()}
        frames_done = sum(len(frames) for _, frames, *_ in people.values())
        spent_ms = 1000 * (time.process_time() - started) / frames_done
        common = sorted(set.intersection(*(set(frames.tolist()) for _, frames, *_ in people.values())))
        seen = np.stack([pose[np.searchsorted(frames, common)] for pose, frames, *_ in people.values()])
        skeleton = next(iter(people.values()))[4]
        line += [str(len(common)), f"{_left_out_oks(list(cameras.values()), seen, skeleton):.3f}"]
        whole = triangulate(list(cameras.values()), seen.reshape(len(cameras), -1, 2)).reshape(*seen.shape[1:3], 3)
        for table in (anatomical_matrix(skeleton), conversion_matrix(skeleton)):
            sdk.skeletons.joint_conversion.conversion_matrix = lambda _, table=table: table
            line += _consistency(cameras, people, common, np.einsum("hj,tjc->thc", table, whole))
        sdk.skeletons.joint_conversion.conversion_matrix = conversion_matrix
        line.append(f"{spent_ms:.0f}")
    print("| " + " | ".join(line) + " |", flush=True)


def _left_out_oks(cameras: list[CalibratedCamera], seen: np.ndarray, skeleton: str) -> float:
    """OKS of each camera's 2D (C, T, J, 2) against what the other cameras see, projected into it."""
    layout, found = find_skeleton(skeleton), []
    coco = [joint for joint, name in enumerate(COCO17.joints) if name in layout.joints]
    seen = seen[:, :, [layout.index(COCO17.joints[joint]) for joint in coco]]
    for left_out, camera in enumerate(cameras):
        others = [i for i in range(len(cameras)) if i != left_out]
        points = triangulate([cameras[i] for i in others], seen[others].reshape(len(others), -1, 2))
        wanted = camera.pixels(points).reshape(seen.shape[1:])
        for pose, truth in zip(seen[left_out], wanted, strict=True):
            found.append(oks(pose, truth, AREA_OF_BOX * float(np.prod(np.ptp(truth, 0))), coco))
    return float(np.mean(found))


def _consistency(cameras, people, common: list[int], triangulated: np.ndarray) -> list[str]:
    """Mean distance in mm between poses of two cameras, and of their (centred) limbs from triangulated limbs."""
    lifter, world = Lifter(threads=1), []
    for name, (pose, frames, size, rate, skeleton) in people.items():
        lifted = lifter(pose.astype(np.float32), size, skeleton, fps=rate)[np.searchsorted(frames, common)]
        world.append(lifted @ cameras[name].rotation)  # points are rows, so this is the inverse rotation
    apart = [np.linalg.norm(a - b, axis=-1).mean() for a, b in itertools.combinations(world, 2)]
    truth = triangulated[:, LIMBS] - triangulated[:, LIMBS].mean(1, keepdims=True)
    off = [np.linalg.norm(p[:, LIMBS] - p[:, LIMBS].mean(1, keepdims=True) - truth, axis=-1).mean() for p in world]
    return [f"{1000 * np.mean(apart):.1f}", f"{1000 * np.mean(off):.1f}"]


def main(options: Detectors) -> None:
    head = ["detector", "OKS photo"]
    if options.videos and options.calibration:
        head += ["frames", "OKS left-out camera", "apart, by hand", "limbs off, by hand", "apart, shipped table",
                 "limbs off, shipped table", "CPU ms a frame"]  # fmt: skip
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for word in options.detectors:
        measure(word, options)


if __name__ == "__main__":
    main(tyro.cli(Detectors))
