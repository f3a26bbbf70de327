"""Draws the 3D panel: everybody from the front and from the side, on a floor line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.drawing.skeleton_drawing import Colour, draw_bones
from sdk.results.pose_frame import PersonPose
from sdk.results.processors.upright import ANKLE_HEIGHT_M
from sdk.skeletons.skeleton import H36M16, pose_skeleton

BACKGROUND: Colour = (34, 28, 24)
GROUND: Colour = (44, 37, 32)
GRID: Colour = (64, 55, 48)
FLOOR: Colour = (150, 138, 126)
TEXT: Colour = (225, 220, 214)
FAINT_TEXT: Colour = (150, 142, 134)
UNSURE_FROM_M = 0.15
"""Joints with a larger standard deviation (of all three coordinates together) are drawn thin: a hand's length."""
VIEW_HEIGHT_M = 2.1
"""Metres from the floor to the top of a view, under its title."""
PERSON_WIDTH_M = 1.3
"""Width of one person's column in metres."""


def draw_panel(canvas: np.ndarray, people: Sequence[PersonPose], delay_s: float | None, timestamp_s: float) -> None:
    """Draw the 3D poses in two orthographic views, in place: the camera's (x right, y down) and from its side (z, y).

    Poses are relative to the pelvis, so the panel does not show where people stand. Each person has a column, in the
    order of their places in the image, with the lowest joint on the floor; of upright people, the floor is their own.

    Args:
        canvas: The panel, (height, width, 3) uint8 BGR; all of it is overwritten.
        people: People of one frame. For those who were not lifted, the reason is written.
        delay_s: The stream's delay; None for a recording that is seen whole: nothing is written of it.
        timestamp_s: Timestamp of the frame.
    """
    height, width = canvas.shape[:2]
    _fill(canvas, BACKGROUND)
    unit = max(9, round(min(width, height / 2) / 30))  # height of a capital letter in pixels
    margin, header = round(1.2 * unit), round(3.4 * unit)
    baseline = round(2.3 * unit)
    title = _write(canvas, "3D pose", (margin, baseline), unit, TEXT)
    times = f"t {timestamp_s:.2f} s" + ("" if delay_s is None else f"   delay {delay_s:.2f} s")
    _write(canvas, times, (width - margin, baseline), unit, FAINT_TEXT, "right", width - 2 * margin - title - unit)
    ordered = sorted(people, key=lambda person: person.box[0] + person.box[2])
    view_height = (height - header - margin) // 2
    for row, (name, axis, caption) in enumerate((("front", 0, "x right"), ("side", 2, "z away from the camera"))):
        top = header + row * view_height
        view = canvas[top : top + view_height - margin // 2, margin : width - margin]
        _draw_view(view, ordered, axis, unit)
        title = _write(view, name, (unit, 2 * unit), unit, TEXT)
        room = view.shape[1] - 3 * unit - title
        _write(view, caption, (view.shape[1] - unit, 2 * unit), unit, FAINT_TEXT, "right", room)


def _draw_view(view: np.ndarray, people: Sequence[PersonPose], axis: int, unit: int) -> None:
    """Draw everybody into one view, in place. `axis` of the pose points right, y points down."""
    import cv2

    height, width = view.shape[:2]
    _fill(view, GROUND)
    title, foot = round(3.2 * unit), round(2.6 * unit)
    columns = max(1, len(people))
    pixels_per_m = min((height - title - foot) / VIEW_HEIGHT_M, width / (columns * PERSON_WIDTH_M))
    floor_y = height - foot
    for step in range(1, int((floor_y - title - unit) / pixels_per_m * 2) + 1):
        y = round(floor_y - step / 2 * pixels_per_m)
        cv2.line(view, (0, y), (width, y), GRID, 1)
        if step % 2 == 0:
            _write(view, f"{step // 2} m", (unit // 2, y - unit // 3), round(0.8 * unit), FAINT_TEXT)
    cv2.line(view, (0, floor_y), (width, floor_y), FLOOR, max(1, unit // 6), cv2.LINE_AA)
    thickness = max(2, round(0.025 * pixels_per_m))
    for column, person in enumerate(people):
        middle = (column + 0.5) * width / columns
        room = round(0.9 * width / columns)
        _write(view, f"person {person.track_id}", (round(middle), height - unit), unit, FAINT_TEXT, "centre", room)
        if person.joints_m is None:
            reason = (round(middle), round(floor_y - 0.9 * pixels_per_m))
            _write(view, f"no 3D: {person.status.value}", reason, unit, FAINT_TEXT, "centre", room)
            continue
        skeleton = pose_skeleton(len(person.joints_m))
        lowest = person.floor_m
        if lowest is None:
            lowest = float(person.joints_m[:, 1].max()) + (ANKLE_HEIGHT_M if skeleton is H36M16 else 0.0)
        across = middle + person.joints_m[:, axis] * pixels_per_m
        down = floor_y + (person.joints_m[:, 1] - lowest) * pixels_per_m
        draw_bones(view, np.stack([across, down], -1), _sure(person), skeleton, thickness)


def _sure(person: PersonPose) -> np.ndarray:
    """(J,) whether the lifter is sure of each joint; of all, if it does not tell. The others are drawn thin."""
    assert person.joints_m is not None
    if person.deviations_m is None:
        return np.ones(len(person.joints_m), bool)
    return np.linalg.norm(person.deviations_m, axis=1) < UNSURE_FROM_M


def _fill(canvas: np.ndarray, colour: Colour) -> None:
    """Set every pixel, in place. numpy would take twenty times as long to repeat three bytes."""
    import cv2

    cv2.rectangle(canvas, (0, 0), (canvas.shape[1], canvas.shape[0]), colour, cv2.FILLED)


def _write(
    canvas: np.ndarray,
    text: str,
    place: tuple[int, int],
    letter_px: int,
    colour: Colour,
    align: str = "left",
    room: int | None = None,
) -> int:
    """Write a line, in place, from, around or up to a point on its base line. It is made smaller to fit its room.

    Returns:
        Its width in pixels.
    """
    import cv2

    font, scale, weight = cv2.FONT_HERSHEY_SIMPLEX, letter_px / 21, max(1, round(letter_px / 12))
    (width, _), _ = cv2.getTextSize(text, font, scale, weight)
    if room is not None and width > room:
        room = max(1, room)
        width, scale = room, scale * room / width
    left = place[0] - {"left": 0, "centre": width // 2, "right": width}[align]
    cv2.putText(canvas, text, (left, place[1]), font, scale, colour, weight, cv2.LINE_AA)
    return width
