"""Small prepared data sets on disk, of people who stand before a camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.training.protocols.made_up import POSE_M
from training.datasets.camera import SequenceCamera
from training.datasets.prepared import PreparedDataset, open_prepared, write_index, write_sequence
from training.datasets.sequence import PreparedSequence, SequenceFacts

SIZE = (1000, 1000)


def standing(
    name: str, frames: Sequence[int], *, split: str = "test", universal: bool = False, rate_hz: float | None = 25.0,
    invalid: Sequence[int] = (), size: tuple[int, int] = SIZE, action: str = "",
) -> PreparedSequence:  # fmt: skip
    """Somebody who steps aside: the numbers of the frames are their place in centimetres."""
    numbers = np.array(frames, np.int64)
    joints = np.tile(POSE_M, (len(numbers), 1, 1)) + np.array([0, 0, 4], np.float32)
    joints[..., 0] += numbers[:, None] / 100
    camera = SequenceCamera(np.array([[1000.0, 1000.0, size[0] / 2, size[1] / 2]]), *size, np.zeros(5))
    valid = ~np.isin(np.arange(len(numbers)), invalid)
    facts = SequenceFacts(
        name, name, action, split, "0", 0, rate_hz, 1, len(numbers), int(valid.sum()), True, True, universal
    )
    return PreparedSequence(
        facts,
        camera.project(joints).astype(np.float32),
        valid,
        numbers,
        joints.astype(np.float32),
        (joints * 1.1).astype(np.float32) if universal else None,
        camera=camera,
    )


def write_data(
    folder: Path,
    data_set: str,
    sequences: Sequence[PreparedSequence],
    *,
    miniature: bool = False,
    order: str = "h36m16",
) -> PreparedDataset:
    """Write a prepared data set and open it."""
    for sequence in sequences:
        write_sequence(folder, sequence)
    facts = tuple(sequence.facts for sequence in sequences)
    index = PreparedDataset(folder, data_set, order, "as drawn", "a test", miniature, facts, {})
    write_index(index, complete=True)
    return open_prepared(folder)
