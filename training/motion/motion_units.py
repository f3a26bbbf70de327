"""Finds the length unit of motion files from the length of the leg, and converts the axis that points up."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16

UpAxis = Literal["y", "z"]

LEG_M = (0.55, 1.15)
"""Accepted range from hip to ankle along the bones: children from about 8 years to very tall adults. The range is
narrower than a factor of 2.1, so that no two of the units can be confused."""

UNITS_M = {
    "metres": 1.0,
    "centimetres": 0.01,
    "millimetres": 0.001,
    "inches": 0.0254,
    "CMU units": 0.0254 / 0.45,
}
"""Length of one unit in metres. The CMU database and BVH files made from it use 1 / 0.45 inch."""


def leg_length(joints: np.ndarray) -> float:
    """Length of the leg: hip to knee plus knee to ankle, median over frames and sides.

    Args:
        joints: (T, 16, 3), H36M-16, in any unit.
    """
    length = [
        np.linalg.norm(joints[:, H36M16.index(f"{side}_{a}")] - joints[:, H36M16.index(f"{side}_{b}")], axis=-1)
        for side in ("right", "left")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median((length[0] + length[1] + length[2] + length[3]) / 2))


def find_unit(leg: float) -> str:
    """The unit in which a leg of this length has the size of a person: a key of `UNITS_M`.

    Raises:
        BadMotion: if there is no such unit.
    """
    for name, metres in UNITS_M.items():
        if LEG_M[0] <= leg * metres <= LEG_M[1]:
            return name
    raise BadMotion(
        f"hip to ankle is {leg:.4g} units long, which fits a person of {LEG_M[0]}-{LEG_M[1]} m in none of the units "
        f"{', '.join(UNITS_M)}. Scale the file to metres."
    )


def to_z_up(points: np.ndarray, up: UpAxis) -> np.ndarray:
    """Points (..., 3) with z up. From y up, (x, y, z) becomes (x, -z, y): a rotation about the x axis.

    Raises:
        BadMotion: `up` is neither y nor z.
    """
    if up == "z":
        return points
    if up == "y":
        return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)
    raise BadMotion(f"source_up is {up!r}; the axis that points up is 'y' or 'z'.")
