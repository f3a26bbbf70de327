"""What an exported 2D detector says about itself, as ONNX metadata."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from sdk.version import __version__

METADATA_KEY = "adaptpose_detector"
"""The ONNX metadata entry that holds the record as JSON."""


@dataclass(frozen=True)
class DetectorCard:
    """Of a top-down SimCC model."""

    config: str
    """Name of the mmpose config."""
    skeleton: str
    """Layout of its joints."""
    input: str
    """How a picture becomes the graph's input."""
    output: str
    """How the graph's outputs become joints."""
    checkpoint_sha256: str
    """Hash of the weights."""
    project_version: str = __version__
    """Version of this project that wrote it."""

    def to_metadata(self) -> dict[str, str]:
        """The ONNX metadata entry."""
        return {METADATA_KEY: json.dumps(dataclasses.asdict(self), sort_keys=True)}
