"""What a lifter says about itself; carried by checkpoints and, as metadata, by ONNX files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from sdk.errors import BadModelFile
from sdk.image_normalisation import Normalisation
from sdk.skeletons import find_skeleton
from sdk.version import __version__

FORMAT_VERSION = 1
"""Of checkpoints and ONNX metadata; raised when an older reader would go wrong."""

METADATA_KEY = "adaptpose_lifter"
"""The ONNX metadata entry that holds the card as JSON."""


@dataclass(frozen=True)
class LifterCard:
    """Everything needed to feed a lifter and to read its answer.

    Output is always (B, 16, 3): metres, relative to the pelvis, camera axes x right, y down, z forward.
    """

    receptive_field: int = 27
    """Frames in a window, odd; the pose returned is that of the middle one."""
    frame_rate_hz: float = 25.0
    """Rate of the window's frames."""
    skeleton: str = "h36m16"
    """Layout of the joints, in and out."""
    normalisation: Normalisation = "screen"
    """How pixels become the network's input."""
    name: str = "lifter"
    """What it was trained on, in a few words."""
    checkpoint_sha256: str = ""
    """Hash of the checkpoint an exported file was made from; empty inside the checkpoint itself."""
    project_version: str = __version__
    """Version of this project that wrote it."""
    format_version: int = FORMAT_VERSION
    """Version of this record."""

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise BadModelFile(
                f"lifter format version {self.format_version}, written by adaptpose {self.project_version}, can't be "
                f"read by adaptpose {__version__}, which reads version {FORMAT_VERSION}. "
                "Install the version that wrote it, or adapt and export again."
            )
        if self.receptive_field < 1 or self.receptive_field % 2 == 0:
            raise BadModelFile(f"a receptive field is an odd number of frames, not {self.receptive_field}.")
        if not self.frame_rate_hz > 0:
            raise BadModelFile(f"a frame rate is positive, not {self.frame_rate_hz}.")
        if self.normalisation not in get_args(Normalisation):
            raise BadModelFile(
                f"unknown normalisation {self.normalisation!r}. Known: {', '.join(get_args(Normalisation))}."
            )
        find_skeleton(self.skeleton)

    @property
    def lookahead_frames(self) -> int:
        """Frames after the middle one that a window needs."""
        return self.receptive_field // 2

    @property
    def lookahead_s(self) -> float:
        """The same in seconds: a live pose is this old when it is known."""
        return self.lookahead_frames / self.frame_rate_hz

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object], origin: str) -> LifterCard:
        """Rebuild a card.

        Raises:
            BadModelFile: naming `origin`, for another format version or values that do not fit.
        """
        if not isinstance(values, Mapping):
            raise BadModelFile(f"{origin}: not a lifter's description: {values!r}.")
        version = values.get("format_version")
        known = {field.name for field in dataclasses.fields(cls)}
        # A card of another version may have other fields: the version decides what is said, so it is looked at first.
        kept = dict(values) if version == FORMAT_VERSION else {k: v for k, v in values.items() if k in known}
        kept["format_version"] = version  # a record without one is not taken for one of ours
        try:
            return cls(**kept)  # type: ignore[arg-type]
        except BadModelFile as error:
            raise BadModelFile(f"{origin}: {error}") from error
        except (TypeError, ValueError) as error:
            raise BadModelFile(f"{origin}: not a lifter's description: {error}") from error

    def to_metadata(self) -> dict[str, str]:
        """The ONNX metadata entry."""
        return {METADATA_KEY: json.dumps(self.to_dict(), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], origin: str) -> LifterCard:
        """Read the ONNX metadata entry.

        Raises:
            BadModelFile: if the file carries none: it is not a lifter of ours.
        """
        if METADATA_KEY not in metadata:
            raise BadModelFile(
                f"{origin}: an ONNX file without the metadata entry {METADATA_KEY!r} is not a lifter that adaptpose "
                "exported. Make one with adaptpose-export."
            )
        try:
            values = json.loads(metadata[METADATA_KEY])
        except json.JSONDecodeError as error:
            raise BadModelFile(f"{origin}: the metadata entry {METADATA_KEY!r} is damaged: {error}") from error
        return cls.from_dict(values, origin)
