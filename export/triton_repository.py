"""Writes a model repository for NVIDIA's Triton server: the folder that `tritonserver --model-repository` reads.

There is one model for each graph. Whole windows are batched dynamically. The streaming graph is batched by sequence,
with one sequence per person; its states stay on the server (implicit state). Configurations are written with Triton's
own protobufs, so that they fit its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.shared_weights import whole_model
from sdk.commands.command_line import require_packages
from sdk.errors import AdaptPoseError
from sdk.lifting.graph_metadata import GraphMetadata
from sdk.runtime.engine_metadata import EngineRecord
from sdk.runtime.sessions import ENGINE_SUFFIX, open_session
from training.files.atomic_file import replacing

if TYPE_CHECKING:
    from tritonclient.grpc.model_config_pb2 import ModelConfig

LARGEST_BATCH = 512
QUEUE_DELAY_US = 1000
"""How long a window waits for others to share a batch with: a fortieth of the time of a frame."""
IDLE_S = 60.0
"""After so many seconds without a frame, a sequence ends and its states are freed. Cameras often come back after some
seconds."""
LONGEST_IDLE_S = 86_400.0
"""Longest idle time: a day. An abandoned sequence keeps one of the model's places so long."""


class BadIdleTime(AdaptPoseError, ValueError):
    """An idle time that a server can't use."""


class NotServed(AdaptPoseError, ValueError):
    """A file that Triton has no backend for."""


@dataclass(frozen=True)
class ServedModel:
    """One model of the repository.

    Attributes:
        name: Name that clients use.
        folder: Folder with config.pbtxt; the model file is in 1/.
        backend: `onnxruntime` or `tensorrt`.
    """

    name: str
    folder: Path
    backend: str


def check_idle_time(idle_s: float) -> None:
    """Check the time after which a server frees an idle sequence.

    Raises:
        BadIdleTime: it is not between a millisecond and a day.
    """
    if not 0.001 <= idle_s <= LONGEST_IDLE_S:
        raise BadIdleTime(f"sequences can't be freed after {idle_s:g} s: between 0.001 and {LONGEST_IDLE_S:g} can.")


def write_triton_repository(folder: Path, models: Sequence[Path], idle_s: float = IDLE_S) -> list[ServedModel]:
    """Write a repository, or add to one. Models of the same name are replaced, file by file.

    Args:
        folder: Folder of the repository; made if missing.
        models: .onnx files, and engines of standard TensorRT, with their metadata.
        idle_s: After so many seconds without a frame, a streaming sequence ends and its states are freed.

    Raises:
        BadIdleTime: `idle_s` is not between a millisecond and a day.
        MissingDependency: tritonclient is not installed.
        NotServed: a file is an engine of TensorRT for RTX.
        BadModelFile: a file is damaged.
        BadOutput: the folder can't be written to.
    """
    require_packages("tritonclient", "google.protobuf", extra="triton", purpose="--triton")
    check_idle_time(idle_s)
    return [_write_model(folder, Path(path), idle_s) for path in models]


def _write_model(folder: Path, path: Path, idle_s: float) -> ServedModel:
    from google.protobuf import text_format

    name = re.sub(r"[^A-Za-z0-9]+", "_", path.stem)
    if path.suffix == ENGINE_SUFFIX:
        record = EngineRecord.read(path)
        record.require_file(path)
        if record.builder != "tensorrt":
            raise NotServed(
                f"{path} is an engine of TensorRT for RTX, but Triton runs only those of standard TensorRT. Build one "
                "on the server's GPU with --trt --builder tensorrt, or serve the .onnx file."
            )
        name, backend, file_name = f"{name}_tensorrt", "tensorrt", "model.plan"
        inputs, outputs = record.inputs, record.outputs
        metadata: Mapping[str, str] = record.onnx_metadata
        largest = record.batch_profile["max"]
    else:
        session = open_session(path)
        backend, file_name, largest = "onnxruntime", "model.onnx", LARGEST_BATCH
        inputs = {value.name: list(value.shape) for value in session.get_inputs()}
        outputs = {value.name: list(value.shape) for value in session.get_outputs()}
        metadata = session.get_modelmeta().custom_metadata_map
    kind = GraphMetadata.from_metadata(metadata, str(path)).kind
    config = triton_config(name, backend, kind == "streaming", inputs, outputs, metadata, largest, idle_s)
    target = folder / name
    (target / "1").mkdir(parents=True, exist_ok=True)
    with replacing(target / "1" / file_name) as part:
        part.write_bytes(path.read_bytes() if backend == "tensorrt" else whole_model(path))
    with replacing(target / "config.pbtxt") as part:
        part.write_text(text_format.MessageToString(config), encoding="utf-8")
    return ServedModel(name, target, backend)


def triton_config(
    name: str,
    backend: str,
    streaming: bool,
    inputs: Mapping[str, Sequence[Any]],
    outputs: Mapping[str, Sequence[Any]],
    metadata: Mapping[str, str],
    largest_batch: int = LARGEST_BATCH,
    idle_s: float = IDLE_S,
) -> ModelConfig:
    """The configuration of one model.

    Args:
        name: Name of the model.
        backend: `onnxruntime` or `tensorrt`.
        streaming: Whether all inputs after the first are states, and the last outputs the next states, in the same
            order.
        inputs: Shapes of the inputs by name, batch first.
        outputs: Shapes of the outputs by name, batch first.
        metadata: Passed to clients as parameters.
        largest_batch: Largest batch that the server may make.
        idle_s: After so many seconds without a frame, a sequence ends.
    """
    from tritonclient.grpc.model_config_pb2 import TYPE_FP32, ModelConfig

    config = ModelConfig(name=name, max_batch_size=largest_batch)
    if backend == "tensorrt":
        config.platform = "tensorrt_plan"
    else:
        config.backend = backend
    for key, value in sorted(metadata.items()):
        config.parameters[key].string_value = value
    ins, outs = list(inputs.items()), list(outputs.items())
    states = len(ins) - 1 if streaming else 0
    answers = len(outs) - states  # a lifter with feet tells more than joints
    for name_, shape in ins[:1] if streaming else ins:
        config.input.add(name=name_, data_type=TYPE_FP32, dims=shape[1:])
    for name_, shape in outs[:answers]:
        config.output.add(name=name_, data_type=TYPE_FP32, dims=shape[1:])
    if not streaming:
        config.dynamic_batching.max_queue_delay_microseconds = QUEUE_DELAY_US
        return config
    config.sequence_batching.max_sequence_idle_microseconds = round(idle_s * 1e6)
    config.sequence_batching.oldest.max_candidate_sequences = largest_batch
    config.sequence_batching.oldest.max_queue_delay_microseconds = QUEUE_DELAY_US
    for (before, shape), (after, _) in zip(ins[1:], outs[answers:], strict=True):
        state = config.sequence_batching.state.add(
            input_name=before, output_name=after, data_type=TYPE_FP32, dims=shape[1:]
        )
        # Without an initial state, a sequence starts from random memory.
        state.initial_state.add(name="zeros", data_type=TYPE_FP32, dims=shape[1:], zero_data=True)
    return config
