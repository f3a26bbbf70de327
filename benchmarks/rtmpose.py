"""Times RTMPose in mmpose by size, people and detection interval. Run: python -m benchmarks.rtmpose

The weights are random, because speed does not depend on them. `mmpose:rtmpose-m` downloads the real ones.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from sdk.detectors.detection import Detections
from sdk.detectors.mmpose.configs import ZOO, find_config
from sdk.detectors.mmpose.detector import open_mmpose_detector
from sdk.detectors.mmpose.import_shims import import_mmpose
from sdk.skeletons.skeleton import COCO17


@dataclass(frozen=True)
class RTMPoseSpeed:
    """Time RTMPose; its weights are random."""

    sizes: tuple[str, ...] = ("rtmpose-t", "rtmpose-s", "rtmpose-m", "rtmpose-m-coco17")
    people: tuple[int, ...] = (1, 2, 6)
    device: str = "cpu"
    threads: int = 1
    frames: int = 15


class Crowd:
    """A detector that finds so many people side by side in every image."""

    skeleton = COCO17

    def __init__(self, people: int) -> None:
        self._people, self.identity = people, f"crowd of {people}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Boxes of 250 x 700 pixels."""
        corners = np.float32([[0, 0], [250, 700]])[np.arange(17) % 2]
        keypoints = corners + np.float32([300, 0]) * np.arange(self._people)[:, None, None] + np.float32([30, 200])
        return Detections.from_keypoints(keypoints, np.ones((self._people, 17), np.float32), 0.5)

    def reset(self) -> None:
        """Does nothing: there is no state."""


def main(options: RTMPoseSpeed) -> None:
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    import_mmpose()
    from mmpose.apis import init_model

    image = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    print("| model | people | keypoints | clock ms, median | processor ms, median |\n|---|---|---|---|---|")
    for word in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "random.pth"
            torch.save(init_model(str(find_config(ZOO[word])), device="cpu").state_dict(), checkpoint)
            for people in options.people:
                detector = open_mmpose_detector(ZOO[word], checkpoint, lambda n=people: Crowd(n), options.device)
                taken = []
                for _ in range(options.frames + 2):
                    started = time.perf_counter(), time.process_time()
                    found = detector(image)
                    taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
                clock, processor = 1000 * np.median(taken[2:], 0)
                print(f"| {word} | {people} | {found.keypoints.shape} | {clock:.0f} | {processor:.0f} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(RTMPoseSpeed))
