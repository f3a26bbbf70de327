"""Miniature 3DPW: drawn motion in pickles like those of sequenceFiles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from training.datasets.camera import SequenceCamera
from training.datasets.miniature.body import draw_motion, look_at, pick

_JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "thorax", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
_SEQUENCES = {
    "train": (("courtyard_basketball_00", 2, False), ("outdoors_freestyle_00", 1, True)),
    "validation": (("courtyard_hug_00", 2, False),),
    "test": (("downtown_cafe_00", 2, False), ("downtown_walking_00", 2, True), ("outdoors_fencing_01", 1, False)),
}
"""By split: name, people, and whether the image is upright."""


def write_pw3d(folder: Path, *, seed: int = 0, frames: int = 60) -> None:
    """Write `sequenceFiles/{train, validation, test}/*.pkl`: one and two people, invalid frames, upright images.

    The camera moves. In one sequence a stretch of images is missing (`img_frame_ids` jump).

    Args:
        folder: Where to.
        seed: Of the drawn motion and cameras.
        frames: Images of the shortest sequence.
    """
    generator = np.random.default_rng(seed)
    for split, sequences in _SEQUENCES.items():
        place = folder / "sequenceFiles" / split
        place.mkdir(parents=True, exist_ok=True)
        for at, (name, people, upright) in enumerate(sequences):
            content = _sequence(name, people, upright, frames + 6 * at, generator)
            # As Python 2 wrote them.
            (place / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=2))


def _sequence(name: str, people: int, upright: bool, images: int, generator: np.random.Generator) -> dict[str, Any]:
    ids = 2 * np.arange(images)
    if name == "outdoors_fencing_01":
        ids[images // 2 :] += 40
    walked = [draw_motion(int(ids[-1]) + 1, 60.0, generator, generator.uniform(0.92, 1.06)) for _ in range(people)]
    joints = [pick(motion, _JOINTS)[ids] + (0.9 * person, 0, 0) for person, motion in enumerate(walked)]
    size = (1080, 1920) if upright else (1920, 1080)
    view = SequenceCamera(np.array([[1960.0, 1962, size[0] / 2, size[1] / 2]]), *size, np.zeros(5))

    poses = np.tile(np.eye(4), (images, 1, 1))
    around = generator.uniform(0, 2 * np.pi)
    for image, turned in enumerate(around + 0.4 * np.linspace(0, 1, images)):
        distance = 6.5 if upright else 8.0
        position = np.array([distance * np.cos(turned), distance * np.sin(turned), 1.6])
        poses[image, :3, :3] = look_at(position, np.array([0.4, 0, 0.95]))
        poses[image, :3, 3] = -poses[image, :3, :3] @ position
    valid = [np.ones(images, np.int64) for _ in range(people)]
    valid[0][3:6] = 0
    fx, fy, cx, cy = view.intrinsics_px[0]
    return {
        "sequence": name,
        "genders": ["m", "f"][:people],
        "betas": [np.zeros(10) for _ in range(people)],
        "poses": [np.zeros((images, 72)) for _ in range(people)],
        "trans": [person[:, 0] for person in joints],
        "jointPositions": [person.reshape(images, 72) for person in joints],
        "poses2d": [_detections(person, poses, view, generator) for person in joints],
        "cam_poses": poses,
        "cam_intrinsics": np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
        "campose_valid": valid,
        "img_frame_ids": ids,
    }


def _detections(
    joints: np.ndarray, poses: np.ndarray, view: SequenceCamera, generator: np.random.Generator
) -> np.ndarray:
    """(N, 3, 18) like OpenPose's COCO-18, a few pixels off; nothing found in the first image."""
    coco18 = [15, 12, 17, 19, 21, 16, 18, 20, 2, 5, 8, 1, 4, 7, 15, 15, 15, 15]
    in_camera = np.einsum("tij,tkj->tki", poses[:, :3, :3], joints) + poses[:, None, :3, 3]
    pixels = view.project(in_camera[:, coco18]) + generator.normal(0, 4, (len(joints), 18, 2))
    found = np.concatenate([pixels, np.full((len(joints), 18, 1), 0.8)], 2).transpose(0, 2, 1)
    found[0] = 0
    return found
