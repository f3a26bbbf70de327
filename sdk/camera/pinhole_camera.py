"""The camera that is assumed behind a picture: a pinhole that looks through the picture's centre."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sdk.errors import BadCamera

ASSUMED_FIELD_OF_VIEW_DEG = 60.0
"""Of the picture's longer side: between a phone's main camera (69) and a camcorder (50)."""


@dataclass(frozen=True)
class Pinhole:
    """A focal length, and whether anybody stated it.

    Attributes:
        focal: In half lengths of the picture's longer side, the unit of the lifter's coordinates.
        assumed: Nobody stated it: depths are only as right as the assumed field of view, to which they are in
            proportion.
    """

    focal: float
    assumed: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.focal) and self.focal > 0):
            raise BadCamera(f"a focal length is a positive number, not {self.focal}.")

    @classmethod
    def of_pixels(cls, focal_px: float, image_size: tuple[int, int]) -> Pinhole:
        """From a calibrated focal length in pixels.

        Raises:
            BadCamera: not a positive number.
        """
        return cls(focal_px * 2 / max(image_size))

    @classmethod
    def of_field_of_view(cls, degrees: float, *, assumed: bool = False) -> Pinhole:
        """From the angle that the picture's longer side takes in.

        Raises:
            BadCamera: not between 0 and 180.
        """
        if not 0 < degrees < 180:
            raise BadCamera(f"a field of view lies between 0 and 180 degrees, not {degrees}.")
        return cls(1 / math.tan(math.radians(degrees) / 2), assumed)


ASSUMED = Pinhole.of_field_of_view(ASSUMED_FIELD_OF_VIEW_DEG, assumed=True)
"""Where nothing is known."""
