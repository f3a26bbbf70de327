"""The ONNX files that OpenMMLab publishes, by one word each; fetched at first use.

The addresses are those that the package rtmlib uses (Apache-2.0). The digits in the names are of the checkpoints that
the files were exported from and say nothing about the archives: what comes first is noted (`sdk.files.onnx_archive`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdk.files.onnx_archive import fetch_onnx

SERVER = "https://download.openmmlab.com/mmpose/v1/projects"
SERVER_VARIABLE = "ADAPTPOSE_OPENMMLAB"
"""Environment variable that names a mirror in place of `SERVER`."""


@dataclass(frozen=True)
class PublishedModel:
    """One ONNX file.

    Attributes:
        kind: `rtmpose` (also RTMW) looks inside boxes, `rtmo` finds people itself, `yolox` finds boxes only.
        archive: Address of the archive below the server.
        boxes: The word that finds boxes for a top-down model unless another is named.
        input_px: Width and height of the input of `rtmo` and `yolox`.
    """

    kind: Literal["rtmpose", "rtmo", "yolox"]
    archive: str
    boxes: str = ""
    input_px: int = 640


def _rtmpose(name: str, boxes: str) -> PublishedModel:
    return PublishedModel("rtmpose", f"rtmposev1/onnx_sdk/rtmpose-{name}.zip", boxes)


def _rtmw(name: str) -> PublishedModel:
    return PublishedModel("rtmpose", f"rtmw/onnx_sdk/rtmw-{name}.zip", "yolox-m")


def _rtmo(name: str) -> PublishedModel:
    return PublishedModel("rtmo", f"rtmo/onnx_sdk/rtmo-{name}_20231211.zip")


def _yolox(name: str, input_px: int = 640) -> PublishedModel:
    return PublishedModel("yolox", f"rtmposev1/onnx_sdk/yolox_{name}.zip", input_px=input_px)


POSES = {
    # Halpe-26 by default: it has the pelvis, the neck and the top of the head, which COCO lacks.
    "rtmpose-t": _rtmpose("t_simcc-body7_pt-body7-halpe26_700e-256x192-6020f8a6_20230605", "yolox-tiny"),
    "rtmpose-s": _rtmpose("s_simcc-body7_pt-body7-halpe26_700e-256x192-7f134165_20230605", "yolox-tiny"),
    "rtmpose-m": _rtmpose("m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605", "yolox-m"),
    "rtmpose-l": _rtmpose("l_simcc-body7_pt-body7-halpe26_700e-256x192-2abb7558_20230605", "yolox-m"),
    "rtmpose-x": _rtmpose("x_simcc-body7_pt-body7-halpe26_700e-384x288-7fb6e239_20230606", "yolox-x"),
    "rtmpose-t-coco17": _rtmpose("t_simcc-body7_pt-body7_420e-256x192-026a1439_20230504", "yolox-tiny"),
    "rtmpose-s-coco17": _rtmpose("s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504", "yolox-tiny"),
    "rtmpose-m-coco17": _rtmpose("m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504", "yolox-m"),
    "rtmpose-l-coco17": _rtmpose("l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504", "yolox-m"),
    "rtmpose-x-coco17": _rtmpose("x_simcc-body7_pt-body7_700e-384x288-71d7b7e9_20230629", "yolox-x"),
    "rtmw-m": _rtmw("dw-l-m_simcc-cocktail14_270e-256x192_20231122"),
    "rtmw-l": _rtmw("dw-x-l_simcc-cocktail14_270e-256x192_20231122"),
    "rtmw-l-384": _rtmw("dw-x-l_simcc-cocktail14_270e-384x288_20231122"),
    "rtmw-x-384": _rtmw("x_simcc-cocktail13_pt-ucoco_270e-384x288-0949e3a9_20230925"),
    "rtmo-s": _rtmo("s_8xb32-600e_body7-640x640-dac2bf74"),
    "rtmo-m": _rtmo("m_16xb16-600e_body7-640x640-39e78cc4"),
    "rtmo-l": _rtmo("l_16xb16-600e_body7-640x640-b37118ce"),
}
"""Detectors of poses. RTMW knows the whole body (133 joints); its 17 of COCO and the feet are used."""
BOXES = {
    "yolox-nano": _yolox("nano_8xb8-300e_humanart-40f6f0d0", 416),
    "yolox-tiny": _yolox("tiny_8xb8-300e_humanart-6f3252f9", 416),
    "yolox-s": _yolox("s_8xb8-300e_humanart-3ef259a7"),
    "yolox-m": _yolox("m_8xb8-300e_humanart-c2c7a14a"),
    "yolox-l": _yolox("l_8xb8-300e_humanart-ce1d7a62"),
    "yolox-x": _yolox("x_8xb8-300e_humanart-a39d44ed"),
}
"""Detectors of people, for `boxes`. Trained on COCO and on people in paintings (Human-Art)."""
PUBLISHED = POSES | BOXES


def fetch_published(word: str) -> Path:
    """The ONNX file of a word, from the cache or the network.

    Raises:
        BadDownload, BadOutput: as `fetch_onnx`.
    """
    server = os.environ.get(SERVER_VARIABLE, SERVER).rstrip("/")
    return fetch_onnx(f"{server}/{PUBLISHED[word].archive}")
