from pathlib import Path

import cv2
import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"

SKIER_COCO = np.array(
    [
        [367, 81], [374, 73], [360, 75], [386, 78], [356, 81], [399, 108], [358, 129], [433, 142], [341, 159],
        [449, 165], [309, 178], [424, 203], [393, 214], [429, 294], [367, 273], [466, 362], [396, 341],
    ],
    np.float32,
)  # fmt: skip
"""What COCO's annotators marked in image 785, pixels."""
SKIER_HEIGHT = 347
"""Of the annotated box, pixels."""


def shared_file(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name} of the folder shared/, which lies beside a checkout on some machines only")
    return path


def read_frames(name: str, start: int = 0, count: int = 1) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(shared_file(f"videos/{name}")))
    try:
        frames = [capture.read()[1] for _ in range(start + count)]
    finally:
        capture.release()
    return frames[start:]


@pytest.fixture
def skier() -> np.ndarray:
    return cv2.imread(str(shared_file("videos/skier_coco785.jpg")))
