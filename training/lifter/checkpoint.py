"""A lifter on disk: its weights, and all that is needed to rebuild it and to prepare its input."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.shipped_lifters import DEFAULT_LIFTER, SHIPPED_LIFTERS
from training.files.tensor_file import load_tensors, save_atomically
from training.lifter.lifter import TemporalLifter

_FEWEST_IN_HALF = 1024
"""Fewest numbers in an array that half storage rounds. Biases and statistics of normalisation stay as they are."""
_SHIPPED = Path(__file__).parents[1] / "weights"


def starting_checkpoint(start: Path | None) -> Path:
    """The checkpoint to start from: a file, or a shipped lifter by its name. None means the SDK's default lifter."""
    name = DEFAULT_LIFTER if start is None else str(start)
    return _SHIPPED / f"{name}.pt" if name in SHIPPED_LIFTERS else Path(name).expanduser()


def is_shipped(checkpoint: Path) -> bool:
    """Whether it is one of the installed files, which nobody is to write beside."""
    return checkpoint.absolute().parent == _SHIPPED


@dataclass(frozen=True)
class LifterCheckpoint:
    """A network and its metadata.

    Attributes:
        network: In evaluation mode when loaded.
        metadata: How to prepare its input.
    """

    network: TemporalLifter
    metadata: LifterMetadata

    def save(self, path: Path, *, half_storage: bool = False) -> None:
        """Write the file whole or not at all.

        Args:
            path: The file.
            half_storage: Store large arrays in half precision, as in the shipped `feet`; loaded, they are float32.
        """
        network = self.network
        weights = {name: value.detach().cpu() for name, value in network.state_dict().items()}
        if half_storage:
            weights = {name: _in_half(value) for name, value in weights.items()}
        save_atomically(
            {
                "card": self.metadata.to_dict(),
                "architecture": {
                    "filter_widths": list(network.filter_widths),
                    "channels": network.channels,
                    "joints": network.joints,
                    "input_channels": network.input_channels,
                    "dropout": network.dropout,
                    "view": network.view,
                    **({"tells_more": True} if network.tells_more else {}),
                    **({"feet_width": network.feet_width} if network.feet_width else {}),
                },
                "weights": weights,
            },
            path,
        )

    @classmethod
    def load(cls, path: Path) -> LifterCheckpoint:
        """Read a checkpoint; no code in it is run.

        Raises:
            BadModelFile: missing, damaged, not a lifter, or of another format version.
        """
        content = load_tensors(path)
        if not {"card", "architecture", "weights"} <= content.keys():
            raise BadModelFile(f"{path} is not a lifter checkpoint: it lacks metadata, architecture or weights.")
        metadata = LifterMetadata.from_dict(content["card"], origin=str(path))
        try:
            network = TemporalLifter(**content["architecture"])
            network.load_state_dict(content["weights"])
        except (TypeError, ValueError, RuntimeError) as error:
            raise BadModelFile(f"{path}: architecture and weights do not fit: {error}") from error
        lost = [name for name, value in network.state_dict().items() if not bool(value.isfinite().all())]
        if lost:
            raise BadModelFile(
                f"{path}: {len(lost)} of its arrays hold numbers that are not finite, {lost[0]} first. Its training "
                "diverged, or the file was changed: take another lifter."
            )
        if network.receptive_field != metadata.receptive_field:
            raise BadModelFile(
                f"{path}: the metadata says {metadata.receptive_field} frames, the network takes "
                f"{network.receptive_field}."
            )
        return cls(network.eval(), metadata)


def _in_half(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() and value.numel() >= _FEWEST_IN_HALF else value


def exported_metadata(metadata: LifterMetadata, checkpoint: Path) -> LifterMetadata:
    """The metadata of a file that is made from a checkpoint. It has the checkpoint's hash."""
    return dataclasses.replace(metadata, checkpoint_sha256=hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest())
