"""Metadata of one exported graph of a lifter, for programs outside this project.

`sdk.lifting.model_metadata` describes the lifter in any form. This describes one form of it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.metadata_entry import check_values, load_entry

METADATA_KEY = "adaptpose_graph"
"""The ONNX metadata entry with this metadata as JSON."""

GraphKind = Literal["window", "streaming"]
"""`window`: takes whole windows. `streaming`: takes one frame and the last state; gives a pose and the next state."""
Precision = Literal["fp32", "fp16", "int8"]
"""Precision of weights and activations. Inputs and outputs are always float32."""

_INPUT = {
    "screen": "x = (x_px - width / 2) * 2 / max(width, height), y = (y_px - height / 2) * 2 / max(width, height)",
    "root-centred": "pixels minus the pelvis' (joint 0), divided by the Frobenius norm of the pose",
}
_WINDOW_RULE = "before the first frame and after the last one of a person, that frame is repeated"
_STREAMING_RULE = (
    "states are zeros before a person's first frame; push the first frame {ahead} more times before it and the last "
    "one {ahead} more times after it; of the answers, the first {unready} mean nothing, and answer n is the pose of "
    "push n - {ahead}"
)


@dataclass(frozen=True)
class GraphMetadata:
    """One form of a lifter."""

    kind: GraphKind = "window"
    """See `GraphKind`."""
    precision: Precision = "fp32"
    """See `Precision`."""
    lookahead_frames: int = 13
    """Frames after the pose's own frame that the graph has seen when it answers."""
    input: str = ""
    """How pixels become `keypoints`."""
    output: str = ""
    """Unit, origin and axes of `joints`."""
    edges: str = ""
    """What replaces frames that do not exist."""

    def __post_init__(self) -> None:
        check_values(self)
        for value, choices, what in (
            (self.kind, get_args(GraphKind), "kind"),
            (self.precision, get_args(Precision), "precision"),
        ):
            if value not in choices:
                raise BadModelFile(f"unknown {what} of graph {value!r}. Known: {', '.join(choices)}.")

    @classmethod
    def describe(
        cls, metadata: LifterMetadata, kind: GraphKind = "window", precision: Precision = "fp32"
    ) -> GraphMetadata:
        """Metadata for a graph of the lifter that `metadata` describes."""
        ahead, field = metadata.lookahead_frames, metadata.receptive_field
        rule = _WINDOW_RULE if kind == "window" else _STREAMING_RULE.format(ahead=ahead, unready=field - 1)
        return cls(
            kind,
            precision,
            ahead,
            input=_INPUT[metadata.normalisation],
            output="metres, relative to the pelvis (joint 0), camera axes x right, y down, z forward",
            edges=rule,
        )

    def to_metadata(self) -> dict[str, str]:
        """The ONNX metadata entry."""
        return {METADATA_KEY: json.dumps(dataclasses.asdict(self), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], origin: str) -> GraphMetadata:
        """Read the ONNX metadata entry. An older file without it is a window graph in fp32.

        Raises:
            BadModelFile: the entry is damaged or of an unknown kind; names `origin`.
        """
        if METADATA_KEY not in metadata:
            return cls()
        values = load_entry(metadata, METADATA_KEY, origin)
        try:
            return cls(**values)
        except BadModelFile as error:
            raise BadModelFile(f"{origin}: {error}") from error
        except TypeError as error:
            raise BadModelFile(f"{origin}: the metadata entry {METADATA_KEY!r} is damaged: {error}") from error
