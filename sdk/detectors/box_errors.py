"""What to say when a detector's person boxes are missing, or not wanted."""

from __future__ import annotations

from sdk.errors import BadBoxes


def missing_boxes(model: str) -> BadBoxes:
    """The error of a top-down model without a detector of person boxes."""
    return BadBoxes(
        f"{model} looks at one person at a time and needs person boxes, but boxes=None. Name a detector that finds "
        "people: boxes='mediapipe', boxes='onnx:PATH' (MoveNet), boxes='rtmo-s' (mmpose's one-stage model), or "
        "boxes='mmpose:CONFIG:CHECKPOINT' (another one)."
    )


def needless_boxes(model: str) -> BadBoxes:
    """The error of boxes for a model that would ignore them."""
    return BadBoxes(f"{model} finds people by itself; leave out boxes=... and det_every=...")
