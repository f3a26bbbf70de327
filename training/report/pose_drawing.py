"""Draws poses as SVG. Defines the report's colours; each has one meaning everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from sdk.skeletons.skeleton import H36M16, pose_skeleton


class LimbColours(NamedTuple):
    """Colours of a pose. The right limbs are darker, so that a mirrored pose can be seen."""

    left: str
    middle: str
    right: str


BEFORE = LimbColours("#f0a07c", "#d9652f", "#8f3710")
AFTER = LimbColours("#6fb1e8", "#1f6fb2", "#0b3a66")
SOURCE = LimbColours("#e0b54a", "#b07d00", "#6b4b00")
GENERATED = LimbColours("#b99be6", "#7b4ab5", "#43206f")
TARGET = LimbColours("#5cc3a6", "#0b8a68", "#04513c")
DETECTED = LimbColours("#7dffcf", "#ffffff", "#ffd166")
"""Colours of 2D joints over an image."""

INK, FAINT_INK, RULE, PAPER = "#1c2430", "#5b6675", "#dfe3e8", "#ffffff"
SERIES = ("#1f6fb2", "#d9652f", "#0b8a68", "#7b4ab5", "#b07d00", "#c2347f", "#4d5661")
"""Colours of curves without a fixed meaning."""


View = Literal["front", "side"]
"""`front`: as the camera sees it. `side`: from the camera's right; the camera is then on the left."""

_HEAD = H36M16.index("head")


def project(joints_m: np.ndarray, view: View) -> np.ndarray:
    """Drop one axis: (..., J, 3) metres in camera axes to (..., J, 2), right and down on the page."""
    return joints_m[..., [0, 1]] if view == "front" else joints_m[..., [2, 1]]


def skeleton(points: np.ndarray, colours: LimbColours, width: float) -> str:
    """The lines and joints of one pose.

    Args:
        points: (16 or 20, 2) in units of the drawing, y down. Joints that are not finite are left out, with their
            bones.
        colours: Colours of left, middle and right.
        width: Width of the lines.
    """

    layout = pose_skeleton(len(points))

    def side(joint: int) -> str:
        return getattr(colours, layout.joints[joint].split("_")[0], colours.middle)

    drawn = [
        f'<path d="M{_at(points[parent])}L{_at(points[child])}" stroke="{side(child)}"/>'
        for parent, child in layout.bones
        if np.isfinite(points[[parent, child]]).all()
    ]
    for joint, (x, y) in enumerate(points):
        if np.isfinite([x, y]).all():
            radius = width * (1.6 if joint == _HEAD else 0.8)
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}" fill="{side(joint)}" stroke="none"/>')
    return f'<g fill="none" stroke-width="{width:g}" stroke-linecap="round">{"".join(drawn)}</g>'


def _at(point: np.ndarray) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def pose_panel(
    poses: Iterable[tuple[np.ndarray, LimbColours]], view: View, frame_m: tuple[float, float, float], label: str
) -> str:
    """Poses over each other, with a line at the lowest joint and a scale of half a metre. Units: centimetres.

    Args:
        poses: (joints (16 or 20, 3) metres root-relative, colours), in drawing order.
        view: The view.
        frame_m: Size of the panel round the root in metres: width to each side, height above, height below.
        label: What the panel shows, for screen readers. Plain text, not from outside.
    """
    across, above, below = (100 * length for length in frame_m)
    lowest, figures = -np.inf, []
    for joints, colours in poses:
        points = 100 * project(joints, view)
        lowest = max(lowest, float(points[:, 1].max()))
        figures.append(skeleton(points, colours, 4.5))
    left, bottom = -across, below + 26
    measure = (
        f'<path d="M{left + 6:.0f} {bottom - 8:.0f}h50m-50 -4v8m50 -8v8" stroke="{FAINT_INK}" stroke-width="1.5"/>'
    )
    camera = (
        f'<text x="{left + 6:.0f}" y="{-above + 12:.0f}">camera →</text>' if view == "side" else ""  # it looks along z
    )
    return (
        f'<svg viewBox="{left:.0f} {-above:.0f} {2 * across:.0f} {above + bottom:.0f}" role="img" aria-label="{label}" '
        f'font-size="11" fill="{FAINT_INK}">'
        f'<path d="M{left:.0f} {lowest:.1f}H{across:.0f}" stroke="{RULE}" stroke-width="2"/>'
        f'{measure}<text x="{left + 61:.0f}" y="{bottom - 4:.0f}">0.5 m</text>{camera}{"".join(figures)}</svg>'
    )


def panel_frame(poses: Iterable[np.ndarray]) -> tuple[float, float, float]:
    """The `frame_m` that fits all these root-relative poses (metres) in both views, for one common scale."""
    joints = np.concatenate([pose.reshape(-1, 3) for pose in poses])
    across = max(0.6, float(np.abs(joints[:, [0, 2]]).max()) + 0.08)
    above, below = max(0.5, float(-joints[:, 1].min()) + 0.12), max(0.5, float(joints[:, 1].max()) + 0.06)
    return across, above, below


def pose_strip(motion_m: np.ndarray, colours: LimbColours, view: View, frame_m: tuple[float, float, float]) -> str:
    """Poses of a motion side by side, each at its root. SVG in centimetres, with the origin at the first root.

    Args:
        motion_m: (P, 16 or 20, 3) poses to draw, metres.
        colours: Colours of the poses.
        view: The view.
        frame_m: From `panel_frame`. Neighbours stand twice its width apart.
    """
    points = 100 * project(motion_m - motion_m[:, :1], view)
    floor = points[..., 1].max()
    step, across = 200 * frame_m[0], 100 * frame_m[0]
    line = (
        f'<path d="M{-across:.0f} {floor:.1f}H{step * len(points) - across:.0f}" stroke="{RULE}" stroke-width="2.5"/>'
    )
    return line + "".join(skeleton(pose + np.array([step * at, 0]), colours, 5) for at, pose in enumerate(points))
