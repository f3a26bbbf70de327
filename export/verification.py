"""Checks that an exported lifter gives the same poses as its checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from export.precision import BOUNDS, Bound
from sdk.errors import AdaptPoseError
from sdk.lifting.answers import JOINTS_OUTPUT, AnswerForm
from sdk.lifting.graph_metadata import Precision
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph
from sdk.lifting.windows import with_seen
from training.lifter.lifter import TemporalLifter

_BATCHES = (1, 7, 512)
"""Batch sizes for the windows; the last one is repeated. Several are used, because a graph can be right at one only."""
TOLD_SHARE = 2
"""What a lifter tells beside the joints may differ by so many times the joints' bound in thousandths: in int8 by 0.3
degrees of the vertical, 6 mm of a deviation, 0.006 of a probability."""
_WAY_OUT = (
    "It must not be used. Export again in fp32; if that does not help, report the versions of torch, onnx and "
    "onnxruntime."
)


class UnequalExport(AdaptPoseError):
    """An exported model with other poses than its checkpoint."""


@dataclass(frozen=True)
class Difference:
    """Distances between the joints of two models on the same windows.

    Attributes:
        largest_mm: Largest distance over all joints and windows; not finite if a pose is not.
        mean_mm: Mean distance over all joints and windows.
        windows: Number of windows.
        told: The largest and the mean difference of each output beside the joints, in thousandths of its unit: metres
            (deviations), a direction's length, radians, probability. For their bounds, see `TOLD_SHARE`.
    """

    largest_mm: float
    mean_mm: float
    windows: int
    told: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def require(self, bound: Bound = BOUNDS["fp32"], what: str = "the exported lifter") -> None:
        """Check that the models agree.

        Raises:
            UnequalExport: a difference is above its bound, or not a number.
        """
        limits = ((self.largest_mm, bound.largest_mm, "largest"), (self.mean_mm, bound.mean_mm, "mean"))
        for _, allowed, name in (limit for limit in limits if limit[1] is not None and not limit[0] <= limit[1]):
            raise UnequalExport(
                f"{what} differs from its checkpoint by up to {self.largest_mm:.4g} mm (mean {self.mean_mm:.4g} mm) on "
                f"{self.windows} windows; {name} {allowed} mm is allowed. {_WAY_OUT}"
            )
        for name, (largest, mean) in self.told.items():
            most = TOLD_SHARE * (bound.mean_mm if bound.largest_mm is None else bound.largest_mm)
            if not (mean if bound.largest_mm is None else largest) <= most:
                limit = f"mean {most:g}" if bound.largest_mm is None else f"largest {most:g}"
                raise UnequalExport(
                    f"{what}: its output {name!r} differs from its checkpoint by up to {largest:.4g} thousandths (mean "
                    f"{mean:.4g}) on {self.windows} windows; {limit} is allowed. {_WAY_OUT}"
                )

    def lines(self) -> list[str]:
        """What is told beside the joints, for people."""
        units = {"deviations": "mm", "up_deviation": "mrad"}
        parts = [
            f"{name} {largest:.3f} / {mean:.4f} {units.get(name, 'thousandths')}"
            for name, (largest, mean) in self.told.items()
        ]
        return [f"largest / mean of {', '.join(parts)}"] if parts else []


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
    form = AnswerForm(metadata)
    distances: dict[str, list[np.ndarray]] = {name: [] for name in form.outputs}
    for batch in _batches(windows):
        exported = lift(batch).astype(np.float64)
        with torch.inference_mode():
            told = network.told(torch.from_numpy(with_seen(batch) if metadata.input_channels == 3 else batch))
        for name, ours, theirs in zip(form.outputs, form.split(exported), told, strict=True):
            off = ours - theirs.numpy().reshape(ours.shape)
            apart = np.linalg.norm(off, axis=-1) if name in (JOINTS_OUTPUT, "up") else np.abs(off)
            distances[name].append(apart.reshape(len(batch), -1) * 1000)
    found = {name: np.concatenate(parts) for name, parts in distances.items()}
    measured = {name: (float(values.max()), float(values.mean())) for name, values in found.items()}
    return Difference(*measured.pop(JOINTS_OUTPUT), len(windows), measured)


def _batches(windows: np.ndarray) -> list[np.ndarray]:
    first = np.cumsum(_BATCHES)
    cuts = [*first, *range(first[-1] + _BATCHES[-1], len(windows), _BATCHES[-1])]
    return [part for part in np.split(windows, [cut for cut in cuts if cut < len(windows)]) if len(part)]
