"""Does an exported lifter give the checkpoint's poses?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sdk.errors import AdaptPoseError
from sdk.lifter import Lifter
from training.models.lifter import TemporalLifter

TOLERANCE_MM = 0.05
"""Of fp32: rounding alone gives a few micrometres; a wrong weight gives more."""
_BATCHES = (1, 7, 512)
"""Sizes that the windows are cut into, the last one repeatedly: a graph can be right at one batch size only."""


class UnequalExport(AdaptPoseError):
    """An exported model that does not give the checkpoint's poses."""


@dataclass(frozen=True)
class Difference:
    """Distances between the joints of two models on the same windows.

    Attributes:
        largest_mm: Over all joints of all windows; not finite if an answer is not.
        mean_mm: Over the same.
        windows: How many there were.
    """

    largest_mm: float
    mean_mm: float
    windows: int

    def require(self, tolerance_mm: float = TOLERANCE_MM) -> None:
        """Do nothing if the models agree.

        Raises:
            UnequalExport: the largest difference is above the tolerance, or not a number.
        """
        if not self.largest_mm <= tolerance_mm:
            raise UnequalExport(
                f"the exported lifter differs from its checkpoint by up to {self.largest_mm:.4g} mm (mean "
                f"{self.mean_mm:.4g} mm) on {self.windows} windows; {tolerance_mm} mm is allowed. It must not be used. "
                "Export again; if that does not help, report the versions of torch, onnx and onnxruntime."
            )


def measure_difference(onnx_file: Path, network: TemporalLifter, windows: np.ndarray) -> Difference:
    """Compare an ONNX file, run as the SDK runs it, with the network it was made from, run by torch.

    Args:
        onnx_file: Written by `write_lifter_onnx`.
        network: In evaluation mode, on the CPU.
        windows: (N, receptive_field, 16, 2) float32, N > 0.

    Raises:
        BadModelFile: the file is not a lifter.
        BadKeypoints: windows of another shape than the file's card says.
    """
    lifter = Lifter(onnx_file)
    distances = []
    for batch in _batches(windows):
        exported = lifter.lift_windows(batch).astype(np.float64)
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        distances.append(np.linalg.norm(exported - expected, axis=-1) * 1000)
    joined = np.concatenate(distances)
    return Difference(float(joined.max()), float(joined.mean()), len(windows))


def _batches(windows: np.ndarray) -> list[np.ndarray]:
    first = np.cumsum(_BATCHES)
    cuts = [*first, *range(first[-1] + _BATCHES[-1], len(windows), _BATCHES[-1])]
    return [part for part in np.split(windows, [cut for cut in cuts if cut < len(windows)]) if len(part)]
