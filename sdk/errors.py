"""Errors a caller can cause. Each names the thing, the value, the choices and the way out."""

from __future__ import annotations

import sys
from collections.abc import Iterable


class AdaptPoseError(Exception):
    """Base of every error this project raises on purpose; the command lines print it without a traceback."""


class UnknownChoice(AdaptPoseError, ValueError):
    """A name that is not among the known ones."""

    kind = "name"

    def __init__(self, value: object, choices: Iterable[str], hint: str = "") -> None:
        listed = ", ".join(choices)
        super().__init__(f"{value!r} is not a known {self.kind}. Known: {listed}." + (f" {hint}" if hint else ""))


class UnknownSkeleton(UnknownChoice):
    """A skeleton name without a joint table."""

    kind = "skeleton"


class UnknownDetector(UnknownChoice):
    """A detector name that is not known."""

    kind = "detector"


class UnknownDevice(UnknownChoice):
    """A device word that is not understood."""

    kind = "device"


class UnknownPolicy(UnknownChoice):
    """An unknown word for what a full queue does."""

    kind = "queue policy"


class UnknownMeasurement(UnknownChoice):
    """A measurement that no processor added."""

    kind = "measurement"


class MissingVertical(AdaptPoseError, ValueError):
    """Nothing tells which way is up."""


class MissingContact(AdaptPoseError, ValueError):
    """Nothing tells which feet stand."""


class MissingPlace(AdaptPoseError, ValueError):
    """Poses are not placed in the room, or not upright in it, and have to be."""


class DeviceUnavailable(AdaptPoseError, RuntimeError):
    """A known device that this machine does not have. No other device is used in its place."""


_ONLY_UP_TO_3_12 = ("mediapipe", "mmpose")
"""Extras whose packages have no wheels for Python 3.13."""


class MissingDependency(AdaptPoseError, ImportError):
    """An optional package is not installed.

    The message names the extra that installs it. If this Python can't have it, it names those that can, and another
    detector.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        if sys.version_info >= (3, 13) and extra in _ONLY_UP_TO_3_12:
            way_out = (
                f"adaptpose[{extra}] has wheels for Python 3.10 to 3.12 only, and this is Python "
                f"{sys.version_info[0]}.{sys.version_info[1]}. Take one of those, or --detector movenet, which needs "
                "no extra and runs on any."
            )
        else:
            way_out = f"Install it with: pip install 'adaptpose[{extra}]'"
        super().__init__(f"{purpose} needs the package {package!r}. {way_out}")


class BadKeypoints(AdaptPoseError, ValueError):
    """Keypoints with a wrong shape, or with numbers that are not finite."""


class BadImage(AdaptPoseError, ValueError):
    """An image that is not (H, W, 3) uint8 BGR."""


class BadBoxes(AdaptPoseError, ValueError):
    """A detector that needs person boxes got none, or a detector that finds people itself got some."""


class BadCamera(AdaptPoseError, ValueError):
    """A focal length or field of view that no camera has."""


class BadBodyHeight(AdaptPoseError, ValueError):
    """A height that no person has."""


class BadSetting(AdaptPoseError, ValueError):
    """A value that a setting can't have: a million threads, a queue of length zero."""


class BadLookahead(AdaptPoseError, ValueError):
    """A look-ahead that is not in the window, or shorter than the lifter was trained for."""


class BadModelFile(AdaptPoseError, ValueError):
    """A model file or run folder that is missing, damaged, or of another format version."""


class BadVideo(AdaptPoseError, ValueError):
    """A video, image folder or camera that can't be opened or read."""


class StreamFailed(AdaptPoseError, RuntimeError):
    """A live stream stopped because a part of it failed too often. The message has the last reason."""


class BadMotion(AdaptPoseError, ValueError):
    """A source motion file or folder that can't be used."""


class BadTarget(AdaptPoseError, ValueError):
    """A target with nothing to adapt to."""


class BadDataset(AdaptPoseError, ValueError):
    """A data set, or a file of one, that is missing, damaged, cut off or of another layout."""


class BadOutput(AdaptPoseError, OSError):
    """A file that can't be written: missing folder, no permission, full disk, unknown format."""


class BadDownload(AdaptPoseError, OSError):
    """A file that could not be downloaded."""


class CannotStart(AdaptPoseError, RuntimeError):
    """What every one of many videos needs can't be had: a model, a detector, a device. None could succeed."""
