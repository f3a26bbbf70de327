"""Small videos, and a detector and a lifter in small ONNX files, which other processes can open too."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.prediction.settings import PredictionSettings
from tests.sdk.detectors import toy_graphs
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import SIZE, walk

FRAMES = 20
"""Of a video in most tests."""
SMALL = (64, 48)


def write_plain_video(path: Path, frames: int) -> Path:
    """A video of so many equal images."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, SMALL)
    for _ in range(frames):
        writer.write(np.full((SMALL[1], SMALL[0], 3), 90, np.uint8))
    writer.release()
    return path


def write_models(folder: Path) -> PredictionSettings:
    """Write a linear lifter, and a detector that sees one person in every image; the settings name them."""
    write_linear_lifter(folder / "linear.onnx")
    places = (walk(1, (100, 60), (0, 0))[0] / 200).clip(0.1, 0.9)
    person = np.concatenate([places[:, ::-1], np.full((17, 1), 0.9)], 1).ravel()
    people = np.zeros((6, 56), np.float32)
    people[0] = [*person, *places.min(0)[::-1], *places.max(0)[::-1], 0.9]
    toy_graphs.movenet_multi(folder / "toy.onnx", people)
    return PredictionSettings(model=folder / "linear.onnx", detector=f"onnx:{folder / 'toy.onnx'}")


def track(
    name: str = "walk#1", start: tuple[float, float] = (60, 60), frames: int = 30, first: int = 0
) -> KeypointTrack:
    """A walking person at 25 Hz."""
    indices = np.arange(first, first + frames)
    keypoints = walk(first + frames, start, (2, 0))[first:]
    scores = np.full((frames, 17), 0.9, np.float32)
    return KeypointTrack(name, keypoints, scores, indices / 25.0, indices, "coco17", SIZE, 25.0)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too, but for the list of the run."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("predictions")
    }
