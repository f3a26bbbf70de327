"""A small valid file for each reader of keypoint files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sdk.skeletons.skeleton import COCO17

SIZE = (320, 240)
FRAMES = 6

MARKERS = [
    "Hip", "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle", "LBigToe",
    "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
]  # fmt: skip
BODY_PARTS = [
    "ankle1", "knee1", "hip1", "hip2", "knee2", "ankle2", "wrist1", "elbow1", "shoulder1", "shoulder2", "elbow2",
    "wrist2", "chin", "forehead",
]  # fmt: skip


def person(joints: int, offset: float = 0.0) -> np.ndarray:
    """(FRAMES, joints, 3): a person of 130 pixels who walks to the right; all joints are seen."""
    body = np.random.default_rng(joints).uniform(0, 1, (joints, 2)) * (60, 130)
    steps = np.arange(FRAMES)[:, None, None] * (2.0, 0.0)
    return np.concatenate([np.add(body, (60 + offset, 50)) + steps, np.full((FRAMES, joints, 1), 0.9)], 2)


def _json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def alphapose(folder: Path) -> Path:
    poses = person(17), person(17, 120)
    return _json(
        folder / "alphapose.json",
        [
            {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": pose[frame].ravel().tolist(), "score": 2.1,
             "idx": number}
            for frame in range(FRAMES)
            for number, pose in enumerate(poses, 1)
        ],
    )  # fmt: skip


def alphapose_by_frame(folder: Path) -> Path:
    pose = person(18)
    return _json(
        folder / "by_frame.json",
        {
            f"{frame}.jpg": {
                "version": "AlphaPose v0.3",
                "people": [{"pose_keypoints_2d": pose[frame].ravel().tolist()}],
            }
            for frame in range(FRAMES)
        },
    )


def openpose(folder: Path) -> Path:
    poses, place = (person(25), person(25, 120)), folder / "openpose"
    place.mkdir()
    for frame in range(FRAMES):
        people = [{"person_id": [-1], "pose_keypoints_2d": pose[frame].ravel().tolist()} for pose in poses]
        _json(place / f"clip_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})
    return place


def mmpose(folder: Path) -> Path:
    pose = person(26)
    return _json(
        folder / "mmpose.json",
        [
            {"frame_id": frame, "instances": [{"keypoints": pose[frame, :, :2].tolist(),
             "keypoint_scores": pose[frame, :, 2].tolist(), "bbox": [[0, 0, 9, 9]], "bbox_score": 0.9}]}
            for frame in range(FRAMES)
        ],
    )  # fmt: skip


def mediapipe(folder: Path) -> Path:
    pose = person(33) / (*SIZE, 1)
    return _json(
        folder / "mediapipe.json",
        [
            {"pose_landmarks": [[{"x": x, "y": y, "z": 0.1, "visibility": v} for x, y, v in pose[frame].tolist()]]}
            for frame in range(FRAMES)
        ],
    )


def coco(folder: Path) -> Path:
    pose = person(17)
    pose[..., 2] = 2
    images, people = [], []
    for frame in range(FRAMES):
        images.append({"id": frame, "file_name": f"{frame:06d}.jpg", "width": SIZE[0], "height": SIZE[1]})
        people.append({"id": frame, "image_id": frame, "category_id": 1, "keypoints": pose[frame].ravel().tolist()})
    category = {"id": 1, "name": "person", "keypoints": list(COCO17.joints)}
    return _json(folder / "coco.json", {"images": images, "annotations": people, "categories": [category]})


def videopose3d(folder: Path) -> Path:
    about = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"s": {"w": 320, "h": 240, "fps": 25}}}
    np.savez(folder / "videopose3d.npz", positions_2d={"s": {"a": [person(17)[..., :2]]}}, metadata=about)
    return folder / "videopose3d.npz"


def simple_npz(folder: Path) -> Path:
    np.savez(folder / "simple.npz", keypoints=person(17), image_size=SIZE, skeleton="coco17", frame_rate_hz=25.0)
    return folder / "simple.npz"


def saved_tracks(folder: Path) -> Path:
    from sdk.keypoint_files import read_keypoints, write_keypoints

    write_keypoints(folder / "saved.npz", read_keypoints(simple_npz(folder)))
    return folder / "saved.npz"


def trc(folder: Path) -> Path:
    names = MARKERS
    pose = person(len(names))
    pose[..., 2] = 0
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tclip_Sports2D_px_person00.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"25\t25\t{FRAMES}\t{len(names)}\tm\t25\t0\t{FRAMES}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, len(names) + 1)),
        *("\t".join(map(str, [frame, frame / 25, *pose[frame].ravel()])) for frame in range(FRAMES)),
    ]
    path = folder / "clip_Sports2D_px_person00.trc"
    path.write_text("\n".join(lines) + "\n")
    return path


def deeplabcut_csv(folder: Path) -> Path:
    parts = BODY_PARTS
    pose = person(len(parts))
    lines = [
        "scorer," + ",".join(["DLC_resnet101"] * 3 * len(parts)),
        "bodyparts," + ",".join(part for part in parts for _ in range(3)),
        "coords," + ",".join(["x", "y", "likelihood"] * len(parts)),
        *(",".join(map(str, [frame, *pose[frame].ravel()])) for frame in range(FRAMES)),
    ]
    path = folder / "clipDLC_resnet101.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "AlphaPose list": alphapose,
    "AlphaPose by frame": alphapose_by_frame,
    "OpenPose folder": openpose,
    "MMPose predictions": mmpose,
    "MediaPipe landmarks": mediapipe,
    "COCO annotations": coco,
    "VideoPose3D npz": videopose3d,
    "keypoints npz": simple_npz,
    "saved tracks": saved_tracks,
    "Sports2D TRC": trc,
    "DeepLabCut CSV": deeplabcut_csv,
}
"""For each reader of text or archives, a function that writes a valid file."""


def deeplabcut_hdf5(folder: Path) -> Path:
    """A file like DeepLabCut's, written by pandas. Needs the package tables."""
    import pandas

    table = pandas.read_csv(deeplabcut_csv(folder), header=[0, 1, 2], index_col=0)
    table.to_hdf(folder / "clipDLC_resnet101.h5", key="df_with_missing", format="table", mode="w")
    return folder / "clipDLC_resnet101.h5"
