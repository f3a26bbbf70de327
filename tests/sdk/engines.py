"""Engines for tests: a file, its record, and stand-ins for the GPU and for polygraphy's runner."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sdk.lifting.graph_metadata import GraphMetadata
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.engine_metadata import EngineRecord, record_path
from sdk.runtime.tensorrt_runtime import Gpu

METADATA = LifterMetadata(name="an engine", checkpoint_sha256="ab" * 32)
RTX_3090 = Gpu("NVIDIA GeForce RTX 3090", "SM86", "580.65")
VERSION = "1.7.1"


def write_engine_pair(path: Path, **changes: object) -> EngineRecord:
    """Write bytes that no TensorRT would load, and the record that belongs to them."""
    content = b"an engine, as far as its record can tell" * 10
    path.write_bytes(content)
    metadata = METADATA.to_metadata() | GraphMetadata.describe(METADATA).to_metadata()
    values: dict[str, object] = {
        "engine_sha256": hashlib.sha256(content).hexdigest(),
        "engine_bytes": len(content),
        "onnx_sha256": "cd" * 32,
        "checkpoint_sha256": METADATA.checkpoint_sha256,
        "builder": "rtx",
        "versions": {"adaptpose": "0.1.0", "tensorrt-rtx": VERSION, "polygraphy": "0.53.6"},
        "gpu_architectures": ("SM86", "SM89"),
        "precision": "fp32",
        "inputs": {"keypoints": [-1, 27, 16, 2]},
        "outputs": {"joints": [-1, 16, 3]},
        "batch_profile": {"min": 2, "opt": 3, "max": 4},
        "metadata": {key: json.loads(value) for key, value in metadata.items()},
    }
    record = EngineRecord(**(values | changes))  # type: ignore[arg-type]
    record_path(path).write_text(record.to_json())
    return record


class StandInRunner:
    """Does what polygraphy's runner is asked to: notes the calls, returns sums of windows, and reuses its buffer."""

    def __init__(self, builder: str, path: Path) -> None:
        self.calls: list[tuple[object, ...]] = [("open", builder, path.name)]
        self._buffer = np.zeros((4, 16, 3), np.float32)

    def activate(self) -> None:
        self.calls.append(("activate",))

    def infer(self, feed_dict: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        windows = feed_dict["keypoints"]
        self.calls.append(("infer", windows.shape, str(windows.dtype), windows.flags.c_contiguous))
        joints = self._buffer[: len(windows)]
        joints[:] = windows.sum((1, 2, 3))[:, None, None]
        return {"joints": joints}

    def deactivate(self) -> None:
        self.calls.append(("deactivate",))
