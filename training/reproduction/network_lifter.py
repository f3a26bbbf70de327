"""A network as protocols take it."""

from __future__ import annotations

import numpy as np
import torch

from sdk.lifting.model_metadata import LifterMetadata
from training.lifter.checkpoint import LifterCheckpoint

_AT_ONCE = 2048


class NetworkLifter:
    """Lifts windows with a checkpoint's network.

    Args:
        checkpoint: Network and metadata; it takes two numbers a joint.
        device: Where to compute.
    """

    def __init__(self, checkpoint: LifterCheckpoint, device: torch.device) -> None:
        self._network, self._device = checkpoint.network.to(device).eval(), device
        self._metadata = checkpoint.metadata

    @property
    def metadata(self) -> LifterMetadata:
        """The checkpoint's."""
        return self._metadata

    def lift_windows(self, windows: np.ndarray) -> np.ndarray:
        """(B, T, 16, 2) windows to (B, 16, 3) poses in metres."""
        with torch.no_grad():
            parts = torch.from_numpy(np.ascontiguousarray(windows, np.float32)).split(_AT_ONCE)
            return torch.cat([self._network(part.to(self._device)).cpu() for part in parts]).numpy()
