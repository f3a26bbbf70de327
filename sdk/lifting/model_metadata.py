"""What a lifter says about itself (in checkpoints and ONNX files), and how many frames of the future it waits for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from sdk.errors import BadLookahead, BadModelFile
from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import find_skeleton
from sdk.version import __version__

DEFAULT_LIFTER = "fast"
SHIPPED_LIFTERS = {name: Path(__file__).parents[1] / "weights" / f"{name}.onnx" for name in ("fast", "base")}
"""`fast`: 27 frames, 256 channels. `base`: 27 frames, 512 channels. Beside each lies its streaming form."""
FORMAT_VERSION = 2
"""Of checkpoints and ONNX metadata; raised when an older reader would go wrong."""
OLDEST_READABLE = 1
"""A record of this version lacks what came later: it is that of a lifter without it."""

METADATA_KEY = "adaptpose_lifter"
"""The ONNX metadata entry that holds the metadata as JSON."""


@dataclass(frozen=True)
class LifterMetadata:
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
    input_channels: int = 2
    """Numbers per joint: x and y, or 3 with whether the joint is seen."""
    shortest_lookahead: int | None = None
    """Frames after the middle one that it can do with; None: it was trained with whole windows only."""
    lookahead: int | None = None
    """Frames after the middle one that it is given; None: all of the window's. The rest repeats the last of them."""
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
                f"read by adaptpose {__version__}, which reads versions {OLDEST_READABLE} to {FORMAT_VERSION}. "
                "Install the version that wrote it, or adapt and export again."
            )
        if self.receptive_field < 1 or self.receptive_field % 2 == 0:
            raise BadModelFile(f"a receptive field is an odd number of frames, not {self.receptive_field}.")
        if not self.frame_rate_hz > 0:
            raise BadModelFile(f"a frame rate is positive, not {self.frame_rate_hz}.")
        if self.input_channels not in (2, 3):
            raise BadModelFile(f"a lifter takes 2 or 3 numbers per joint, not {self.input_channels}.")
        for frames in (self.shortest_lookahead, self.lookahead):
            if frames is not None and not 0 <= frames <= self.window_reach:
                raise BadModelFile(f"a look-ahead of {frames} frames is not within 0 and {self.window_reach}.")
        if self.normalisation not in get_args(Normalisation):
            raise BadModelFile(
                f"unknown normalisation {self.normalisation!r}. Known: {', '.join(get_args(Normalisation))}."
            )
        find_skeleton(self.skeleton)

    @property
    def window_reach(self) -> int:
        """Frames in a window before and after its middle."""
        return self.receptive_field // 2

    @property
    def window_reach_s(self) -> float:
        """The same in seconds."""
        return self.window_reach / self.frame_rate_hz

    @property
    def lookahead_frames(self) -> int:
        """Frames after the middle one that have come when a window is cut."""
        return self.window_reach if self.lookahead is None else self.lookahead

    @property
    def lookahead_s(self) -> float:
        """The same in seconds: a live pose is this old when it is known."""
        return self.lookahead_frames / self.frame_rate_hz

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object], origin: str) -> LifterMetadata:
        """Rebuild metadata.

        Raises:
            BadModelFile: naming `origin`, for another format version or values that do not fit.
        """
        if not isinstance(values, Mapping):
            raise BadModelFile(f"{origin}: not a lifter's description: {values!r}.")
        version = values.get("format_version")
        known = {field.name for field in dataclasses.fields(cls)}
        # Metadata of another version may have other fields: the version decides, so it is looked at first.
        readable = type(version) is int and OLDEST_READABLE <= version <= FORMAT_VERSION
        kept = dict(values) if readable else {k: v for k, v in values.items() if k in known}
        kept["format_version"] = FORMAT_VERSION if readable else version  # without one it is not taken for one of ours
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
    def from_metadata(cls, metadata: Mapping[str, str], origin: str) -> LifterMetadata:
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


BALANCED_S = 0.2
"""Of `balanced`: a viewer hardly notices it; most of what a whole window gains is there (docs/benchmarks/lifter.md)."""
WORDS = ("live", "balanced", "offline")


def with_lookahead(metadata: LifterMetadata, lookahead: int | str, origin: str) -> LifterMetadata:
    """The metadata of a lifter that waits for so much.

    Args:
        metadata: Of the lifter.
        lookahead: Frames at its rate, or `live`, `balanced` or `offline`.
        origin: File that it comes from, for errors.

    Raises:
        BadLookahead: none of these, beyond the window, or less than the lifter was trained for.
    """
    shortest = metadata.window_reach if metadata.shortest_lookahead is None else metadata.shortest_lookahead
    frames = {
        "live": 0,
        "balanced": min(round(BALANCED_S * metadata.frame_rate_hz), metadata.window_reach),
        "offline": metadata.window_reach,
    }.get(lookahead, lookahead) if isinstance(lookahead, str) else lookahead  # fmt: skip
    choices = f"a number of frames from {shortest} to {metadata.window_reach}, or one of {', '.join(WORDS)}"
    if not isinstance(frames, int) or isinstance(frames, bool) or not 0 <= frames <= metadata.window_reach:
        raise BadLookahead(f"look-ahead {lookahead!r} is not {choices}.")
    if frames < shortest:
        raise BadLookahead(
            f"{origin} was trained to see at least {shortest} frames ahead, not {frames} (look-ahead {lookahead!r}). "
            "Use 'offline', or a lifter that was trained for any look-ahead: the shipped one, or one adapted from it."
        )
    return dataclasses.replace(metadata, lookahead=None if frames == metadata.window_reach else frames)
