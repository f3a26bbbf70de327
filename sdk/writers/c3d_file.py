"""C3D, the binary marker file of motion capture; see the manual at c3d.org.

Written here because the libraries for it keep a whole recording in memory until the end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.skeletons.skeleton import H36M16, Skeleton
from sdk.writers.base import HeadedFile

_BLOCK = 512
_INTEL = 84
_MAGIC = 0x50
_INTEGER, _FLOAT, _TEXT = 2, 4, -1
_LARGEST_INTEGER = 32767
"""Of a parameter: readers take its 16 bits as signed."""
_MOST_FRAMES = 65535
"""What the 16 bits of head and POINT:FRAMES can count; TRIAL:ACTUAL_END_FIELD has 32."""


class C3dFile(HeadedFile):
    """One person's joints as points in millimetres, 32-bit floats, y up; missing points have residual -1.

    Frames begin with the stream: points are missing before the person comes. The group ADAPTPOSE has the track
    (`TRACK_ID`; text where it is too large for C3D's integers) and the time of the person's first pose since the
    stream's first frame (`START_S`).
    """

    def __init__(
        self, path: Path, track_id: int, start_s: float, frame_rate_hz: float, pose_skeleton: Skeleton = H36M16
    ) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._joints = pose_skeleton.joints
        self._frame_rate_hz = frame_rate_hz
        self._track_id, self._start_s = track_id, start_s
        super().__init__(path)
        for _ in range(round(start_s * frame_rate_hz)):
            self.add(None)

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write a frame, (J, 3) metres, y up."""
        points = np.zeros((len(self._joints), 4), "<f4")
        if joints_m is None:
            points[:, 3] = -1
        else:
            points[:, :3] = joints_m * 1000
        self._add(points.tobytes())

    def _head(self) -> bytes:
        """The head block and the parameter blocks; as long whatever the number of frames."""
        blocks = len(self._parameters(0)) // _BLOCK
        data_block = 2 + blocks
        frames = min(self._rows, _MOST_FRAMES)
        head = struct.pack(
            "<BBHHHHHfHHf",
            2,  # block of the parameters
            _MAGIC,
            len(self._joints),
            0,  # no analog measurements
            1 if frames else 0,
            frames,
            0,  # longest gap that was interpolated, in frames: not stated
            -1.0,  # negative: points are floats
            data_block,
            0,  # analog samples per frame
            self._frame_rate_hz,
        )
        return head.ljust(_BLOCK, b"\0") + self._parameters(data_block)

    def _parameters(self, data_block: int) -> bytes:
        joints, frames = len(self._joints), self._rows
        low, high = frames & 0xFFFF, frames >> 16
        groups: dict[str, list[_Parameter]] = {
            "POINT": [
                _integers("USED", joints),
                _floats("SCALE", -1.0),
                _floats("RATE", self._frame_rate_hz),
                _integers("DATA_START", data_block),
                _integers("FRAMES", min(frames, _MOST_FRAMES)),
                _texts("LABELS", list(self._joints)),
                _texts("DESCRIPTIONS", list(self._joints)),
                _texts("UNITS", ["mm"]),
                _texts("X_SCREEN", ["+X"]),
                _texts("Y_SCREEN", ["+Y"]),
            ],
            "ANALOG": [_integers("USED", 0), _floats("RATE", 0.0), _floats("GEN_SCALE", 1.0)],
            "TRIAL": [
                _integers("ACTUAL_START_FIELD", 1, 0),
                _integers("ACTUAL_END_FIELD", low, high),
                _floats("CAMERA_RATE", self._frame_rate_hz),
            ],
            "ADAPTPOSE": [_whole("TRACK_ID", self._track_id), _floats("START_S", self._start_s)],
        }
        entries: list[bytes] = []
        for number, (group, parameters) in enumerate(groups.items(), 1):
            entries.append(_entry(group, -number, b""))
            entries += [_entry(p.name, number, p.value) for p in parameters]
        body = b"".join(entries) + b"\0\0"
        blocks = -(-(4 + len(body)) // _BLOCK)
        return (bytes([1, _MAGIC, blocks, _INTEL]) + body).ljust(blocks * _BLOCK, b"\0")


def _entry(name: str, group: int, value: bytes) -> bytes:
    """A group (negative number) or a parameter of one, with an empty description."""
    rest = value + b"\0"  # length of the description
    return struct.pack("<bb", len(name), group) + name.encode() + struct.pack("<H", 2 + len(rest)) + rest


@dataclass(frozen=True)
class _Parameter:
    name: str
    value: bytes


def _whole(name: str, value: int) -> _Parameter:
    return _integers(name, value) if value <= _LARGEST_INTEGER else _texts(name, [str(value)])


def _integers(name: str, *values: int) -> _Parameter:
    return _numbers(name, _INTEGER, len(values), struct.pack(f"<{len(values)}H", *values))


def _floats(name: str, *values: float) -> _Parameter:
    return _numbers(name, _FLOAT, len(values), struct.pack(f"<{len(values)}f", *values))


def _numbers(name: str, kind: int, count: int, data: bytes) -> _Parameter:
    sizes = bytes([0]) if count == 1 else bytes([1, count])
    return _Parameter(name, struct.pack("<b", kind) + sizes + data)


def _texts(name: str, values: list[str]) -> _Parameter:
    width = max(map(len, values))
    data = b"".join(value.encode().ljust(width) for value in values)
    return _Parameter(name, struct.pack("<b", _TEXT) + bytes([2, width, len(values)]) + data)
