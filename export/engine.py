"""A TensorRT engine from lifter.onnx, built by TensorRT for RTX: no GPU is needed to build, one file serves several."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import AdaptPoseError, MissingDependency, UnknownChoice
from sdk.lifter_card import LifterCard
from sdk.version import __version__
from training.atomic_file import replacing

BATCH_PROFILE = (1, 64, 512)
"""Smallest, tuned for, and largest batch: one person live, a crowd or a replay, a recording."""
WITHOUT_FP32 = ("SM75",)
"""TensorRT for RTX 1.7 refuses fp32 matrix products for Turing: 'FP32 GEMM is not supported'."""


class UnknownArchitecture(UnknownChoice):
    """A GPU architecture that no engine can be built for."""

    kind = "GPU architecture to build for"


class EngineNotBuilt(AdaptPoseError):
    """TensorRT refused the graph or the settings."""


@dataclass(frozen=True)
class EngineRecord:
    """What lies beside an engine as JSON: what built it, from what, for what."""

    engine_sha256: str
    onnx_sha256: str
    checkpoint_sha256: str
    builder: str
    versions: dict[str, str]
    gpu_architectures: tuple[str, ...]
    precision: str
    inputs: dict[str, list[int]]
    """Tensor shapes; -1 is the batch."""
    outputs: dict[str, list[int]]
    batch_profile: dict[str, int]
    lifter: dict[str, object]
    """The card: skeleton, normalisation, frame rate, receptive field."""

    def to_json(self) -> str:
        """Indented, keys in the order above."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def choose_architectures(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The GPU architectures to build for.

    Args:
        names: Such as `sm86` or `SM120`, also several with commas between; none for all that can be built.

    Raises:
        MissingDependency: without tensorrt-rtx or polygraphy.
        UnknownArchitecture: TensorRT for RTX does not know it, or can't build fp32 for it.
    """
    trt = _import_tensorrt()
    known = [name for name in trt.ComputeCapability.__members__ if name.startswith("SM") and name not in WITHOUT_FP32]
    chosen = [word.strip().upper() for name in names for word in name.split(",") if word.strip()]
    for name in chosen:
        if name not in known:
            hint = (
                "TensorRT for RTX has no fp32 matrix product for it: run lifter.onnx there, with device='cuda'."
                if name in WITHOUT_FP32
                else ""
            )
            raise UnknownArchitecture(name, known, hint)
    return tuple(dict.fromkeys(chosen)) or tuple(known)


def write_engine(onnx_file: Path, engine_file: Path, architectures: Sequence[str]) -> EngineRecord:
    """Build an fp32 engine and write it, and `engine_file` + `.json`, each whole or not at all.

    The same file and versions give the same bytes.

    Args:
        onnx_file: Written by `write_lifter_onnx`.
        engine_file: Its folder exists.
        architectures: From `choose_architectures`.

    Raises:
        BadModelFile: the ONNX file is not a lifter.
        MissingDependency: without tensorrt-rtx or polygraphy.
        EngineNotBuilt: TensorRT refused.
    """
    import onnx

    model = onnx.load(onnx_file)
    card = LifterCard.from_metadata({p.key: p.value for p in model.metadata_props}, origin=str(onnx_file))
    inputs, outputs = _shapes(model.graph.input), _shapes(model.graph.output)
    engine = _build(onnx_file, inputs, architectures)
    record = EngineRecord(
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        onnx_sha256=hashlib.sha256(Path(onnx_file).read_bytes()).hexdigest(),
        checkpoint_sha256=card.checkpoint_sha256,
        builder="TensorRT for RTX",
        versions={
            "adaptpose": __version__,
            "tensorrt-rtx": _import_tensorrt().__version__,
            "polygraphy": importlib.metadata.version("polygraphy"),
        },
        gpu_architectures=tuple(architectures),
        precision="fp32",
        inputs=inputs,
        outputs=outputs,
        batch_profile=dict(zip(("min", "opt", "max"), BATCH_PROFILE, strict=True)),
        lifter=card.to_dict(),
    )
    # The record is written last and has the engine's hash: a pair from two exports is recognised.
    for path, content in ((engine_file, engine), (record_path(engine_file), record.to_json().encode())):
        with replacing(path) as part:
            part.write_bytes(content)
    return record


def record_path(engine_file: Path) -> Path:
    """Where the record of an engine lies."""
    return engine_file.with_name(engine_file.name + ".json")


def why_not_loadable(engine_file: Path) -> str | None:
    """TensorRT's own reason why the engine can't be loaded on this machine (no GPU, say); None if it loads."""
    trt = _import_tensorrt()

    class Errors(trt.ILogger):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.messages: list[str] = []

        def log(self, severity: object, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                self.messages.append(message)

    errors = Errors()
    engine = trt.Runtime(errors).deserialize_cuda_engine(Path(engine_file).read_bytes())
    return None if engine is not None else (errors.messages or ["no reason given"])[0]


def _build(onnx_file: Path, inputs: dict[str, list[int]], architectures: Sequence[str]) -> bytes:
    trt = _import_tensorrt()
    from polygraphy.backend.trt import CreateConfig, EngineBytesFromNetwork, NetworkFromOnnxPath, PostprocessConfig
    from polygraphy.backend.trt import Profile as ShapeProfile
    from polygraphy.exception import PolygraphyException
    from polygraphy.logger import G_LOGGER

    def set_architectures(builder: Any, network: Any, config: Any) -> None:
        config.num_compute_capabilities = len(architectures)
        for index, name in enumerate(architectures):
            config.set_compute_capability(trt.ComputeCapability.__members__[name], index)

    profile = ShapeProfile()
    for name, (_, *rest) in inputs.items():
        profile.add(name, *((batch, *rest) for batch in BATCH_PROFILE))
    try:
        with G_LOGGER.verbosity(G_LOGGER.ERROR), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of polygraphy's own calls into TensorRT
            # TF32 rounds to 10 bits, which is millimetres; TensorRT's own default is on.
            config = PostprocessConfig(CreateConfig(profiles=[profile], tf32=False), set_architectures)
            return bytes(EngineBytesFromNetwork(NetworkFromOnnxPath(str(onnx_file)), config=config)())
    except PolygraphyException as error:
        raise EngineNotBuilt(
            f"TensorRT for RTX could not build an engine from {onnx_file} for {', '.join(architectures)}: {error}"
        ) from error


def _shapes(values: Sequence[Any]) -> dict[str, list[int]]:
    return {v.name: [-1 if d.dim_param else d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def _import_tensorrt() -> Any:
    for module, package in (("tensorrt_rtx", "tensorrt-rtx"), ("polygraphy", "polygraphy")):
        if importlib.util.find_spec(module) is None:
            raise MissingDependency(package, "tensorrt", "Building a TensorRT engine")
    os.environ.setdefault("POLYGRAPHY_USE_TENSORRT_RTX", "1")
    import polygraphy.config
    import tensorrt_rtx

    if not polygraphy.config.USE_TENSORRT_RTX:
        raise EngineNotBuilt(
            "polygraphy is set to TensorRT proper in this process. Set POLYGRAPHY_USE_TENSORRT_RTX=1 before it is "
            "imported, or run adaptpose-export by itself."
        )
    return tensorrt_rtx
