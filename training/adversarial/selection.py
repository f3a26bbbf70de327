"""Selects the generated samples that the lifter learns from (AdaptPose, section 4.4)."""

from __future__ import annotations

from torch import Tensor


def select(ratio: Tensor, centre: float, reach: float) -> Tensor:
    """Eq. 14: keep what is neither too simple nor too hard.

    Args:
        ratio: (B,) error of the generated sample over that of the source.
        centre: a in eq. 14.
        reach: b in eq. 14.

    Returns:
        (B,) bool.
    """
    return (ratio - centre).square() < reach**2


def inside_frame(keypoints: Tensor, extent: tuple[float, float]) -> Tensor:
    """Keep windows whose 2D stays in the image.

    Args:
        keypoints: (B, T, J, 2) normalised image coordinates.
        extent: Half width and half height of the image in the same coordinates; the larger of them is one.

    Returns:
        (B,) bool.
    """
    half_width, half_height = extent
    x, y = keypoints.unbind(-1)
    return ((x.abs() <= half_width) & (y.abs() <= half_height)).flatten(1).all(-1)
