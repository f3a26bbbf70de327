"""Checks that an exported lifter gives the same poses as its checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from export.precision import BOUNDS, Bound
from sdk.errors import AdaptPoseError
from sdk.lifting.answers import AnswerForm
from sdk.lifting.graph_metadata import Precision
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph
from sdk.lifting.windows import with_seen
from training.lifter.lifter import TemporalLifter

_BATCHES = (1, 7, 512)
"""Batch sizes for the windows; the last one is repeated. Several are used, because a graph can be right at one only."""


class UnequalExport(AdaptPoseError):
    """An exported model with other poses than its checkpoint."""


@dataclass(frozen=True)
class Difference:
    """Distances between the joints of two models on the same windows.

    What a lifter tells beside the joints counts too: deviations in millimetres, the direction up and probabilities in
    thousandths.

    Attributes:
        largest_mm: Largest distance over all joints and windows; not finite if a pose is not.
        mean_mm: Mean distance over all joints and windows.
        windows: Number of windows.
    """

    largest_mm: float
    mean_mm: float
    windows: int

    def require(self, bound: Bound = BOUNDS["fp32"], what: str = "the exported lifter") -> None:
        """Check that the models agree.

        Raises:
            UnequalExport: a difference is above its bound, or not a number.
        """
        limits = ((self.largest_mm, bound.largest_mm, "largest"), (self.mean_mm, bound.mean_mm, "mean"))
        for _, allowed, name in (limit for limit in limits if limit[1] is not None and not limit[0] <= limit[1]):
            raise UnequalExport(
                f"{what} differs from its checkpoint by up to {self.largest_mm:.4g} mm (mean {self.mean_mm:.4g} mm) on "
                f"{self.windows} windows; {name} {allowed} mm is allowed. It must not be used. Export again in fp32; "
                "if that does not help, report the versions of torch, onnx and onnxruntime."
            )


def measure_difference(onnx_file: Path, network: TemporalLifter, windows: np.ndarray) -> Difference:
    """Compare an ONNX file, run by the SDK, with the network it was made from, run by torch.

    Args:
        onnx_file: File from `write_lifter_onnx` or `write_precision`.
        network: The network, in evaluation mode, on the CPU.
        windows: (N, receptive_field, J, 2) float32, N > 0; NaN where a joint is not seen.

    Raises:
        BadModelFile: the file is not a lifter.
        BadKeypoints: the windows do not have the shape in the file's metadata.
    """
    lifter = Lifter(onnx_file)
    return _compare(lifter.answer_windows, lifter.metadata, network, windows)


def measure_streaming_difference(
    onnx_file: Path, metadata: LifterMetadata, precision: Precision, network: TemporalLifter, windows: np.ndarray
) -> Difference:
    """Compare a streaming ONNX file with the network it was made from. Windows are pushed frame by frame from zeros.

    Args:
        onnx_file: File from `write_streaming_onnx` or `write_precision`.
        metadata: Metadata of the lifter.
        precision: Precision of the file.
        network: The network, in evaluation mode, on the CPU.
        windows: (N, receptive_field, J, 2) float32, N > 0; NaN where a joint is not seen.

    Raises:
        BadModelFile: the file is not the streaming graph of this lifter.
    """
    graph = StreamingGraph(onnx_file, metadata, precision)
    return _compare(lambda batch: stream_windows(graph, batch), metadata, network, windows)


def stream_windows(graph: StreamingGraph, windows: np.ndarray) -> np.ndarray:
    """Push windows (B, receptive_field, J, 2) frame by frame from zeros. Returns (B, N) answers to middle frames."""
    states = graph.start(len(windows))
    for frame in range(windows.shape[1]):
        answers, states = graph.step(windows[:, frame], states)
    return answers


def _compare(
    lift: Callable[[np.ndarray], np.ndarray], metadata: LifterMetadata, network: TemporalLifter, windows: np.ndarray
) -> Difference:
    distances, form = [], AnswerForm(metadata)
    for batch in _batches(windows):
        exported = lift(batch).astype(np.float64)
        with torch.inference_mode():
            told = network.told(torch.from_numpy(with_seen(batch) if metadata.input_channels == 3 else batch))
        expected = form.packed([one.numpy() for one in told])
        joints = np.linalg.norm(form.joints_m(exported) - form.joints_m(expected), axis=-1)
        rest = np.abs(exported - expected)[:, joints.shape[1] * 3 :]
        distances.append(np.concatenate([joints, rest], 1) * 1000)
    joined = np.concatenate(distances)
    return Difference(float(joined.max()), float(joined.mean()), len(windows))


def _batches(windows: np.ndarray) -> list[np.ndarray]:
    first = np.cumsum(_BATCHES)
    cuts = [*first, *range(first[-1] + _BATCHES[-1], len(windows), _BATCHES[-1])]
    return [part for part in np.split(windows, [cut for cut in cuts if cut < len(windows)]) if len(part)]
