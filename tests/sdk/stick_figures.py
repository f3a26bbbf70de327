"""Videos of moving stick figures, and a detector that knows where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from sdk.detectors.detection import Detections
from sdk.skeletons.skeleton import COCO17, Skeleton

SIZE = (320, 240)
_CELL = 8
_BITS = 10

# A standing person, 100 pixels high, in the order of COCO-17.
_STANDING = np.array(
    [
        *([0, 8], [3, 5], [-3, 5], [6, 7], [-6, 7], [14, 22], [-14, 22], [20, 38], [-20, 38], [22, 52], [-22, 52]),
        *([9, 52], [-9, 52], [10, 75], [-10, 75], [10, 98], [-10, 98]),
    ],
    np.float32,
)


def walk(frames: int, start: tuple[float, float], step: tuple[float, float], phase: float = 0.0) -> np.ndarray:
    """Keypoints (T, 17, 2) in pixels of a person who moves by `step` a frame and swings arms and legs."""
    t = np.arange(frames, dtype=np.float32)[:, None]
    swing = np.sin(0.25 * t + phase + np.arange(17) * 0.7) * np.linspace(0.5, 5, 17)
    keypoints = _STANDING + np.float32(start) + t[..., None] * np.float32(step)
    keypoints[..., 0] += swing
    keypoints[..., 1] += 0.4 * swing
    return keypoints.astype(np.float32)


def write_video(path: Path, people: Sequence[Sequence[np.ndarray | None]], fps: float = 25.0) -> None:
    """Write a video: people[t] holds the (17, 2) keypoints of everybody to draw; each frame carries its index."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, SIZE)
    assert writer.isOpened()
    for index, figures in enumerate(people):
        writer.write(render(index, [f for f in figures if f is not None]))
    writer.release()


def render(index: int, figures: Sequence[np.ndarray]) -> np.ndarray:
    """One frame, with its index as black and white cells along the top."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for keypoints in figures:
        for start, end in COCO17.bones:
            points = [tuple(int(v) for v in np.nan_to_num(keypoints[joint])) for joint in (start, end)]
            cv2.line(image, points[0], points[1], (40, 200, 240), 3)
    for bit in range(_BITS):
        image[:_CELL, bit * _CELL : (bit + 1) * _CELL] = 255 * (index >> bit & 1)
    return image


def read_index(image: np.ndarray) -> int:
    """The index that a frame carries; lossy coding does not hide it."""
    middle = image[_CELL // 2, _CELL // 2 : _BITS * _CELL : _CELL].mean(-1)
    return int(sum(1 << bit for bit, value in enumerate(middle) if value > 127))


class KnowingDetector:
    """Implements `Detector`: looks the frame's people up by the index that the image carries."""

    identity = "knowing"

    def __init__(self, people: Sequence[Sequence[np.ndarray | None]], skeleton: Skeleton = COCO17) -> None:
        self.skeleton = skeleton
        self.resets = 0
        self._people = people

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        figures = [f for f in self._people[read_index(image_bgr)] if f is not None]
        if not figures:
            return Detections.none(len(self.skeleton))
        keypoints = np.stack(figures)
        low, high = np.nanmin(keypoints, 1), np.nanmax(keypoints, 1)
        scores = np.full(keypoints.shape[:2], 0.9, np.float32)
        return Detections(keypoints, scores, np.concatenate([low, high], 1), scores.mean(1))

    def reset(self) -> None:
        self.resets += 1
