"""`adaptpose-export detector`: exports an mmpose top-down model to ONNX and TensorRT, and checks it against mmpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sdk.commands.command_line import require_packages
from sdk.errors import AdaptPoseError, BadImage


@dataclass(frozen=True)
class ExportDetector:
    """Export an mmpose top-down model (RTMPose, COCO-17 or Halpe-26), to use it without torch and mmpose.

    The file is compared with mmpose's own result. If a joint differs by more than a tenth of a pixel, the file is not
    kept and the exit code is 2. Use the file with --detector onnx:FILE --boxes DETECTOR.
    """

    config: Annotated[str, tyro.conf.Positional]
    """Config of mmpose: a file, or the name of one that mmpose ships (rtmpose-m_8xb512-700e_body8-halpe26-256x192)."""
    checkpoint: Annotated[Path, tyro.conf.Positional]
    """Weights of the model (.pth)."""
    image: Annotated[
        tuple[Path, ...], tyro.conf.arg(metavar="FILE [FILE ...]", help_behavior_hint="", aliases=("--picture",))
    ] = ()
    """Photographs to compare on, in parts of different sizes. Default: drawn images."""
    trt: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also build a TensorRT engine. Needs adaptpose[tensorrt]; with --builder rtx it needs no GPU."""
    gpu: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SM [SM ...]", help_behavior_hint="")] = ()
    """GPU architectures of the engine. Default: all that can be built."""
    builder: Literal["rtx", "tensorrt"] = "rtx"
    """`rtx`: TensorRT for RTX. `tensorrt`: standard TensorRT, which builds only for the GPU of this machine."""
    batch: Annotated[tuple[int, int, int], tyro.conf.arg(metavar="MIN OPT MAX")] = (1, 4, 32)
    """People in one call: smallest, usual and largest number."""
    warnings: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the builder's warnings."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.onnx", help_behavior_hint="")] = None
    """The .onnx file to write. Default: the folder and the name of the checkpoint."""


def run_export_detector(settings: ExportDetector) -> None:
    """Export, compare and report.

    Raises:
        AdaptPoseError: the model can't be exported, a package is missing, a difference is too large, or a folder can't
            be written to.
    """
    if settings.gpu and not settings.trt:
        raise AdaptPoseError(f"--gpu {' '.join(settings.gpu)} says what an engine is built for: add --trt.")
    require_packages("torch", "onnx", "onnxscript", extra="train", purpose="adaptpose-export detector")
    require_packages("mmpose", extra="mmpose", purpose="adaptpose-export detector")
    architectures: tuple[str, ...] = ()
    if settings.trt:
        from export.engine import check_batch_profile, choose_architectures

        check_batch_profile(settings.batch)
        architectures = choose_architectures(settings.gpu, settings.builder)

    from export.detector_graph import (
        TOLERANCE_PX,
        drawn_images,
        measure_detector,
        open_top_down,
        require_equal,
        write_detector_onnx,
    )
    from sdk.files.output_files import check_output_path
    from training.files.atomic_file import replacing

    path = check_output_path(settings.out or settings.checkpoint.with_suffix(".onnx"), ".onnx")
    images = [_read(name) for name in settings.image] or drawn_images()
    top_down = open_top_down(settings.config, settings.checkpoint)
    print(f"model       {top_down.metadata.config}, {top_down.metadata.skeleton}, from {settings.checkpoint}")
    with replacing(path) as part:
        write_detector_onnx(top_down, part)
        largest = measure_detector(top_down, part, images)
        require_equal(largest, len(images))
    print(f"ONNX        {path} ({path.stat().st_size / 1e6:.1f} MB)")
    people = sum(len(boxes) for _, boxes in images)
    print(f"difference  largest {largest:.4f} pixels from mmpose, {people} boxes; allowed: {TOLERANCE_PX}")
    if settings.trt:
        from export.building import build_engine

        engine = path.with_suffix(".engine")
        build_engine(path, engine, architectures, settings.builder, settings.batch, settings.warnings)


def _read(path: Path):  # type: ignore[no-untyped-def]
    """A photograph with boxes: the whole image, its halves, and a narrow box that goes beyond the image."""
    import cv2
    import numpy as np

    image = cv2.imread(str(path)) if path.is_file() else None
    if image is None:
        raise BadImage(f"{path} is not an image that can be read.")
    height, width = image.shape[:2]
    boxes = [
        (0, 0, width, height),
        (0, 0, width / 2, height),
        (width / 2, 0, width, height),
        (width / 3, -height / 10, width / 2, height),
    ]
    return image, np.array(boxes, np.float32)
