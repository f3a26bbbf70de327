"""What a lifter's graph answers: joints; some lifters also tell how sure they are, which way is up, which feet stand.

The graph has one named output for each. In between, an answer is one row of numbers, so that windows, streams and
people pass it on whatever is in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import Skeleton, find_skeleton

JOINTS_OUTPUT = "joints"
FEET_IN_CONTACT = ("right_heel", "right_toe", "left_heel", "left_toe")
"""Joints whose contact with the ground is told, in this order."""
FURTHER_OUTPUTS = ("deviations", "up", "up_deviation", "contact")
"""What the graph of a lifter that tells more answers after the joints, in this order."""
_MIRRORED_FEET = [2, 3, 0, 1]


@dataclass(frozen=True)
class PoseAnswer:
    """The answers to N frames (or one, without the first dimension).

    Attributes:
        joints_m: (N, J, 3) metres, relative to the pelvis, camera axes x right, y down, z forward.
        deviations_m: (N, J, 3) standard deviation of each coordinate in metres; None if the lifter does not say.
        up: (N, 3) of length 1, against gravity, in camera axes; None if the lifter does not say.
        up_deviation_rad: (N,) standard deviation of the angle of `up` about one axis; None if the lifter does not say.
        contact: (N, 4) probabilities that the joints of `FEET_IN_CONTACT` stand; None if the lifter does not say.
    """

    joints_m: np.ndarray
    deviations_m: np.ndarray | None = None
    up: np.ndarray | None = None
    up_deviation_rad: np.ndarray | None = None
    contact: np.ndarray | None = None

    def further(self, frame: int | None = None) -> dict[str, Any]:
        """What it tells beside the joints, as the fields of a `PersonPose`: of one frame of N, or of the only one."""
        told = {"deviations_m": self.deviations_m, "up": self.up, "contact": self.contact}
        return {name: value if value is None or frame is None else value[frame] for name, value in told.items()}


class AnswerForm:
    """How the answers of one lifter lie in a row.

    Attributes:
        skeleton: Skeleton of the poses.
        outputs: Names and shapes of the graph's outputs, without the batch.
        size: Numbers in a row.
    """

    def __init__(self, metadata: LifterMetadata) -> None:
        self.skeleton: Skeleton = find_skeleton(metadata.skeleton)
        joints = len(self.skeleton)
        self.outputs: dict[str, tuple[int, ...]] = {JOINTS_OUTPUT: (joints, 3)}
        if metadata.tells_more:
            self.outputs |= dict(zip(FURTHER_OUTPUTS, ((joints, 3), (3,), (1,), (4,)), strict=True))
        ends = list(itertools.accumulate(math.prod(shape) for shape in self.outputs.values()))
        self.size = ends[-1]
        self._parts = dict(zip(self.outputs, zip([0, *ends[:-1]], ends, strict=True), strict=True))

    def packed(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """(N, size) rows from the graph's outputs, each (N, ...), in their order."""
        if len(outputs) == 1:
            return outputs[0].reshape(len(outputs[0]), -1)
        return np.concatenate([one.reshape(len(one), -1) for one in outputs], 1)

    def outputs_of(self, rows: np.ndarray) -> list[np.ndarray]:
        """The graph's outputs in rows (N, size): the inverse of `packed`, with `up` of length 1."""
        parts = dict(zip(self.outputs, self.split(rows), strict=True))
        if "up" in parts:
            length = np.linalg.norm(parts["up"], axis=-1, keepdims=True)
            parts["up"] = parts["up"] / np.maximum(length, np.finfo(np.float32).tiny)
        return list(parts.values())

    def split(self, rows: np.ndarray) -> list[np.ndarray]:
        """The outputs in rows (N, size) as they are, each (N, ...): the inverse of `packed`."""
        return [rows[:, low:high].reshape(len(rows), *self.outputs[name]) for name, (low, high) in self._parts.items()]

    def joints_m(self, rows: np.ndarray) -> np.ndarray:
        """(..., J, 3) joints of rows (..., size)."""
        low, high = self._parts[JOINTS_OUTPUT]
        return rows[..., low:high].reshape(*rows.shape[:-1], *self.outputs[JOINTS_OUTPUT])

    def unpacked(self, rows: np.ndarray) -> PoseAnswer:
        """The answers in rows (..., size)."""
        if len(self.outputs) == 1:
            return PoseAnswer(rows.reshape(*rows.shape[:-1], *self.outputs[JOINTS_OUTPUT]))
        parts = {
            name: rows[..., low:high].reshape(*rows.shape[:-1], *self.outputs[name])
            for name, (low, high) in self._parts.items()
        }
        return PoseAnswer(
            parts[JOINTS_OUTPUT], parts["deviations"], parts["up"], parts["up_deviation"][..., 0], parts["contact"]
        )

    def mirrored(self, rows: np.ndarray) -> np.ndarray:
        """The rows (N, size) of mirrored people: left and right exchanged, x with the other sign."""
        answer, order = self.unpacked(rows), list(self.skeleton.mirror)
        flip = np.array([-1, 1, 1], rows.dtype)
        parts = [answer.joints_m[:, order] * flip]
        if answer.deviations_m is not None:
            assert answer.up is not None
            assert answer.up_deviation_rad is not None
            assert answer.contact is not None
            parts += [answer.deviations_m[:, order], answer.up * flip]
            parts += [answer.up_deviation_rad[:, None], answer.contact[:, _MIRRORED_FEET]]
        return self.packed(parts)
