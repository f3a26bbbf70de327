"""The cameras of Human3.6M's metadata.xml."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.camera import SequenceCamera

CAMERAS = ("54138969", "55011271", "58860488", "60457274")
SIZES = {"54138969": (1000, 1002), "55011271": (1000, 1000), "58860488": (1000, 1000), "60457274": (1000, 1002)}
_SUBJECTS = 11
_NUMBERS = 6 * 4 * _SUBJECTS + 9 * 4
_LARGEST_BYTES = 16 << 20


def read_metadata(path: Path) -> dict[tuple[str, str], SequenceCamera]:
    """Cameras by subject and camera identity.

    The vector `w0` has 3 angles and the position in millimetres at 6 * (camera * 11 + subject - 1), and fx, fy, cx,
    cy, k1, k2, k3, p1, p2 at 264 + 9 * camera. Only it is looked for: no XML of others is parsed.

    Raises:
        BadDataset: there is no such vector in the file.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise BadDataset(f"{shown(path)} is too large for Human3.6M's metadata.xml.")
    text = path.read_text(encoding="utf-8", errors="replace")
    vector = re.search(r"<w0>\s*\[?([-+.0-9eE\s,;]*)\]?\s*</w0>", text)
    try:
        numbers = np.array([float(word) for word in re.split(r"[\s,;]+", vector[1].strip())]) if vector else np.zeros(0)
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) < _NUMBERS or not np.isfinite(numbers).all():
        raise BadDataset(
            f"{shown(path)} is not Human3.6M's metadata.xml, or is cut off: <w0> has {len(numbers)} numbers, "
            f"not {_NUMBERS}."
        )
    listed = re.search(r"<index2id>(.*?)</index2id>", text, re.DOTALL)
    identities = re.findall(r"\d{8}", listed[1]) if listed else list(CAMERAS)
    if sorted(identities) != sorted(CAMERAS):
        raise BadDataset(f"{shown(path)}: its cameras are {', '.join(identities[:8])}, not {', '.join(CAMERAS)}.")
    cameras = {}
    for at, identity in enumerate(identities):
        lens = numbers[264 + 9 * at : 273 + 9 * at]
        for subject in range(1, _SUBJECTS + 1):
            outside = numbers[6 * (at * _SUBJECTS + subject - 1) :][:6]
            cameras[f"S{subject}", identity] = camera_of(outside[:3], outside[3:] / 1000, lens, SIZES[identity])
    return cameras


def camera_of(
    angles_rad: np.ndarray, position_m: np.ndarray, lens: np.ndarray, size: tuple[int, int]
) -> SequenceCamera:
    """The camera that these numbers describe: world to camera is Rx(a) Ry(b) Rz(c), after the position is taken off.

    Args:
        angles_rad: (3,) a, b, c.
        position_m: (3,) of the camera in the world.
        lens: (9,) fx, fy, cx, cy, k1, k2, k3, p1, p2.
        size: Width and height in pixels.

    Raises:
        BadDataset: no camera has such numbers.
    """
    (ca, cb, cc), (sa, sb, sc) = np.cos(angles_rad), np.sin(angles_rad)
    about_x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    about_y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    rotation = about_x @ about_y @ about_z
    return SequenceCamera(lens[None, :4], *size, lens[4:], rotation[None], -(rotation @ position_m)[None])
