"""Detectors kept in an ONNX file, told apart by the shapes of their inputs and outputs."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.sessions import open_session

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: In the graph.
        shape: Sizes; a name or None where the size is left open.
        kind: Element type as ONNX Runtime writes it, such as `tensor(float)`.
    """

    name: str
    shape: tuple[int | str | None, ...]
    kind: str

    def fits(self, *sizes: int | None) -> bool:
        """Whether the shape has these sizes; None, and a size the graph leaves open, match any."""
        return len(sizes) == len(self.shape) and all(
            want is None or not isinstance(have, int) or have == want
            for want, have in zip(sizes, self.shape, strict=True)
        )

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.kind.removeprefix('tensor').strip('()')} ({sizes})"


class OnnxModel:
    """An open ONNX file.

    Attributes:
        path: The file.
        inputs: Of the graph.
        outputs: Of the graph, in the order `run` returns them.
        device: Where it runs: `cpu`, `cuda` or, an engine, `tensorrt`.
        content_hash: Of the file, 16 hexadecimal digits.

    Raises:
        BadModelFile: the file is missing, or not an ONNX model.
        UnknownDevice, DeviceUnavailable: see `sdk.sessions.open_session`.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.path = path
        self._session = open_session(path, device)
        self.inputs = _ports(self._session.get_inputs())
        self.outputs = _ports(self._session.get_outputs())
        provider = self._session.get_providers()[0]
        self.device = {"CUDAExecutionProvider": "cuda", "CPUExecutionProvider": "cpu"}.get(provider, "tensorrt")
        self.content_hash = content_hash(path)

    @cached_property
    def for_two_threads(self) -> OnnxModel | None:
        """The same file for calls from two threads at once, each with half of the cores; None on other devices.

        A GPU has one queue for both, and an engine one set of buffers.
        """
        if self.device != "cpu":
            return None
        twin = copy.copy(self)
        twin._session = open_session(self.path, threads=max(1, (os.cpu_count() or 2) // 2))
        return twin

    def run(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """All outputs for these inputs."""
        return self._session.run(None, {port.name: array for port, array in zip(self.inputs, arrays, strict=True)})


def content_hash(path: Path) -> str:
    """16 hexadecimal digits that change with a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(partial(file.read, 1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()[:16]


def _ports(arguments: Sequence[onnxruntime.NodeArg]) -> tuple[Port, ...]:
    return tuple(Port(a.name, tuple(a.shape), a.type) for a in arguments)
