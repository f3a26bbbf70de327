"""What mmpose asks for at import and a compiler-free installation lacks.

mmpose 1.3 imports two names of mmdet (for RTMO) and the compiled half of mmcv; torchvision registers against operators
that its CPU wheel may not bring for the newest torch. Whatever is really installed is left alone.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from sdk.detectors.mmpose_wheel import find_mmpose, stand_in_for_xtcocotools

if TYPE_CHECKING:
    import torch

_KEPT: list[object] = []
"""A torch library is undone when it is collected."""


def import_mmpose() -> ModuleType:
    """Import mmpose and what its models need, standing in for what is missing.

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
        scores: (N,).
        iou_threshold: A box that overlaps a surer one by more is dropped.
        offset: Added to widths and heights: 1 where corners are inclusive pixels.

    Returns:
        Indices of the boxes that stay, surest first.
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
    """Answers for every operator of mmcv: all but `nms` raise when they are called."""

    nms = staticmethod(suppress_overlaps)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*arguments: object, **options: object) -> NoReturn:
            raise NotImplementedError(f"this model needs mmcv's compiled operator {name!r}: install mmcv with its ops.")

        return missing


def _stand_in(module: ModuleType) -> None:
    module.__spec__ = ModuleSpec(module.__name__, None)  # without one, find_spec raises
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
