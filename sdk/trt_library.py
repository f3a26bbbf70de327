"""The two libraries called TensorRT, one of them in a process: polygraphy works with the one it is told at import."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
from typing import Any, Literal, get_args

from sdk.errors import AdaptPoseError, MissingDependency, UnknownChoice

Builder = Literal["rtx", "tensorrt"]
"""`rtx`: TensorRT for RTX, builds without a GPU, for consumer and workstation GPUs. `tensorrt`: TensorRT proper, builds
for the GPU of this machine alone."""

TITLES: dict[str, str] = {"rtx": "TensorRT for RTX", "tensorrt": "TensorRT"}
_MODULES = {"rtx": ("tensorrt_rtx", "tensorrt-rtx"), "tensorrt": ("tensorrt", "tensorrt")}
_SWITCH = "POLYGRAPHY_USE_TENSORRT_RTX"


class UnknownBuilder(UnknownChoice):
    """A word that names neither TensorRT."""

    kind = "builder of engines"


class OtherTensorRT(AdaptPoseError, RuntimeError):
    """This process already works with the other TensorRT."""


def import_tensorrt(builder: str) -> Any:
    """Import one TensorRT and have polygraphy use it.

    Args:
        builder: See `Builder`.

    Raises:
        UnknownBuilder: neither of them.
        MissingDependency: it, or polygraphy, is not installed.
        OtherTensorRT: polygraphy is set to the other one in this process.
    """
    if builder not in get_args(Builder):
        raise UnknownBuilder(builder, get_args(Builder))
    module, package = _MODULES[builder]
    for name, needed in ((module, package), ("polygraphy", "polygraphy")):
        if importlib.util.find_spec(name) is None:
            raise MissingDependency(needed, "tensorrt" if builder == "rtx" else "tensorrt-proper", TITLES[builder])
    wanted = builder == "rtx"
    os.environ.setdefault(_SWITCH, str(int(wanted)))
    config = importlib.import_module("polygraphy.config")
    if bool(config.USE_TENSORRT_RTX) != wanted:
        raise OtherTensorRT(
            f"polygraphy is set to {TITLES['tensorrt' if wanted else 'rtx']} in this process, and {TITLES[builder]} "
            f"was asked for. Set {_SWITCH}={int(wanted)} before it is imported, or use another process for each."
        )
    return importlib.import_module(module)


def tensorrt_version(builder: str) -> str:
    """The installed version of a TensorRT.

    Raises:
        UnknownBuilder, MissingDependency, OtherTensorRT: as `import_tensorrt`.
    """
    return str(import_tensorrt(builder).__version__)
