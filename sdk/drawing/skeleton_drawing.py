"""Draws a skeleton into an image. Left is orange, right is blue, the middle is white (BGR)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.skeletons.skeleton import Skeleton

Colour = tuple[int, int, int]

LEFT: Colour = (43, 145, 255)
RIGHT: Colour = (255, 160, 64)
MIDDLE: Colour = (240, 240, 240)


def joint_colours(skeleton: Skeleton) -> tuple[Colour, ...]:
    """One colour per joint, by the side in its name. Colour-blind people can also see the difference."""
    sides = {"left": LEFT, "right": RIGHT}
    return tuple(sides.get(joint.split("_")[0], MIDDLE) for joint in skeleton.joints)


def bone_colours(skeleton: Skeleton) -> tuple[Colour, ...]:
    """One colour per bone: that of its side, or that of the middle if it joins two sides."""
    colours = joint_colours(skeleton)
    return tuple(
        colours[child] if colours[parent] in (MIDDLE, colours[child]) else MIDDLE for parent, child in skeleton.bones
    )


RIM: Colour = (30, 26, 22)
"""Colour of the rim round every bone, so that bones can be seen on bright and on dark images."""


def draw_bones(
    canvas: np.ndarray,
    points: np.ndarray,
    visible: np.ndarray,
    skeleton: Skeleton,
    thickness: int,
) -> None:
    """Draw one skeleton into `canvas`, in place.

    OpenCV's lines are used because supervision's edge annotator has one colour for all bones, no anti-aliasing and no
    scores.

    Args:
        canvas: (H, W, 3) uint8 BGR.
        points: (J, 2) pixels; those that are not finite are left out.
        visible: (J,) bool; others are drawn thin.
        skeleton: Skeleton of the J joints.
        thickness: Thickness of a bone in pixels.
    """
    import cv2

    drawable = np.isfinite(points).all(-1) & (np.abs(points) < 1e5).all(-1)  # far beyond, OpenCV's integers overflow
    fixed = np.round(np.where(drawable[:, None], points, 0) * 8).astype(int)  # 3 fractional bits: steady in motion
    bones = [
        (fixed[start], fixed[end], colour, thickness if visible[start] and visible[end] else 1)
        for (start, end), colour in zip(skeleton.bones, bone_colours(skeleton), strict=True)
        if drawable[start] and drawable[end]
    ]
    rim = max(1, thickness // 3)
    for start, end, _, width in bones:
        cv2.line(canvas, tuple(start), tuple(end), RIM, width + 2 * rim, cv2.LINE_AA, shift=3)
    for start, end, colour, width in bones:
        cv2.line(canvas, tuple(start), tuple(end), colour, width, cv2.LINE_AA, shift=3)
    for point, colour, shown, seen in zip(fixed, joint_colours(skeleton), drawable, visible, strict=True):
        if shown:
            radius = round((0.9 if seen else 0.5) * thickness * 8)
            cv2.circle(canvas, tuple(point), radius, colour, -1, cv2.LINE_AA, shift=3)


def line_thickness(shape: Sequence[int]) -> int:
    """Line width in pixels for an image of (H, W): 3 at 720p, 4 or 5 at 1080p."""
    return max(1, round(min(shape) / 240))
