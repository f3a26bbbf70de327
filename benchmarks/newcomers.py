"""How long a newcomer is visible before a detector finds them: while somebody is followed, and the camera stands still.

    python -m benchmarks.newcomers FOLLOWED.mp4 NEWCOMER.mp4 --detector movenet

The largest person of the first film stands on the left of a plain, noisy image, from the first image on. The largest
person of the second, scaled down, comes into view at once at a drawn place on the right, and walks on. They are found
when the middle of a detected person is in the part of the image where they are.
"""

from __future__ import annotations

import argparse
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.crowd_film import person_film
from benchmarks.tiny_people import background
from sdk import Detector, open_detector

FOLLOWED_SHARE = 0.7
"""Height of the part of the image with the followed person, of the image's."""
WALK_HEIGHTS_PER_S = 0.8
"""Walking speed: 1.4 m/s for a person of 1.75 m."""
NOISE = 4
"""Grey levels, of a camera in poor light."""


def scaled(images: list[np.ndarray], scale: float) -> list[np.ndarray]:
    """Images of another size."""
    return [cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for image in images]


def person_height(images: list[np.ndarray], detector: Detector) -> float:
    """Median height of the largest person in some of the images, pixels."""
    found = [detector(image) for image in images[::10]]
    return float(np.median([(one.boxes[:, 3] - one.boxes[:, 1]).max() for one in found if len(one)]))


def delay(
    detector: Detector,
    followed: list[np.ndarray],
    newcomer: list[np.ndarray],
    size: tuple[int, int],
    come_at: int,
    most: int,
    step_px: float,
    seed: int,
) -> int | None:
    """Images from the one in which the newcomer is visible first to that in which they are found; None if not found."""
    random, (width, height) = np.random.default_rng(seed), size
    plain = background(seed)[:height, :width]
    rows, columns = newcomer[0].shape[:2]
    left = random.uniform(followed[0].shape[1], width - columns)
    top, way = int(random.uniform(0, height - rows)), random.choice([-1, 1])
    detector.reset()
    for t, (one, other) in enumerate(islice(zip(cycle(followed), cycle(newcomer), strict=False), come_at + most)):
        view = plain.copy()
        view[(height - one.shape[0]) // 2 :][: one.shape[0], : one.shape[1]] = one
        x = int(np.clip(left + way * step_px * max(t - come_at, 0), followed[0].shape[1], width - columns))
        if t >= come_at:
            view[top : top + rows, x : x + columns] = other
        noise = random.normal(0, NOISE, view.shape[:2])[..., None]
        boxes = detector(np.clip(view + noise, 0, 255).astype(np.uint8)).boxes
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2 - (x, top)
        if t >= come_at and ((middles >= 0) & (middles < (columns, rows))).all(1).any():
            return t - come_at
    return None


def main() -> None:
    """Print a row for each height."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("followed", type=Path)
    parser.add_argument("newcomer", type=Path)
    parser.add_argument("--detector", default="movenet")
    parser.add_argument("--truth", default="movenet", help="detector that says who is the largest in the films")
    parser.add_argument("--heights", nargs="+", type=int, default=[200, 100, 64])
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--come-at", type=int, default=120, help="image in which the newcomer is visible first")
    parser.add_argument("--most", type=int, default=180, help="images after which the wait ends")
    parser.add_argument("--times", type=int, default=5, help="places for each height")
    options = parser.parse_args()
    detector, truth = open_detector(options.detector), open_detector(options.truth)
    followed, rate_hz = person_film(options.followed, truth)
    newcomer, _ = person_film(options.newcomer, truth)
    tall = person_height(newcomer, truth)
    followed = scaled(followed, FOLLOWED_SHARE * options.size[1] / followed[0].shape[0])
    followed, newcomer = ([*film, *film[-2:0:-1]] for film in (followed, newcomer))  # forth and back, without a jump
    print(f"{options.detector}, {rate_hz:g} images/s; seconds from visible to found")
    print("| height | found in 1 s | each |\n|---|---|---|")
    for height in options.heights:
        small, step_px = scaled(newcomer, height / tall), WALK_HEIGHTS_PER_S * height / rate_hz
        waits = [
            delay(detector, followed, small, options.size, options.come_at, options.most, step_px, seed)
            for seed in range(options.times)
        ]
        soon = sum(wait is not None and wait <= rate_hz for wait in waits)
        each = ", ".join("not found" if wait is None else f"{wait / rate_hz:.2f}" for wait in waits)
        print(f"| {height} px | {soon} of {len(waits)} | {each} |", flush=True)


if __name__ == "__main__":
    main()
