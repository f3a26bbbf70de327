"""Measures how small a person may be and still be found: real videos, scaled down, in a moving 1080p image.

    python -m benchmarks.tiny_people VIDEO [VIDEO ...] --detector movenet

The true place is where a detector finds the largest person of the video at full size. The small video moves through a
plain, noisy image. A person is found if the middle of a detected person is within half a person of the true place. The
same images without the video count false people.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from sdk import Detections, Detector, open_detector
from sdk.errors import BadVideo

SIZE = (1920, 1080)
EMPTY_FRAMES = 400


def small_videos(video: Path, detector: Detector, every: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Images of a video, and (T, 4) pixels of the box of its largest person in each. NaN where nobody is found."""
    capture, images, boxes = cv2.VideoCapture(str(video)), [], []
    detector.reset()
    while True:
        there, image = capture.read()
        if not there:
            break
        images.append(image)
        found = detector(image)
        heights = found.boxes[:, 3] - found.boxes[:, 1]
        boxes.append(found.boxes[heights.argmax()] if len(found) else np.full(4, np.nan))
    capture.release()
    if not images:
        raise BadVideo(f"{video} holds no image that can be read.")
    return images[::every], np.array(boxes)[::every]


def background(seed: int) -> np.ndarray:
    """A plain image, 1.5 times as large as `SIZE`, with slow changes of brightness and a camera's noise."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(120, 230, (9, 16, 1)).repeat(3, 2).astype(np.float32)
    smooth = cv2.resize(coarse, (SIZE[0] * 3 // 2, SIZE[1] * 3 // 2), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + random.normal(0, 4, smooth.shape[:2])[..., None], 0, 255).astype(np.uint8)


def panned(canvas: np.ndarray, frames: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Views that move over the canvas, and the (2,) pixels of their upper left corners."""
    for t in range(frames):
        shift = 0.5 - 0.5 * np.cos(2 * np.pi * t / 200)
        corner = np.array([shift * (canvas.shape[1] - SIZE[0]), 0.5 * shift * (canvas.shape[0] - SIZE[1])]).astype(int)
        yield canvas[corner[1] : corner[1] + SIZE[1], corner[0] : corner[0] + SIZE[0]].copy(), corner


def found_share(detector: Detector, images: list[np.ndarray], boxes: np.ndarray, height_px: int, seed: int) -> float:
    """Share of the images with a known person in which the detector finds them at that height."""
    scale = height_px / np.nanmedian(boxes[:, 3] - boxes[:, 1])
    canvas, place, hits, known = background(seed), np.array([1100, 650]), 0, 0
    detector.reset()
    for image, box, (view, corner) in zip(images, boxes, panned(canvas, len(images)), strict=True):
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        left, top = place - corner
        view[top : top + small.shape[0], left : left + small.shape[1]] = small
        people: Detections = detector(view)
        if np.isnan(box).any():
            continue
        known += 1
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2 * scale + (left, top)
        middles = (people.boxes[:, :2] + people.boxes[:, 2:]) / 2
        hits += bool(len(middles) and np.linalg.norm(middles - middle, axis=1).min() < height_px / 2)
    return hits / max(known, 1)


def false_people(detector: Detector, frames: int, seed: int) -> int:
    """Number of people found in images without people."""
    detector.reset()
    return sum(len(detector(view)) for view, _ in panned(background(seed), frames))


def main() -> None:
    """Print a row for each video and height."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--detector", default="movenet")
    parser.add_argument("--truth", default="movenet", help="detector that says where people are at full size")
    parser.add_argument("--heights", nargs="+", type=int, default=[96, 64, 48, 32])
    parser.add_argument("--every", type=int, default=1, help="take every n-th image of a video")
    options = parser.parse_args()
    detector, truth = open_detector(options.detector), open_detector(options.truth)
    print("| video | " + " | ".join(f"{height} px" for height in options.heights) + " |")
    print("|---" * (1 + len(options.heights)) + "|")
    for video in options.videos:
        images, boxes = small_videos(video, truth, options.every)
        shares = [found_share(detector, images, boxes, height, seed=0) for height in options.heights]
        print(f"| {video.stem} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
    print(f"false people in {EMPTY_FRAMES} empty images: {false_people(detector, EMPTY_FRAMES, seed=1)}")


if __name__ == "__main__":
    main()
