"""Opens 2D detectors in ONNX files. The kind of detector follows from the shapes of inputs and outputs."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.detectors.detection import Detector, missing_boxes, needless_boxes
from sdk.detectors.movenet.multi_person import MoveNetMulti
from sdk.detectors.movenet.single_person import MoveNetSingle
from sdk.detectors.openmmlab.rtmo import RTMO
from sdk.detectors.openmmlab.rtmpose import RTMPose
from sdk.detectors.openmmlab.whole_image import INPUT_PX
from sdk.detectors.openmmlab.yolox import YOLOX
from sdk.detectors.person_boxes import check_detection_interval
from sdk.errors import BadModelFile
from sdk.files.content_hash import file_sha256
from sdk.runtime.openvino_session import OpenVinoSession
from sdk.runtime.sessions import open_session
from sdk.runtime.threads import thread_limit

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: Name in the graph.
        shape: Sizes; a name or None for an open size.
        kind: Element type in ONNX Runtime's words, such as `tensor(float)`.
    """

    name: str
    shape: tuple[int | str | None, ...]
    kind: str

    def fits(self, *sizes: int | None) -> bool:
        """Whether the shape has these sizes. None matches any size, and so does an open size."""
        return len(sizes) == len(self.shape) and all(
            want is None or not isinstance(have, int) or have == want
            for want, have in zip(sizes, self.shape, strict=True)
        )

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.kind.removeprefix('tensor').strip('()')} ({sizes})"


class OnnxModel:
    """An open ONNX file.

    Args:
        path: The file.
        device: As in `sdk.runtime.sessions.open_session`.
        runs: A file with the same answers to run in its place; None for the file itself.

    Attributes:
        path: The file.
        inputs: Inputs of the graph.
        outputs: Outputs of the graph, in the order of `run`.
        device: Device that runs it: `cpu`, `openvino`, `cuda`, or `tensorrt` for an engine.
        identity: Hash of the file, 16 hexadecimal digits; where it is not computed in single precision on the CPU, the
            precision too.

    Raises:
        BadModelFile: the file is missing or no ONNX model.
        UnknownDevice, DeviceUnavailable: see `sdk.runtime.sessions.open_session`.
    """

    def __init__(self, path: Path, device: str = "cpu", runs: Path | None = None) -> None:
        self.path = path
        self._runs = runs or path
        self._session = open_session(self._runs, device)
        self.inputs = _ports(self._session.get_inputs())
        self.outputs = _ports(self._session.get_outputs())
        self.identity = content_hash(path)
        provider = self._session.get_providers()[0]
        if isinstance(self._session, OpenVinoSession):
            self.device = "openvino"
            self.identity += f"-openvino-{self._session.precision}"
        else:
            self.device = {"CUDAExecutionProvider": "cuda", "CPUExecutionProvider": "cpu"}.get(provider, "tensorrt")

    @cached_property
    def for_two_threads(self) -> OnnxModel | None:
        """The same model for two threads at once, each with half of the cores. Only on the processor; else None.

        On a GPU both would wait in one queue, and an engine has only one set of buffers.
        """
        if self.device not in ("cpu", "openvino"):
            return None
        twin = copy.copy(self)
        cores = thread_limit() or os.cpu_count() or 2
        twin._session = open_session(self._runs, self.device, max(1, cores // 2), callers=2)
        return twin

    def run(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """All outputs for these inputs."""
        return self._session.run(None, {port.name: array for port, array in zip(self.inputs, arrays, strict=True)})


def content_hash(path: Path) -> str:
    """Hash of a file's bytes, 16 hexadecimal digits."""
    return file_sha256(path)[:16]


def _ports(arguments: Sequence[onnxruntime.NodeArg]) -> tuple[Port, ...]:
    return tuple(Port(a.name, tuple(a.shape), a.type) for a in arguments)


KNOWN_GRAPHS = """
  MoveNet single pose: int32 (1, S, S, 3) -> float (1, 1, 17, 3)
  MoveNet multipose:   int32 (1, h, w, 3) -> float (1, 6, 56)
  RTMPose, RTMW:       float (N, 3, H, W) -> simcc_x (N, J, 2 W), simcc_y (N, J, 2 H); J is 17, 26 or 133
  RTMO:                float (N, 3, H, W) -> dets (N, P, 5), keypoints (N, P, 17, 3)
  YOLOX (boxes only):  float (N, 3, H, W) -> dets (N, P, 5), labels (N, P); or (N, cells, 5 + kinds)"""


def open_onnx_detector(
    path: Path,
    open_boxes: Callable[[], Detector] | None,
    device: str = "cpu",
    det_every: int = 1,
    input_px: int = INPUT_PX,
) -> Detector:
    """Open the detector in an ONNX file.

    Args:
        path: The file.
        open_boxes: Opens the detector of person boxes for a top-down model; None if there is none.
        device: As in `sdk.runtime.sessions.open_session`.
        det_every: See `PersonBoxes`.
        input_px: Width and height of the input of RTMO and YOLOX, where the graph takes any.

    Raises:
        BadModelFile: the file is no ONNX file, or its shapes fit no known detector.
        BadBoxes: a top-down model has no boxes, or a model that finds people itself has some.
        UnknownDevice, DeviceUnavailable: as in `sdk.runtime.sessions.open_session`.
    """
    model = OnnxModel(path, device)
    if is_rtmpose(model):
        if open_boxes is None:
            raise missing_boxes(f"{path} (RTMPose)")
        return RTMPose(model, open_boxes(), det_every)
    opened: Detector
    if is_movenet_single(model):
        opened = MoveNetSingle(model)
    elif is_movenet_multi(model):
        opened = MoveNetMulti(model)
    elif is_rtmo(model):
        opened = RTMO(model, input_px)
    elif is_yolox(model):
        opened = YOLOX(model, input_px)
    else:
        seen = "\n".join(f"  {port}" for port in ("inputs:", *model.inputs, "outputs:", *model.outputs))
        raise BadModelFile(f"{path} holds no known detector. Its shapes:\n{seen}\nKnown:{KNOWN_GRAPHS}")
    if open_boxes is not None or check_detection_interval(det_every) > 1:
        raise needless_boxes(f"{path} ({type(opened).__name__})")
    return opened


def is_movenet_single(model: OnnxModel) -> bool:
    """Whether the shapes are int32 (1, S, S, 3) -> (1, 1, 17, 3)."""
    return _takes_images_last(model) and model.outputs[0].fits(1, 1, 17, 3)


def is_movenet_multi(model: OnnxModel) -> bool:
    """Whether the shapes are int32 (1, h, w, 3) -> (1, 6, 56)."""
    return _takes_images_last(model) and model.outputs[0].fits(1, 6, 56)


def is_rtmo(model: OnnxModel) -> bool:
    """Whether the shapes are float (N, 3, H, W) -> (N, P, 5) and (N, P, J, 3), in any order."""
    return _takes_channels_first(model) and any(
        boxes.fits(None, None, 5) and keypoints.fits(None, None, None, 3)
        for boxes, keypoints in (model.outputs, model.outputs[::-1])
        if len(model.outputs) == 2
    )


def is_yolox(model: OnnxModel) -> bool:
    """Whether the shapes are float (N, 3, H, W) -> (N, P, 5) and (N, P), in any order, or (N, cells, 6 or more).

    Other detectors have the first form too, after another normalisation. They begin with a convolution, and YOLOX does
    not (Focus): only such graphs are known.
    """
    if not _takes_channels_first(model) or begins_with_convolution(model.path):
        return False
    if len(model.outputs) == 1:
        (kinds,) = model.outputs[0].shape[2:3] or (0,)
        return len(model.outputs[0].shape) == 3 and isinstance(kinds, int) and kinds >= 6
    return any(
        boxes.fits(None, None, 5) and labels.fits(None, None)
        for boxes, labels in (model.outputs, model.outputs[::-1])
        if len(model.outputs) == 2
    )


def begins_with_convolution(path: Path) -> bool:
    """Whether an input of a graph goes into a convolution as it is. An engine says nothing of it: False."""
    if path.suffix != ".onnx":
        return False
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    inputs = {port.name for port in graph.input}
    return any(node.op_type == "Conv" and node.input[0] in inputs for node in graph.node)


def is_rtmpose(model: OnnxModel) -> bool:
    """Whether the shapes are float (N, 3, H, W) -> two outputs with three axes (simcc_x, simcc_y, or 2 W and 2 H)."""
    if len(model.inputs) != 1 or len(model.outputs) != 2 or not model.inputs[0].fits(None, 3, None, None):
        return False
    height, width = model.inputs[0].shape[2:]
    if not (isinstance(height, int) and isinstance(width, int)) or model.inputs[0].kind != "tensor(float)":
        return False
    named = {port.name for port in model.outputs} == {"simcc_x", "simcc_y"}
    x, y = sorted(model.outputs, key=lambda port: port.name) if named else model.outputs
    return all(
        port.fits(None, None, 2 * size) and (named or isinstance(port.shape[2], int))
        for port, size in ((x, width), (y, height))
    )


def _takes_channels_first(model: OnnxModel) -> bool:
    return (
        len(model.inputs) == 1 and model.inputs[0].kind == "tensor(float)" and model.inputs[0].fits(None, 3, None, None)
    )


def _takes_images_last(model: OnnxModel) -> bool:
    return (
        len(model.inputs) == len(model.outputs) == 1
        and model.inputs[0].kind == "tensor(int32)"
        and model.inputs[0].fits(1, None, None, 3)
    )
