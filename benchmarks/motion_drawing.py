"""Draws motions as rows of stick figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display needed
import matplotlib.pyplot as plt
import numpy as np

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import PARENTS

_FIGURES = 8
_APART_M = 1.1
_COLUMNS = 4
_COLOURS = {"left": "tab:blue", "right": "tab:red"}


def draw_motions(motions_m: np.ndarray, path: Path) -> None:
    """Draw each motion as figures side by side, evenly over time. Left limbs are blue, right limbs red.

    Args:
        motions_m: (N, T, 16, 3), z up.
        path: The image file to write.
    """
    rows = -(-len(motions_m) // _COLUMNS)
    figure, axes = plt.subplots(rows, _COLUMNS, figsize=(20, 1.15 * rows), layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, motion in zip(axes.flat, motions_m, strict=False):
        for place, frame in enumerate(np.linspace(0, len(motion) - 1, _FIGURES).round().astype(int)):
            pose = motion[frame]
            across = pose[:, 0] - pose[0, 0] + place * _APART_M
            for bone, parent in enumerate(PARENTS):
                ends = [parent, bone + 1]
                colour = _COLOURS.get(H36M16.joints[bone + 1].partition("_")[0], "black")
                axis.plot(across[ends], pose[ends, 2], color=colour, linewidth=1.2)
        axis.axhline(0, color="0.8", linewidth=0.5, zorder=0)
        axis.set(xlim=(-0.9, (_FIGURES - 1) * _APART_M + 0.9), ylim=(-0.1, 2.1), aspect="equal")
    figure.savefig(path, dpi=80)
    plt.close(figure)
