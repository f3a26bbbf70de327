"""Builds a TensorRT engine from an ONNX file: with TensorRT for RTX, which needs no GPU, or with standard TensorRT."""

from __future__ import annotations

import hashlib
import importlib.metadata
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdk.detectors.detection import METADATA_KEY as DETECTOR_KEY
from sdk.detectors.detection import DetectorMetadata
from sdk.errors import AdaptPoseError, UnknownChoice
from sdk.lifting import graph_metadata
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.engine_metadata import EngineRecord, record_path
from sdk.runtime.metadata_entry import load_entry
from sdk.runtime.tensorrt_runtime import TITLES, Builder, first_gpu, import_tensorrt
from sdk.version import __version__
from training.files.atomic_file import replacing

BATCH_PROFILE = (1, 64, 512)
"""Smallest, usual and largest batch: one person live; a crowd or a replay; a recording. The engine is tuned for the
usual one."""
WITHOUT_FP32 = ("SM75",)
"""Architectures without fp32. TensorRT for RTX 1.7 refuses fp32 matrix products for Turing: 'FP32 GEMM is not
supported'. fp16 and int8 do not help: a lifter's first and last layers are always fp32 (`export.precision`)."""


class UnknownArchitecture(UnknownChoice):
    """A GPU architecture that no engine can be built for."""

    kind = "GPU architecture to build for"


class EngineNotBuilt(AdaptPoseError):
    """TensorRT refused the graph or the settings."""


class BadBatchProfile(AdaptPoseError, ValueError):
    """Batch sizes that are not in the order smallest, usual, largest."""


def check_batch_profile(batch: tuple[int, int, int]) -> None:
    """Raise BadBatchProfile unless 1 <= min <= opt <= max."""
    if not 1 <= batch[0] <= batch[1] <= batch[2]:
        raise BadBatchProfile(
            f"a batch profile is MIN OPT MAX with 1 <= MIN <= OPT <= MAX, not {' '.join(map(str, batch))}."
        )


def choose_architectures(names: Sequence[str] = (), builder: Builder = "rtx") -> tuple[str, ...]:
    """The GPU architectures to build for.

    Args:
        names: Names such as `sm86` or `SM120`; a name can be a list with commas. Empty means all that can be built.
        builder: `rtx` builds for all architectures that it knows, `tensorrt` only for the GPU of this machine.

    Raises:
        MissingDependency: the builder or polygraphy is not installed.
        UnknownArchitecture: the builder does not know it, or can't build fp32 for it.
        DeviceUnavailable: the builder is `tensorrt`, and there is no GPU.
    """
    trt = import_tensorrt(builder)
    if builder == "tensorrt":
        known = [first_gpu().architecture]
    else:
        members = trt.ComputeCapability.__members__
        known = [name for name in members if name.startswith("SM") and name not in WITHOUT_FP32]
    chosen = [word.strip().upper() for name in names for word in name.split(",") if word.strip()]
    for name in chosen:
        if name not in known:
            hint = ""
            if builder == "tensorrt":
                hint = "TensorRT builds for the GPU of this machine alone; --builder rtx builds for others."
            elif name in WITHOUT_FP32:
                hint = "TensorRT for RTX has no fp32 matrix product for it: run lifter.onnx there, with device='cuda'."
            raise UnknownArchitecture(name, known, hint)
    return tuple(dict.fromkeys(chosen)) or tuple(known)


def write_engine(
    onnx_file: Path,
    engine_file: Path,
    architectures: Sequence[str],
    builder: Builder = "rtx",
    batch: tuple[int, int, int] = BATCH_PROFILE,
    on_progress: Callable[[str, int, int], None] | None = None,
    warn: bool = False,
) -> EngineRecord:
    """Build an engine. Write it and its metadata (`engine_file` + `.json`), each whole or not at all.

    With TensorRT for RTX, the same file and versions give the same bytes.

    Args:
        onnx_file: A lifter or detector that this project exported. The engine gets its tensor types.
        engine_file: The engine to write; its folder must exist.
        architectures: From `choose_architectures`.
        builder: Which TensorRT.
        batch: Smallest, usual and largest batch. The engine is tuned for the usual one.
        on_progress: Called with the builder's phase, the finished steps and all steps.
        warn: Whether to print the builder's warnings.

    Raises:
        BadModelFile: the ONNX file is not from this project.
        BadBatchProfile: the batch sizes are out of order.
        MissingDependency: the builder or polygraphy is not installed.
        EngineNotBuilt: TensorRT refused.
    """
    import onnx

    check_batch_profile(batch)
    model = onnx.load(onnx_file)
    metadata = {p.key: p.value for p in model.metadata_props}
    checkpoint = _checkpoint_of(metadata, onnx_file)
    entries = {key: load_entry(metadata, key, str(onnx_file)) for key in metadata}
    inputs, outputs = _shapes(model.graph.input), _shapes(model.graph.output)
    trt = import_tensorrt(builder)
    engine = _build(trt, onnx_file, inputs, architectures, builder, batch, on_progress, warn)
    record = EngineRecord(
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        engine_bytes=len(engine),
        onnx_sha256=hashlib.sha256(Path(onnx_file).read_bytes()).hexdigest(),
        checkpoint_sha256=checkpoint,
        builder=builder,
        versions={
            "adaptpose": __version__,
            "tensorrt-rtx" if builder == "rtx" else "tensorrt": trt.__version__,
            "polygraphy": importlib.metadata.version("polygraphy"),
        },
        gpu_architectures=tuple(architectures),
        precision=graph_metadata.GraphMetadata.from_metadata(metadata, str(onnx_file)).precision,
        inputs=inputs,
        outputs=outputs,
        batch_profile=dict(zip(("min", "opt", "max"), batch, strict=True)),
        metadata=entries,
    )
    # The metadata is written last and has the engine's hash, so that a pair from two exports is noticed.
    for path, content in ((engine_file, engine), (record_path(engine_file), record.to_json().encode())):
        with replacing(path) as part:
            part.write_bytes(content)
    return record


def why_not_loadable(engine_file: Path, builder: Builder = "rtx") -> str | None:
    """Why the engine can't be loaded on this machine, in TensorRT's words (no GPU, for example); None if it loads."""
    trt = import_tensorrt(builder)

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


def _build(
    trt: Any,
    onnx_file: Path,
    inputs: dict[str, list[int]],
    architectures: Sequence[str],
    builder: Builder,
    batch: tuple[int, int, int],
    on_progress: Callable[[str, int, int], None] | None,
    warn: bool,
) -> bytes:
    from polygraphy.backend.trt import CreateConfig, EngineBytesFromNetwork, NetworkFromOnnxPath, PostprocessConfig
    from polygraphy.backend.trt import Profile as ShapeProfile
    from polygraphy.exception import PolygraphyException

    def set_architectures(_builder: Any, _network: Any, config: Any) -> None:
        config.num_compute_capabilities = len(architectures)
        for index, name in enumerate(architectures):
            config.set_compute_capability(trt.ComputeCapability.__members__[name], index)

    profile = ShapeProfile()
    for name, (_, *rest) in inputs.items():
        profile.add(name, *((size, *rest) for size in batch))
    try:
        with _polygraphy_says(warn), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # from polygraphy's calls to TensorRT
            monitor = None if on_progress is None else _monitor(trt, on_progress)
            # TF32 is on by default. It rounds to 10 bits, which means millimetres.
            config = CreateConfig(profiles=[profile], tf32=False, progress_monitor=monitor)
            if builder == "rtx":
                config = PostprocessConfig(config, set_architectures)
            # Strongly typed: the engine keeps the precisions of the file, which was measured.
            network = NetworkFromOnnxPath(str(onnx_file), strongly_typed=True)
            return bytes(EngineBytesFromNetwork(network, config=config)())
    except PolygraphyException as error:
        raise EngineNotBuilt(
            f"{TITLES[builder]} could not build an engine from {onnx_file} for {', '.join(architectures)}: {error}"
        ) from error


def _monitor(trt: Any, on_progress: Callable[[str, int, int], None]) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self.steps[phase_name] = num_steps
            on_progress(phase_name, 0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            on_progress(phase_name, step + 1, self.steps[phase_name])
            return True

        def phase_finish(self, phase_name: str) -> None:
            on_progress(phase_name, self.steps[phase_name], self.steps[phase_name])

    return Monitor()


@contextmanager
def _polygraphy_says(warn: bool) -> Any:
    from polygraphy.logger import G_LOGGER

    with G_LOGGER.verbosity(G_LOGGER.WARNING if warn else G_LOGGER.ERROR):
        yield


def _checkpoint_of(metadata: dict[str, str], onnx_file: Path) -> str:
    if DETECTOR_KEY in metadata:
        return DetectorMetadata.from_metadata(metadata, origin=str(onnx_file)).checkpoint_sha256
    return LifterMetadata.from_metadata(metadata, origin=str(onnx_file)).checkpoint_sha256


def _shapes(values: Sequence[Any]) -> dict[str, list[int]]:
    return {v.name: [-1 if d.dim_param else d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
