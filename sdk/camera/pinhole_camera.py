"""The camera model: a pinhole that looks through the centre of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sdk.errors import BadCamera

ASSUMED_FIELD_OF_VIEW_DEG = 60.0
"""Assumed field of view of the image's longer side. It is between a phone's main camera (69) and a camcorder (50)."""


@dataclass(frozen=True)
class Pinhole:
    """A focal length, and whether it is assumed.

    Attributes:
        focal: Focal length in half lengths of the image's longer side, the unit of the lifter's coordinates.
        assumed: Whether the focal length is only assumed. Then depths are only as right as the assumption: they are
            proportional to it.
    """

    focal: float
    assumed: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.focal) and self.focal > 0):
            raise BadCamera(f"a focal length is a positive number, not {self.focal}.")

    @classmethod
    def of_pixels(cls, focal_px: float, image_size: tuple[int, int]) -> Pinhole:
        """A camera from a calibrated focal length in pixels.

        Raises:
            BadCamera: the focal length is not a positive number.
        """
        return cls(focal_px * 2 / max(image_size))

    @classmethod
    def of_field_of_view(cls, degrees: float, *, assumed: bool = False) -> Pinhole:
        """A camera from the field of view of the image's longer side.

        Raises:
            BadCamera: the angle is not between 0 and 180.
        """
        if not 0 < degrees < 180:
            raise BadCamera(f"a field of view lies between 0 and 180 degrees, not {degrees}.")
        return cls(1 / math.tan(math.radians(degrees) / 2), assumed)


ASSUMED = Pinhole.of_field_of_view(ASSUMED_FIELD_OF_VIEW_DEG, assumed=True)
"""The camera for unknown focal lengths."""
