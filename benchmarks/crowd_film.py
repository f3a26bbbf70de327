"""Makes a film with a known number of people, to measure speed on: the largest person of a film, side by side.

    python -m benchmarks.crowd_film VIDEO --people 5 --out five.mp4
    python -m benchmarks.live five.mp4 --detector movenet --lookahead live --people 1

Each copy shows the person's surroundings too, and begins at another frame, so that no two move alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from sdk import Detector, open_detector
from sdk.errors import BadVideo


def person_film(video: Path, detector: Detector) -> tuple[list[np.ndarray], float]:
    """The part of a film in which its largest person stays, and its frame rate."""
    capture = cv2.VideoCapture(str(video))
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    images, boxes = [], []
    while True:
        there, image = capture.read()
        if not there:
            break
        images.append(image)
        if len(images) % 10 == 1 and len(found := detector(image)):
            boxes.append(found.boxes[(found.boxes[:, 3] - found.boxes[:, 1]).argmax()])
    capture.release()
    if not boxes:
        raise BadVideo(f"nobody is found in {video}.")
    low, high = np.min(boxes, 0)[:2], np.max(boxes, 0)[2:]
    margin = 0.15 * (high - low).max()
    height, width = images[0].shape[:2]
    (left, top), (right, bottom) = np.maximum(low - margin, 0).astype(int), (high + margin).astype(int)
    return [image[top : min(bottom, height), left : min(right, width)] for image in images], rate_hz


def main() -> None:
    """Write the film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--frames", type=int, default=300, help="the film is repeated until it has so many")
    parser.add_argument("--finder", default="movenet", help="detector that says who is the largest")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    parts, rate_hz = person_film(options.video, open_detector(options.finder))
    width, height = options.size
    scale = min(width / options.people / parts[0].shape[1], 0.9 * height / parts[0].shape[0])
    parts = [cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for part in parts]
    rows, columns = parts[0].shape[:2]
    writer = cv2.VideoWriter(str(options.out), cv2.VideoWriter.fourcc(*"mp4v"), rate_hz, (width, height))
    forth_and_back = [*parts, *parts[-2:0:-1]]  # without a jump at the end
    for t in range(options.frames):
        image = np.full((height, width, 3), 128, np.uint8)
        for person in range(options.people):
            left = person * width // options.people
            part = forth_and_back[(t + 17 * person) % len(forth_and_back)]
            image[(height - rows) // 2 :, left:][:rows, :columns] = part
        writer.write(image)
    writer.release()
    print(options.out)


if __name__ == "__main__":
    main()
