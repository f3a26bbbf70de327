"""Measures the speed of the lifter: live, offline, in torch, and in training. Run: python -m benchmarks.lifting"""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import tyro
from torch import Tensor, nn

from export.machine import cpu_name
from export.timing import time_calls
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import streaming_path
from training.lifter.lifter import ResidualBlock, TemporalLifter
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx

IMAGE_SIZE = (1920, 1080)


@dataclass(frozen=True)
class Lifting:
    """Time the lifter. Its weights are random, because speed does not depend on them."""

    channels: int = 256
    """Width of the network; the shipped lifter has 256, the paper's 1024."""
    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Filter widths. Their product is the receptive field: 3 3 3 3 3 gives 243 frames."""
    threads: int = 2
    """CPU threads of torch and of ONNX Runtime."""
    seconds: float = 2.0
    """Seconds to measure each row."""


class ConvLifter(nn.Module):
    """The baseline: the same network as strided `conv1d` over (B, C, T), as the papers describe it."""

    def __init__(self, network: TemporalLifter) -> None:
        super().__init__()
        self.joints, self.dropout = network.joints, nn.Dropout(network.dropout)
        pairs = [(network.expand, network.expand_norm)]
        for block in network.blocks:
            assert isinstance(block, ResidualBlock)
            pairs += [(block.wide, block.wide_norm), (block.narrow, block.narrow_norm)]
        self.widths = [layer.width for layer, _ in pairs]
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for layer, norm in pairs:
            out_channels, in_channels = layer.linear.out_features, layer.linear.in_features // layer.width
            conv = nn.Conv1d(in_channels, out_channels, layer.width, stride=layer.width, bias=False)
            conv.weight.data.copy_(layer.linear.weight.detach().view(out_channels, layer.width, in_channels).mT)
            self.convs.append(conv)
            self.norms.append(nn.BatchNorm1d(out_channels))
            self.norms[-1].load_state_dict(norm.norm.state_dict())
        self.head = nn.Conv1d(network.channels, network.joints * 3, 1)
        self.head.weight.data.copy_(network.head.weight.detach()[..., None])
        self.head.bias.data.copy_(network.head.bias.detach())  # type: ignore[union-attr]

    def forward(self, windows: Tensor) -> Tensor:
        """(B, T, J, C) to (B, J, 3)."""

        def layer(index: int, x: Tensor) -> Tensor:
            return self.dropout(torch.relu(self.norms[index](self.convs[index](x))))

        x = layer(0, windows.flatten(2).mT)
        for wide in range(1, len(self.convs), 2):
            width = self.widths[wide]
            x = x[..., width // 2 :: width] + layer(wide + 1, layer(wide, x))
        return self.head(x)[..., 0].unflatten(-1, (self.joints, 3))


def main() -> None:
    """Print machine, versions and the table."""
    settings = tyro.cli(Lifting)
    torch.set_num_threads(settings.threads)
    network = TemporalLifter(settings.filter_widths, settings.channels).eval()
    print(f"{cpu_name()}, {os.cpu_count()} logical cores, {settings.threads} threads; {platform.platform()}")
    print(f"Python {platform.python_version()}, torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"lifter: {network.receptive_field} frames, {settings.channels} channels, fp32")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lifter.onnx"
        metadata = LifterMetadata(network.receptive_field)
        write_lifter_onnx(network, metadata, path)
        lifter = Lifter(path, threads=settings.threads)
        _head("one person live: Lifter.stream().push, ONNX Runtime, threads as a live stream has them")
        _live("window graph", Lifter(path, threads=1), settings.seconds)
        write_streaming_onnx(network, metadata, streaming_path(path))
        _live("streaming graph", Lifter(path), settings.seconds)
        _head("one recording: COCO-17 pixels to poses, 5000 frames at 25 and 30 Hz")
        _offline(lifter, network, settings.seconds)
        _head("1000 separate windows at once")
        _windows(lifter, network, settings.seconds)
    _head("training step: forward and backward, 256 windows")
    _training(network, settings.seconds)


def _live(name: str, lifter: Lifter, seconds: float) -> None:
    frames = _recording(1000)
    stream = lifter.stream(IMAGE_SIZE, "coco17")
    pushed = 0

    def push() -> None:
        nonlocal pushed
        stream.push(frames[pushed % len(frames)], pushed / lifter.metadata.frame_rate_hz)
        pushed += 1

    for _ in range(lifter.metadata.receptive_field):  # the first pushes only fill the window
        push()
    _row(name, time_calls(push, seconds), 1)


def _offline(lifter: Lifter, network: TemporalLifter, seconds: float) -> None:
    frames = _recording(5000)
    for fps in (25.0, 30.0):
        lift = partial(lifter, frames, IMAGE_SIZE, "coco17", fps)
        _row(f"Lifter.__call__, {fps:.0f} Hz", time_calls(lift, seconds), 5000)
    edge = network.receptive_field // 2
    sequence = torch.rand(1, 5000 + 2 * edge, network.joints, 2)
    with torch.inference_mode():
        _row(
            "torch eager, dilated (network only)", time_calls(lambda: network.forward_sequence(sequence), seconds), 5000
        )


def _windows(lifter: Lifter, network: TemporalLifter, seconds: float) -> None:
    windows = torch.rand(1000, network.receptive_field, network.joints, 2)
    array = windows.numpy()
    conv = ConvLifter(network).eval()
    _row("ONNX Runtime: Lifter.lift_windows", time_calls(lambda: lifter.lift_windows(array), seconds), 1000)
    with torch.inference_mode():
        _row("torch eager, strided (reshape + matmul)", time_calls(lambda: network(windows), seconds), 1000)
        _row("torch eager, strided conv1d", time_calls(lambda: conv(windows), seconds), 1000)
        _row("torch eager, dilated", time_calls(lambda: network.forward_sequence(windows), seconds), 1000)


def _training(network: TemporalLifter, seconds: float) -> None:
    windows = torch.rand(256, network.receptive_field, network.joints, 2)
    for name, model in (("reshape + matmul", network), ("conv1d", ConvLifter(network))):
        model.train()

        def step(model: nn.Module = model) -> None:
            model.zero_grad(set_to_none=True)
            model(windows).square().mean().backward()

        _row(name, time_calls(step, seconds), 256)


def _recording(frames: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1000, (frames, 17, 2)).astype(np.float32)


def _head(title: str) -> None:
    columns = ("best ms", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "poses/s")
    print(f"\n{title}\n{'':42}{''.join(f'{column:>10}' for column in columns)}")


def _row(name: str, durations: np.ndarray, poses: int) -> None:
    clock, cpu = durations
    # A busy machine disturbs the best time and the median processor time (over all threads) least.
    best, p50, p95, p99 = np.percentile(clock, [0, 50, 95, 99])
    values = "".join(f"{seconds * 1e3:10.3f}" for seconds in (best, p50, p95, p99, np.median(cpu)))
    print(f"{name:42}{values}{poses / p50:10.0f}")


if __name__ == "__main__":
    main()
