"""How often a detector sees people where nobody is: in real backgrounds without their people, noise and gradients.

    python -m benchmarks.empty_scenes --videos VIDEO [VIDEO ...] --detector movenet

A real background is a film's median over time, so that nobody who moves is in it; who stands still is cut out: boxes
that MoveNet multipose sees there are filled from their surroundings. It is shown at full size, enlarged and shrunk, as
a camera would pan over it, with a camera's noise. The detector goes on from image to image as in a video: who is seen
wrongly once may be followed. A person that is left in a background shows as a large count; look at it (--save).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.tiny_people import SIZE, background, panned
from sdk import Detector, open_detector
from sdk.detectors.movenet.weights import movenet_file
from sdk.errors import BadVideo

SCALES = (1.0, 1.6, 2.4)
"""Of a background, whose longer side is first made that of `SIZE`."""
MEDIAN_OF = 40
"""Images of a film."""


def empty_background(video: Path, finder: Detector) -> np.ndarray:
    """The film's scene without its people, (H, W, 3)."""
    capture = cv2.VideoCapture(str(video))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    images = []
    for index in range(count):
        there, image = capture.read()
        if there and index % max(1, count // MEDIAN_OF) == 0:
            images.append(image)
    capture.release()
    if not images:
        raise BadVideo(f"{video} holds no image that can be read.")
    scene = np.median(images, axis=0).astype(np.uint8)
    mask = np.zeros(scene.shape[:2], np.uint8)
    for left, top, right, bottom in finder(scene).boxes:
        margin = 0.15 * max(right - left, bottom - top)
        corners = np.array([left - margin, top - margin, right + margin, bottom + margin]).clip(0).astype(int)
        mask[corners[1] : corners[3], corners[0] : corners[2]] = 255
    scene = cv2.inpaint(scene, mask, 5, cv2.INPAINT_TELEA) if mask.any() else scene
    return cv2.resize(scene, None, fx=SIZE[0] / scene.shape[1], fy=SIZE[0] / scene.shape[1])


def real_views(scene: np.ndarray, frames: int, seed: int) -> Iterator[np.ndarray]:
    """The background at each scale, panned over, with noise; `frames` at each."""
    random = np.random.default_rng(seed)
    for scale in SCALES:
        canvas = cv2.resize(scene, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        height, width = (max(side, least) for side, least in zip(canvas.shape[:2], SIZE[::-1], strict=True))
        below, right = height - canvas.shape[0], width - canvas.shape[1]
        canvas = cv2.copyMakeBorder(canvas, 0, below, 0, right, cv2.BORDER_REFLECT)
        for view, _ in panned(canvas, frames):
            noise = random.normal(0, 3, view.shape[:2])[..., None]
            yield np.clip(view + noise, 0, 255).astype(np.uint8)


def made_views(kind: str, frames: int, seed: int) -> Iterator[np.ndarray]:
    """`noise`: every pixel drawn anew; `gradients`: brightness and colour that change slowly; `plain`: see there."""
    random = np.random.default_rng(seed)
    if kind == "plain":
        yield from (view for view, _ in panned(background(seed), frames))
        return
    for _ in range(frames):
        if kind == "noise":
            yield random.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
        else:
            corners = random.uniform(0, 255, (2, 2, 3)).astype(np.float32)
            yield cv2.resize(corners, SIZE, interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def count(detector: Detector, views: Iterator[np.ndarray]) -> tuple[int, int, int]:
    """Images, those with at least one person, and all people."""
    detector.reset()
    people = [len(detector(view)) for view in views]
    return len(people), sum(one > 0 for one in people), sum(people)


def main() -> None:
    """Print a row for each scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", nargs="*", type=Path, default=[], help="films whose backgrounds are used")
    parser.add_argument("--detector", default="movenet")
    parser.add_argument("--frames", type=int, default=100, help="of each scene and scale")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="folder to write the backgrounds to, to look at")
    options = parser.parse_args()
    detector = open_detector(options.detector)
    scenes: dict[str, Iterator[np.ndarray]] = {}
    for video in options.videos:
        scene = empty_background(video, open_detector(f"onnx:{movenet_file('multipose')}"))
        if options.save is not None:
            options.save.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(options.save / f"{video.stem}.png"), scene)
        scenes[video.stem] = real_views(scene, options.frames, options.seed)
    scenes |= {kind: made_views(kind, options.frames, options.seed) for kind in ("noise", "gradients", "plain")}
    print("| scene | images | with a false person | false people |\n|---|---|---|---|")
    total = np.zeros(3, int)
    for name, views in scenes.items():
        counts = count(detector, views)
        total += counts
        print(f"| {name} | " + " | ".join(map(str, counts)) + " |", flush=True)
    print("| all | " + " | ".join(map(str, total)) + " |")


if __name__ == "__main__":
    main()
