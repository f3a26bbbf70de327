"""Metadata of a lifter (in checkpoints and ONNX files), and its look-ahead."""

from __future__ import annotations

import dataclasses
import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from sdk.errors import BadLookahead, BadModelFile
from sdk.runtime.metadata_entry import check_values, load_entry
from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import H36M20, POSE_SKELETONS, find_skeleton
from sdk.version import __version__

FORMAT_VERSION = 2
"""Format version of checkpoints and ONNX metadata. It is increased when older readers would misread a file."""
OLDEST_READABLE = 1
"""Oldest format version that can be read. Newer fields get their defaults."""

METADATA_KEY = "adaptpose_lifter"
"""The ONNX metadata entry with this metadata as JSON."""


_LONGEST_WINDOW = 10_001
_FASTEST_HZ = 10_000.0


@dataclass(frozen=True)
class LifterMetadata:
    """All that is needed to prepare a lifter's input and to read its output.

    The poses are (B, J, 3): metres, relative to the pelvis, camera axes x right, y down, z forward.
    """

    receptive_field: int = 27
    """Frames in a window, odd. The returned pose is that of the middle frame."""
    frame_rate_hz: float = 25.0
    """Rate of the window's frames."""
    skeleton: str = "h36m16"
    """Skeleton of the joints, in and out: h36m16, or h36m20 with feet."""
    normalisation: Normalisation = "screen"
    """How pixels are normalised for the network."""
    input_channels: int = 2
    """Numbers per joint: 2 (x, y) or 3 (x, y, and whether the joint is seen)."""
    tells_more: bool = False
    """Whether it also tells how sure it is, which way is up, and which feet stand; see `sdk.lifting.answers`."""
    shortest_lookahead: int | None = None
    """Shortest look-ahead that it was trained for, in frames. None: it was trained with whole windows only."""
    lookahead: int | None = None
    """Look-ahead in use, in frames. None: all frames of the window. The rest of the window repeats the last frame."""
    name: str = "lifter"
    """What it was trained on, in a few words."""
    checkpoint_sha256: str = ""
    """Hash of the checkpoint that an exported file was made from; empty inside a checkpoint."""
    project_version: str = __version__
    """Version of this project that wrote the file."""
    format_version: int = FORMAT_VERSION
    """Version of this metadata."""

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise BadModelFile(
                f"lifter format version {self.format_version}, written by adaptpose {self.project_version}, can't be "
                f"read by adaptpose {__version__}, which reads versions {OLDEST_READABLE} to {FORMAT_VERSION}. "
                "Install the version that wrote it, or adapt and export again."
            )
        check_values(self)
        if self.receptive_field > _LONGEST_WINDOW:
            raise BadModelFile(f"a receptive field has up to {_LONGEST_WINDOW} frames, not {self.receptive_field}.")
        if self.receptive_field < 1 or self.receptive_field % 2 == 0:
            raise BadModelFile(f"a receptive field is an odd number of frames, not {self.receptive_field}.")
        if not self.frame_rate_hz > 0:
            raise BadModelFile(f"a frame rate is positive, not {self.frame_rate_hz}.")
        if self.frame_rate_hz > _FASTEST_HZ:
            raise BadModelFile(f"a frame rate is up to {_FASTEST_HZ:g}, not {reprlib.repr(self.frame_rate_hz)}.")
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
        if self.skeleton not in POSE_SKELETONS:
            raise BadModelFile(f"poses are {' or '.join(POSE_SKELETONS)}, not {self.skeleton}.")
        if self.tells_more and self.skeleton != H36M20.name:
            raise BadModelFile(f"a lifter that tells which feet stand has poses of {H36M20.name}, not {self.skeleton}.")

    @property
    def window_reach(self) -> int:
        """Number of frames in a window before its middle, and after it."""
        return self.receptive_field // 2

    @property
    def window_reach_s(self) -> float:
        """`window_reach` in seconds."""
        return self.window_reach / self.frame_rate_hz

    @property
    def lookahead_frames(self) -> int:
        """Look-ahead in use: frames after the middle one that have come when a window is cut."""
        return self.window_reach if self.lookahead is None else self.lookahead

    @property
    def lookahead_s(self) -> float:
        """`lookahead_frames` in seconds. A live pose is this old when it is known."""
        return self.lookahead_frames / self.frame_rate_hz

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object], origin: str) -> LifterMetadata:
        """Rebuild metadata.

        Raises:
            BadModelFile: another format version, or values that do not fit; names `origin`.
        """
        if not isinstance(values, Mapping):
            raise BadModelFile(f"{origin}: not a lifter's description: {values!r}.")
        version = values.get("format_version")
        known = {field.name for field in dataclasses.fields(cls)}
        # The version is checked first, because metadata of another version can have other fields.
        readable = type(version) is int and OLDEST_READABLE <= version <= FORMAT_VERSION
        kept = dict(values) if readable else {k: v for k, v in values.items() if k in known}
        kept["format_version"] = FORMAT_VERSION if readable else version  # no version: refused
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
            BadModelFile: the file has no such entry, so it is not a lifter of this project.
        """
        if METADATA_KEY not in metadata:
            raise BadModelFile(
                f"{origin}: an ONNX file without the metadata entry {METADATA_KEY!r} is not a lifter that adaptpose "
                "exported. Make one with adaptpose-export."
            )
        return cls.from_dict(load_entry(metadata, METADATA_KEY, origin), origin)


BALANCED_S = 0.2
"""Look-ahead of `balanced`. A viewer hardly notices it, and it has most of the gain of a whole window
(docs/benchmarks/lifter.md)."""
WORDS = ("live", "balanced", "offline")


def with_lookahead(metadata: LifterMetadata, lookahead: int | str, origin: str) -> LifterMetadata:
    """The metadata of a lifter with another look-ahead.

    Args:
        metadata: Metadata of the lifter.
        lookahead: Frames at the lifter's rate, or `live`, `balanced` or `offline`.
        origin: File of the lifter, for errors.

    Raises:
        BadLookahead: the look-ahead is none of these, longer than the window, or shorter than the lifter was trained
            for.
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
