"""Metadata of a TensorRT engine (a JSON file in the same folder), and the checks that use it.

An engine can't be inspected, and a wrong one fails late or gives wrong numbers. So it is opened only with its metadata,
and only if the metadata says that it fits.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sdk.errors import BadModelFile
from sdk.runtime.tensorrt_runtime import TITLES, Builder, Gpu

FORMAT_VERSION = 1
_LARGEST_RECORD_BYTES = 1 << 20
_LIBRARIES: dict[Builder, str] = {"rtx": "tensorrt-rtx", "tensorrt": "tensorrt"}


class EngineMismatch(BadModelFile):
    """An engine for another GPU, version or model, or one that does not fit its metadata."""


@dataclass(frozen=True)
class EngineRecord:
    """The metadata of one engine."""

    engine_sha256: str
    engine_bytes: int
    onnx_sha256: str
    """Hash of the ONNX file that it was built from."""
    checkpoint_sha256: str
    """Hash of the checkpoint that the ONNX file was made from."""
    builder: Builder
    """See `sdk.runtime.tensorrt_runtime.Builder`."""
    versions: dict[str, str]
    """Versions of the packages that built it. To run it, `tensorrt-rtx` or `tensorrt` must have the same version."""
    gpu_architectures: tuple[str, ...]
    """GPU architectures, such as `SM86`."""
    precision: str
    inputs: dict[str, list[int]]
    """Shapes of the float32 inputs by name; -1 is the batch."""
    outputs: dict[str, list[int]]
    batch_profile: dict[str, int]
    """Batch sizes: `min`, `opt`, `max`."""
    metadata: dict[str, object]
    """The ONNX file's metadata: the lifter's metadata and the graph's."""
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Indented JSON, with keys in the order above."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @property
    def library(self) -> str:
        """The package that must have the same version."""
        return _LIBRARIES[self.builder]

    @property
    def onnx_metadata(self) -> dict[str, str]:
        """The metadata in the form of an ONNX file."""
        return {key: v if isinstance(v, str) else json.dumps(v, sort_keys=True) for key, v in self.metadata.items()}

    @classmethod
    def read(cls, engine_file: Path) -> EngineRecord:
        """Read the metadata of an engine.

        Raises:
            BadModelFile: the metadata is missing or damaged.
        """
        path = record_path(Path(engine_file))
        if not path.is_file():
            raise BadModelFile(
                f"{engine_file} has no record: {path.name} is missing beside it, so nobody can tell what it was built "
                "from and for. Copy both files, or export it again with adaptpose-export --trt."
            )
        if path.stat().st_size > _LARGEST_RECORD_BYTES:
            raise BadModelFile(f"{path} is {path.stat().st_size} bytes long: that is no record of an engine.")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format_version"] != FORMAT_VERSION:
                raise BadModelFile(
                    f"{path}: record version {values['format_version']!r} can't be read, only {FORMAT_VERSION}. Export "
                    "the engine again."
                )
            _check_types(values)
            record = cls(**values | {"gpu_architectures": tuple(values["gpu_architectures"])})
        except BadModelFile:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BadModelFile(
                f"{path} is damaged, or no record of an engine: {type(error).__name__} {error}."
            ) from error
        return record

    def require_file(self, engine_file: Path) -> None:
        """Check that this is exactly the engine that the metadata was written for.

        Raises:
            EngineMismatch: the file is cut off, changed, or another engine.
        """
        size = Path(engine_file).stat().st_size
        if size != self.engine_bytes:
            what = "it is cut off" if size < self.engine_bytes else "it is another file"
            raise EngineMismatch(
                f"{engine_file} is {size} bytes long, its record says {self.engine_bytes}: {what}. Copy it again "
                f"together with {record_path(Path(engine_file)).name}, or export it again."
            )
        found = hashlib.sha256(Path(engine_file).read_bytes()).hexdigest()
        if found != self.engine_sha256:
            raise EngineMismatch(
                f"{engine_file} is not the engine that {record_path(Path(engine_file)).name} describes: its hash is "
                f"{found[:12]}, the record says {self.engine_sha256[:12]}. One of them is damaged or of another "
                "export. Copy both again, or export again."
            )

    def require_version(self, installed: str, engine_file: Path) -> None:
        """Check that this version of the library can run it.

        Raises:
            EngineMismatch: the engine was built by another version.
        """
        built = self.versions[self.library]
        if installed != built:
            raise EngineMismatch(
                f"{engine_file} was built by {TITLES[self.builder]} {built}, installed is {installed}; engines run in "
                f"the version that built them. Install {self.library}=={built}, or export again here."
            )

    def require_gpu(self, gpu: Gpu, engine_file: Path) -> None:
        """Check that it was built for this GPU.

        Raises:
            EngineMismatch: it was built for another GPU.
        """
        if gpu.architecture not in self.gpu_architectures:
            raise EngineMismatch(
                f"{engine_file} was built for {', '.join(self.gpu_architectures)}, the GPU here is {gpu}. Export it "
                f"again with --trt --gpu {gpu.architecture.lower()}."
            )

    def require_checkpoint(self, checkpoint_sha256: str, engine_file: Path, other: Path) -> None:
        """Check that it was made from the same checkpoint as another file.

        Raises:
            EngineMismatch: it was made from another checkpoint.
        """
        if self.checkpoint_sha256 != checkpoint_sha256:
            raise EngineMismatch(
                f"{engine_file} is of checkpoint {self.checkpoint_sha256[:12] or 'unknown'}, {other} of "
                f"{checkpoint_sha256[:12] or 'unknown'}: they are two models. Export again with --trt."
            )


def _check_types(values: dict[str, Any]) -> None:
    """Raise an error that names a value of the wrong type."""

    def require(name: str, holds: bool) -> None:
        if not holds:
            raise ValueError(f"in {name}")

    for name in ("engine_sha256", "onnx_sha256", "checkpoint_sha256", "precision"):
        require(name, isinstance(values[name], str))
    builder, versions, profile = values["builder"], values["versions"], values["batch_profile"]
    require("builder", builder in get_args(Builder))
    require("engine_bytes", _is_size(values["engine_bytes"]))
    require("versions", isinstance(versions, dict) and all(isinstance(version, str) for version in versions.values()))
    require("versions", _LIBRARIES[builder] in versions)
    architectures = values["gpu_architectures"]
    require("gpu_architectures", isinstance(architectures, list) and all(isinstance(a, str) for a in architectures))
    for name in ("inputs", "outputs"):
        require(name, bool(values[name]) and isinstance(values[name], dict))
        for shape in values[name].values():
            require(name, isinstance(shape, list) and all(size == -1 or _is_size(size) for size in shape))
    require("batch_profile", isinstance(profile, dict) and all(map(_is_size, profile.values())))
    require("batch_profile", 1 <= profile["min"] <= profile["opt"] <= profile["max"])
    require("metadata", isinstance(values["metadata"], dict))


def _is_size(value: object) -> bool:
    """Whether it is a whole number from 1. True and 1.0 are not accepted."""
    return type(value) is int and value >= 1


def record_path(engine_file: Path) -> Path:
    """The metadata file of an engine."""
    return engine_file.with_name(engine_file.name + ".json")
