"""The word that users write for a detector, taken apart; nothing is opened or imported for it."""

from __future__ import annotations

import re
from pathlib import Path

from sdk.detectors.mmpose_zoo import ZOO
from sdk.errors import UnknownDetector

DETECTOR_SPECS = ("mediapipe", *ZOO, "onnx:PATH.onnx", "mmpose:CONFIG.py:CHECKPOINT.pth")

_CONFIG_AND_CHECKPOINT = re.compile(r"((?:[A-Za-z]:(?=[\\/]))?[^:]*)(?::(.*))?", re.DOTALL)


def split_detector_spec(spec: str) -> tuple[str, str]:
    """The kind of detector and what stands after its colon; `zoo` and the word for a model of mmpose's zoo.

    Raises:
        UnknownDetector: no such kind, or nothing after its colon.
    """
    kind, _, rest = spec.partition(":")
    if spec == "mediapipe" or (kind in ("onnx", "mmpose") and rest):
        return kind, rest
    if spec in ZOO:
        return "zoo", spec
    hint = f"Did you mean 'onnx:{spec}'?" if spec.endswith(".onnx") else ""
    raise UnknownDetector(spec, DETECTOR_SPECS, hint)


def split_config_and_checkpoint(words: str) -> tuple[str, Path | None]:
    """Split `CONFIG:CHECKPOINT` at the colon between them; the colon of a Windows drive, as in `C:/a.py`, is none."""
    config, checkpoint = _CONFIG_AND_CHECKPOINT.fullmatch(words).groups()  # type: ignore[union-attr]  # matches all
    return config, Path(checkpoint) if checkpoint else None


def absolute_detector_spec(spec: str) -> str:
    """The same detector by a word that holds in every working folder: its files by their absolute paths.

    Raises:
        UnknownDetector: as above.
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
