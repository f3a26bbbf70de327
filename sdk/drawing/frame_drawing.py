"""Draws a pose frame: 2D skeletons over the image, 3D views beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.drawing.pose_panel import draw_panel
from sdk.drawing.skeleton_drawing import MIDDLE, Colour, draw_bones, line_thickness
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.skeletons.skeleton import Skeleton

VISIBLE_SCORE = 0.3
"""Joints with a lower score, and their bones, are drawn thin."""
LABEL_ABOVE = 0.08
"""Distance of the label from the box, as a share of the box height. The box ends at the eyes, not the crown."""
LABEL_BACKGROUND: Colour = (40, 34, 30)


def draw_frame(frame: PoseFrame, skeleton: Skeleton, delay_s: float | None) -> np.ndarray:
    """The image with its people in 2D, and beside it a panel with the same people in 3D.

    Args:
        frame: From a pose stream.
        skeleton: Skeleton of its 2D keypoints.
        delay_s: The stream's delay, written into the panel; None for a recording that is seen whole.

    Returns:
        A new image, (H, W + panel width, 3) uint8 BGR. Its size is even and depends only on the size of the image.
    """
    height, width = frame.image.shape[:2]
    panel_width = round(float(np.clip(0.6 * min(height, width), 200, 900)))
    panel_width += (width + panel_width) % 2
    padded = height + height % 2  # video encoders want even sizes
    canvas = np.empty((padded, width + panel_width, 3), np.uint8)
    canvas[height:, :width] = 0
    canvas[:height, :width] = draw_people(frame.image, frame.people, skeleton)
    draw_panel(canvas[:, width:], frame.people, delay_s, frame.timestamp_s)
    return canvas


def draw_people(image: np.ndarray, people: Sequence[PersonPose], skeleton: Skeleton) -> np.ndarray:
    """Draw 2D skeletons and track numbers.

    Args:
        image: (H, W, 3) uint8 BGR; not changed.
        people: People with keypoints in pixels of this image. Joints that are not finite are left out.
        skeleton: Skeleton of the keypoints.

    Returns:
        A new image of the same shape.
    """
    import supervision as sv

    canvas = image.copy()
    height, width = image.shape[:2]
    thickness = line_thickness(image.shape[:2])
    for person in people:
        draw_bones(canvas, person.keypoints_px, person.scores >= VISIBLE_SCORE, skeleton, thickness)
    boxes = [p for p in people if np.isfinite(p.box).all()]
    if boxes:
        labels = sv.LabelAnnotator(
            color=sv.Color(*LABEL_BACKGROUND[::-1]),
            text_color=sv.Color(*MIDDLE[::-1]),
            text_scale=0.2 * thickness + 0.05,
            text_thickness=max(1, thickness // 2),
            text_padding=2 * thickness,
            border_radius=2 * thickness,
            smart_position=False,
        )
        above = np.stack([p.box for p in boxes]).astype(np.float64)
        above[:, 1] -= LABEL_ABOVE * (above[:, 3] - above[:, 1])
        above[:, 1] = np.maximum(above[:, 1], 10 * thickness)  # the label's own height keeps it inside the image
        where = sv.Detections(np.clip(above, 0, [width, height, width, height]), class_id=np.zeros(len(boxes), int))
        canvas = labels.annotate(canvas, where, labels=[f"person {p.track_id}" for p in boxes])
    return canvas
