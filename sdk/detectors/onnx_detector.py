"""Which detector an ONNX file holds, by the shapes of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sdk.detectors.box_errors import missing_boxes, needless_boxes
from sdk.detectors.detection import Detector
from sdk.detectors.movenet_multi import MoveNetMulti
from sdk.detectors.movenet_single import MoveNetSingle
from sdk.detectors.onnx_model import OnnxModel
from sdk.detectors.person_boxes import check_detection_interval
from sdk.detectors.rtmpose import RTMPose
from sdk.errors import BadModelFile

KNOWN_GRAPHS = """
  MoveNet single pose: int32 (1, S, S, 3) -> float (1, 1, 17, 3)
  MoveNet multipose:   int32 (1, h, w, 3) -> float (1, 6, 56)
  RTMPose:             float (N, 3, H, W) -> simcc_x (N, 17 or 26, 2 W), simcc_y (N, 17 or 26, 2 H)"""


def open_onnx_detector(
    path: Path, open_boxes: Callable[[], Detector] | None, device: str = "cpu", det_every: int = 1
) -> Detector:
    """Open the detector in an ONNX file.

    Args:
        path: The file.
        open_boxes: Opens the detector of person boxes, for a top-down model; None where the caller named none.
        device: As in `sdk.sessions.open_session`.
        det_every: See `PersonBoxes`.

    Raises:
        BadModelFile: not an ONNX file, or shapes that fit no known detector.
        BadBoxes: boxes missing for a top-down model, or given to one that finds people itself.
        UnknownDevice, DeviceUnavailable: as in `sdk.sessions.open_session`.
    """
    model = OnnxModel(path, device)
    if is_rtmpose(model):
        if open_boxes is None:
            raise missing_boxes(f"{path} (RTMPose)")
        return RTMPose(model, open_boxes(), det_every)
    detector: type[MoveNetSingle] | type[MoveNetMulti]
    if is_movenet_single(model):
        detector = MoveNetSingle
    elif is_movenet_multi(model):
        detector = MoveNetMulti
    else:
        seen = "\n".join(f"  {port}" for port in ("inputs:", *model.inputs, "outputs:", *model.outputs))
        raise BadModelFile(f"{path} holds no known detector. Its shapes:\n{seen}\nKnown:{KNOWN_GRAPHS}")
    if open_boxes is not None or check_detection_interval(det_every) > 1:
        raise needless_boxes(f"{path} (MoveNet)")
    return detector(model)


def is_movenet_single(model: OnnxModel) -> bool:
    """int32 (1, S, S, 3) -> (1, 1, 17, 3)."""
    return _takes_pictures_last(model) and model.outputs[0].fits(1, 1, 17, 3)


def is_movenet_multi(model: OnnxModel) -> bool:
    """int32 (1, h, w, 3) -> (1, 6, 56)."""
    return _takes_pictures_last(model) and model.outputs[0].fits(1, 6, 56)


def is_rtmpose(model: OnnxModel) -> bool:
    """Float (N, 3, H, W) -> two outputs of three axes, by name simcc_x and simcc_y or by size 2 W and 2 H."""
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


def _takes_pictures_last(model: OnnxModel) -> bool:
    return (
        len(model.inputs) == len(model.outputs) == 1
        and model.inputs[0].kind == "tensor(int32)"
        and model.inputs[0].fits(1, None, None, 3)
    )
