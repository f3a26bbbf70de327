"""Opening a detector by its specification, the one word users write."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.detectors.box_errors import needless_boxes
from sdk.detectors.detection import Detector
from sdk.detectors.person_boxes import check_detection_interval
from sdk.detectors.specification import split_config_and_checkpoint, split_detector_spec
from sdk.sessions import parse_device

if TYPE_CHECKING:
    from collections.abc import Callable


def open_detector(spec: str, *, boxes: str | None = None, device: str = "cpu", det_every: int = 1) -> Detector:
    """Open a 2D detector.

    Args:
        spec: `mediapipe`; `rtmpose-m` (t, s, m, l: Halpe-26, with `-coco17` behind it COCO-17) or `rtmo-s` (s, m, l) of
            mmpose's model zoo, whose weights are downloaded at first use; `onnx:PATH.onnx`, MoveNet or RTMPose;
            `mmpose:CONFIG:CHECKPOINT.pth`, where CONFIG is a path or the bare name of a config that mmpose ships.
            Configs are Python programs: open only those you trust.
        boxes: The detector, by the same words, whose person boxes a top-down model looks at; for a model of the zoo
            where none is named RTMDet-m if mmdet is installed, RTMO-s if not; `detector.identity` says which.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for the best there is; `detector.device` says which it became. Holds
            for the detector of the boxes as well.
        det_every: Look for people in every n-th picture only; in between, a top-down model looks round the last poses.

    Raises:
        UnknownDetector: no such kind of detector, or nothing after its colon.
        BadModelFile: a file that is missing, damaged, or holds no detector that is known.
        BadBoxes: `boxes` missing for a top-down model, or given to one that finds people itself, as `det_every`.
        BadDownload: weights of the zoo that are not here and can't be fetched; says where to put them.
        MissingDependency: the package behind it is not installed; the message names the extra.
        UnknownDevice: a word that is no device.
        DeviceUnavailable: a device that is not there, or that this detector can't use.
    """
    parse_device(device)
    check_detection_interval(det_every)
    kind, rest = split_detector_spec(spec)
    open_boxes: Callable[[], Detector] | None = None if boxes is None else lambda: open_detector(boxes, device=device)
    if kind == "zoo":
        from sdk.detectors.mmpose_detector import open_mmpose_detector
        from sdk.detectors.mmpose_zoo import find_zoo_model

        if open_boxes is None and rest.startswith("rtmpose"):
            open_boxes = partial(_open_people_finder, device)
        return open_mmpose_detector(*find_zoo_model(rest), open_boxes, device, det_every)
    if kind == "onnx":
        from sdk.detectors.onnx_detector import open_onnx_detector

        return open_onnx_detector(Path(rest), open_boxes, device, det_every)
    if kind == "mmpose":
        from sdk.detectors.mmpose_detector import open_mmpose_detector

        return open_mmpose_detector(*split_config_and_checkpoint(rest), open_boxes, device, det_every)
    from sdk.detectors.blazepose import BlazePose

    if open_boxes is not None or check_detection_interval(det_every) > 1:
        raise needless_boxes("mediapipe")
    return BlazePose(device)


def _open_people_finder(device: str) -> Detector:
    from sdk.detectors.mmpose_people import RTMDetPeople, mmdet_is_installed
    from sdk.detectors.mmpose_zoo import PEOPLE_FINDER

    return RTMDetPeople(device=device) if mmdet_is_installed() else open_detector(PEOPLE_FINDER, device=device)
