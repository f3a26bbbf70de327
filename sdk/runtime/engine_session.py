"""Runs a TensorRT engine, with the methods of an ONNX Runtime session. Polygraphy does the work on the GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.errors import BadModelFile
from sdk.runtime.engine_metadata import EngineMismatch, EngineRecord
from sdk.runtime.sessions import SessionMetadata, SessionPort
from sdk.runtime.tensorrt_runtime import TITLES, Gpu, first_gpu, import_tensorrt, tensorrt_version


class Runner(Protocol):
    """The methods of polygraphy's `TrtRunner` that this project uses."""

    def activate(self) -> None:
        """Load the engine and its buffers onto the GPU."""

    def infer(self, feed_dict: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Run once. The next call overwrites the returned arrays."""

    def deactivate(self) -> None:
        """Free what `activate` took."""


class EngineSession:
    """Runs an engine. It has the methods of `onnxruntime.InferenceSession` that this project uses.

    Args:
        path: The engine; its metadata must be in the same folder.
        find_gpu: Finds the GPU. Only tests change it.
        open_runner: Opens a runner from builder and path. Only tests change it.

    Raises:
        BadModelFile: the engine or its metadata is missing or damaged.
        EngineMismatch: the engine is for another GPU, version or model; both are named.
        MissingDependency: TensorRT, polygraphy or nvidia-ml-py is not installed.
        DeviceUnavailable: there is no GPU or driver here.
    """

    def __init__(
        self,
        path: Path,
        find_gpu: Callable[[], Gpu] = first_gpu,
        open_runner: Callable[[str, Path], Runner] | None = None,
    ) -> None:
        self._path = path = Path(path)
        if not path.is_file():
            raise BadModelFile(f"no engine at {path}. Build one with adaptpose-export --trt.")
        self.record = record = EngineRecord.read(path)
        record.require_file(path)
        record.require_version(tensorrt_version(record.builder), path)
        self.gpu = find_gpu()
        record.require_gpu(self.gpu, path)
        self._runner = (open_runner or _polygraphy_runner)(record.builder, path)
        self._runner.activate()

    def get_inputs(self) -> list[SessionPort]:
        """The inputs, in the order of the graph."""
        return [_tensor(*item) for item in self.record.inputs.items()]

    def get_outputs(self) -> list[SessionPort]:
        """The outputs, in the order of the graph."""
        return [_tensor(*item) for item in self.record.outputs.items()]

    def get_modelmeta(self) -> SessionMetadata:
        """The metadata of the ONNX file that it was built from."""
        return SessionMetadata(self.record.onnx_metadata)

    def get_providers(self) -> list[str]:
        """What runs it, and where."""
        return [f"{TITLES[self.record.builder]} on {self.gpu.name}"]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run any batch. Batches that are too large are split; those that are too small are filled up.

        Args:
            names: Names of the wanted outputs; None for all, in their order.
            feeds: Every input; axis 0 is the batch.
        """
        wanted = list(names or self.record.outputs)
        smallest, largest = self.record.batch_profile["min"], self.record.batch_profile["max"]
        count = len(next(iter(feeds.values())))
        parts: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
        for start in range(0, count, largest):
            part = {name: array[start : start + largest] for name, array in feeds.items()}
            rows = min(largest, count - start)
            answers = self._runner.infer({name: _filled(array, smallest) for name, array in part.items()})
            missing = [name for name in wanted if name not in answers]
            if missing:
                raise EngineMismatch(
                    f"{self._path} has no output {', '.join(missing)}; it has {', '.join(answers)}. Export it again."
                )
            for name in wanted:
                parts[name].append(np.array(answers[name][:rows]))  # copied: the next call overwrites it
        return [np.concatenate(parts[name]) for name in wanted]

    def close(self) -> None:
        """Free the GPU's memory. The session can't be used after that."""
        self._runner.deactivate()


def _tensor(name: str, sizes: Sequence[int]) -> SessionPort:
    return SessionPort(name, ["batch" if size < 0 else size for size in sizes])


def _filled(array: np.ndarray, smallest: int) -> np.ndarray:
    """The array as contiguous float32, filled up with zeros to at least `smallest` rows."""
    missing = max(0, smallest - len(array))
    padding = np.zeros((missing, *array.shape[1:]), np.float32)
    return np.ascontiguousarray(np.concatenate([array, padding]) if missing else array, np.float32)


def _polygraphy_runner(builder: str, path: Path) -> Runner:
    import_tensorrt(builder)
    from polygraphy.backend.common import BytesFromPath
    from polygraphy.backend.trt import EngineFromBytes, TrtRunner

    return TrtRunner(EngineFromBytes(BytesFromPath(str(path))))
