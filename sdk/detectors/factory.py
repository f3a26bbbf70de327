"""Opens detectors by name. Names are checked without any heavy import."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sdk.detectors.detection import BoxFinder, Detector, needless_boxes
from sdk.detectors.mmpose.configs import ZOO
from sdk.detectors.openmmlab.published import BOXES, POSES, PUBLISHED, fetch_published
from sdk.detectors.person_boxes import check_detection_interval
from sdk.errors import BadBoxes, UnknownDetector
from sdk.runtime.sessions import parse_device

if TYPE_CHECKING:
    from collections.abc import Callable

MOVENET: dict[str, Literal["thunder", "lightning"]] = {"movenet": "thunder", "movenet-fast": "lightning"}
"""Words for MoveNet, and the variant that refines each person."""
DETECTOR_SPECS = (*MOVENET, "mediapipe", *POSES, "onnx:PATH.onnx", "mmpose:WORD", "mmpose:CONFIG.py:CHECKPOINT.pth")
"""`mmpose:WORD` is one of `rtmpose-t` and its like in mmpose itself, with torch and mmpose's checkpoint."""

_CONFIG_AND_CHECKPOINT = re.compile(r"((?:[A-Za-z]:(?=[\\/]))?[^:]*)(?::(.*))?", re.DOTALL)


def split_detector_spec(spec: str) -> tuple[str, str]:
    """The kind of a detector, and the text after its colon.

    For a model of mmpose's zoo: `zoo` and its name. For one of OpenMMLab's ONNX files: `openmmlab` and its word.

    Raises:
        UnknownDetector: there is no such kind, or nothing follows its colon.
    """
    kind, _, rest = spec.partition(":")
    if kind == "mmpose" and rest in ZOO:
        return "zoo", rest
    if spec == "mediapipe" or (kind in ("onnx", "mmpose") and rest):
        return kind, rest
    if spec in PUBLISHED:
        return "openmmlab", spec
    if spec in MOVENET:
        return "movenet", spec
    hint = f"For boxes: {', '.join(BOXES)}." if spec.startswith("yolo") else ""
    hint = f"Did you mean 'onnx:{spec}'?" if spec.endswith(".onnx") else hint
    raise UnknownDetector(spec, DETECTOR_SPECS, hint)


def split_config_and_checkpoint(words: str) -> tuple[str, Path | None]:
    """Split `CONFIG:CHECKPOINT` at the colon between them. The colon of a Windows drive (`C:/a.py`) does not count."""
    config, checkpoint = _CONFIG_AND_CHECKPOINT.fullmatch(words).groups()  # type: ignore[union-attr]  # matches all
    return config, Path(checkpoint) if checkpoint else None


def absolute_detector_spec(spec: str) -> str:
    """The name of the same detector with absolute paths, which is valid in every working folder.

    Raises:
        UnknownDetector: as `split_detector_spec`.
    """
    kind, rest = split_detector_spec(spec)
    if kind == "onnx":
        return f"onnx:{Path(rest).absolute()}"
    if kind == "mmpose":
        config, checkpoint = split_config_and_checkpoint(rest)
        if Path(config).is_file():  # else it is the name of a config that mmpose ships
            config = str(Path(config).absolute())
        return f"mmpose:{config}" + (f":{checkpoint.absolute()}" if checkpoint else "")
    return spec


def open_detector(spec: str, *, boxes: str | None = None, device: str = "cpu", det_every: int = 1) -> Detector:
    """Open a 2D detector.

    Args:
        spec: `movenet` (MoveNet multipose and thunder; `movenet-fast`: and lightning), weights fetched at first use;
            `mediapipe`; OpenMMLab's ONNX files, fetched at first use: `rtmpose-m` (t, s, m, l, x: Halpe-26, with
            `-coco17` behind it COCO-17), `rtmw-m` (m, l, l-384, x-384: COCO-17 of its whole body), `rtmo-s` (s, m, l);
            `onnx:PATH.onnx`, MoveNet, RTMPose, RTMW or RTMO; `mmpose:rtmpose-m` and its like, the same models in mmpose
            itself (torch); `mmpose:CONFIG:CHECKPOINT.pth`, where CONFIG is a path or the bare name of a config that
            mmpose ships. Configs are Python programs: open only those you trust.
        boxes: The detector of person boxes for a top-down model, with the same names as `spec`, or `yolox-m` (nano,
            tiny, s, m, l, x), which finds boxes only. Default for `rtmpose-t`, `-s`: `yolox-tiny`; for larger ones and
            RTMW: `yolox-m` (`rtmpose-x`: `yolox-x`); for `mmpose:` and a word: RTMDet-m if mmdet is installed, else
            RTMO-s. `detector.identity` names the chosen one.
        device: `cpu`, `openvino` (the CPU in OpenVINO: MoveNet and all other ONNX files), `cuda`, `cuda:N`, or `auto`
            for `cuda` if it is there; `detector.device` is the chosen one. The detector of the boxes runs on the same.
        det_every: Look for people in every n-th image only; in between, a top-down model looks round the last poses.
            MoveNet follows people by itself, and looks for new ones in every fifth unless this says another number.

    Raises:
        UnknownDetector: there is no such kind of detector, or nothing follows its colon.
        BadModelFile: a file is missing, damaged, or no known detector.
        BadBoxes: a top-down model has no `boxes`, a detector that finds people itself has `boxes` or `det_every`, or
            one that finds boxes only is to find joints.
        BadDownload: weights are not in the cache and can't be downloaded; the message says where to put them.
        MissingDependency: a needed package is not installed; the message names the extra.
        UnknownDevice: there is no such device word.
        DeviceUnavailable: the device is not there, or this detector can't use it.
    """
    parse_device(device)
    if spec not in BOXES:
        detector = _open(spec, boxes, device, det_every)
        if not isinstance(detector, BoxFinder):
            return detector
    raise BadBoxes(f"{spec} finds boxes of people and no joints: name it as boxes (--boxes) of a top-down model.")


def _open(spec: str, boxes: str | None, device: str, det_every: int) -> Detector:
    check_detection_interval(det_every)
    kind, rest = split_detector_spec(spec)
    open_boxes: Callable[[], Detector] | None = None if boxes is None else lambda: _open(boxes, None, device, 1)
    if kind == "openmmlab":
        return _open_published(rest, open_boxes, device, det_every)
    if kind == "zoo":
        from sdk.detectors.mmpose.configs import find_zoo_model
        from sdk.detectors.mmpose.detector import open_mmpose_detector

        if open_boxes is None and rest.startswith("rtmpose"):
            open_boxes = partial(_open_people_finder, device)
        return open_mmpose_detector(*find_zoo_model(rest), open_boxes, device, det_every)
    if kind == "onnx":
        from sdk.detectors.onnx_models import open_onnx_detector

        return open_onnx_detector(Path(rest), open_boxes, device, det_every)
    if kind == "mmpose":
        from sdk.detectors.mmpose.detector import open_mmpose_detector

        return open_mmpose_detector(*split_config_and_checkpoint(rest), open_boxes, device, det_every)
    if kind == "movenet":
        if open_boxes is not None:
            raise needless_boxes(spec)
        return _open_movenet(spec, device, det_every)
    from sdk.detectors.blazepose import BlazePose

    if open_boxes is not None or check_detection_interval(det_every) > 1:
        raise needless_boxes("mediapipe")
    return BlazePose(device)


def _open_published(word: str, open_boxes: Callable[[], Detector] | None, device: str, det_every: int) -> Detector:
    from sdk.detectors.onnx_models import open_onnx_detector

    model = PUBLISHED[word]
    if model.boxes and open_boxes is None:
        open_boxes = partial(_open, model.boxes, None, device, 1)
    if not model.boxes and (open_boxes is not None or det_every > 1):
        raise needless_boxes(word)
    return open_onnx_detector(fetch_published(word), open_boxes, device, det_every, model.input_px)


def _open_movenet(spec: str, device: str, search_every: int) -> Detector:
    from sdk.detectors.movenet.lighter_graph import lighter_graph
    from sdk.detectors.movenet.people import SEARCH_EVERY, MoveNetPeople
    from sdk.detectors.movenet.weights import movenet_file
    from sdk.detectors.onnx_models import OnnxModel

    files = movenet_file("multipose"), movenet_file(MOVENET[spec])
    finder, refiner = (OnnxModel(file, device, lighter_graph(file)) for file in files)
    return MoveNetPeople(finder, refiner, SEARCH_EVERY if search_every == 1 else search_every)


def _open_people_finder(device: str) -> Detector:
    from sdk.detectors.mmpose.configs import PEOPLE_FINDER
    from sdk.detectors.mmpose.rtmdet import RTMDetPeople, mmdet_is_installed

    return RTMDetPeople(device=device) if mmdet_is_installed() else _open(f"mmpose:{PEOPLE_FINDER}", None, device, 1)
