"""Whether a recording's camera moves. A file of its own: settings import it, and --help must answer without numpy."""

from __future__ import annotations

from typing import Literal, get_args

from sdk.errors import BadSetting

CameraMotion = Literal["auto", "still", "moving"]
"""Whether the tilt of a recording's camera changes; `auto`: as what is told of the vertical says."""


def check_camera_motion(motion: str) -> None:
    """Do nothing for a `CameraMotion`.

    Raises:
        BadSetting: it is something else.
    """
    if motion not in get_args(CameraMotion):
        raise BadSetting(f"camera_motion is {motion!r}; it must be one of {', '.join(get_args(CameraMotion))}.")
