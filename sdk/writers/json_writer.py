"""Poses as AlphaPose writes 2D, with the 3D beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sdk.files.output_files import check_output_path, naming
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.writers.base import ClosesItself, FlushClock, GrowingFile


class JsonWriter(ClosesItself):
    """Writes a JSON list with an object for each person of each frame.

    AlphaPose's keys: `image_id` (`12.jpg`), `category_id` (1), `keypoints` (x, y, score a joint, pixels), `score`,
    `box` (left, top, width, height), `idx` (the track). Ours: `timestamp_s`, `status`, `window_filling`, `keypoints_3d`
    (x, y, z of each H36M-16 joint in metres, relative to the pelvis, axes x right, y down, z forward; null where
    not lifted), `visibility`, `root_m`, `exchanged`, `measurements` (name to value); of lifters that tell it,
    `deviations_m`, `up` and `contact`; of upright people `floor_m` and the camera's `tilt_rad`. The file is whole JSON
    whenever it reaches the disk, every second, also when that is full. A joint that is not seen is 0, 0 with score 0,
    as AlphaPose has it.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file; an older one of that name is replaced.

        Raises:
            BadOutput: if it can't be written.
        """
        self.path = check_output_path(path, ".json")
        self._flush = FlushClock()
        self._waiting: list[bytes] = []
        self._empty = True
        with naming(self.path):
            self._file = GrowingFile(self.path, b"[", end=b"\n]\n")

    @property
    def paths(self) -> list[Path]:
        """The file."""
        return [self.path]

    def write(self, frame: PoseFrame) -> None:
        """Add the people of a frame.

        Raises:
            BadOutput: if the disk is full.
        """
        self._waiting += [json.dumps(_entry(frame, person), allow_nan=False).encode() for person in frame.people]
        if self._flush.due():
            self._put()

    def close(self, *, complete: bool = True) -> None:
        """Close the file; closing twice does no harm.

        Raises:
            BadOutput: if the disk is full; the file is closed, without what came since the last second.
        """
        if not self._file.closed:
            try:
                self._put()
            finally:
                self._file.close()

    def _put(self) -> None:
        """Add what waits to the list; the file stays whole JSON if it does not fit."""
        if not self._waiting:
            return
        with naming(self.path):
            self._file.append((b"\n" if self._empty else b",\n") + b",\n".join(self._waiting))
        self._waiting.clear()
        self._empty = False

    def __enter__(self) -> JsonWriter:
        return self


def _entry(frame: PoseFrame, person: PersonPose) -> dict[str, object]:
    left, top, right, bottom = person.box.tolist()
    keypoints = np.concatenate([person.keypoints_px, person.scores[:, None]], 1)
    keypoints = np.where(np.isfinite(keypoints).all(1, keepdims=True), keypoints, 0)
    return {
        "image_id": f"{frame.index}.jpg",
        "category_id": 1,
        "keypoints": _numbers(keypoints, 3),
        "score": round(float(keypoints[:, 2].mean()), 4),
        "box": [round(value, 3) for value in (left, top, right - left, bottom - top)],
        "idx": person.track_id,
        "timestamp_s": round(frame.timestamp_s, 6),
        "status": person.status.value,
        "window_filling": person.window_filling,
        "keypoints_3d": _numbers(person.joints_m, 5),
        "visibility": _numbers(person.visibility, 4),
        "root_m": _numbers(person.root_m, 5),
        "exchanged": list(person.exchanged),
        "measurements": {m.name: m.value if np.isfinite(m.value) else None for m in person.measurements},
        **{
            name: _numbers(told, 4)
            for name, told in (("deviations_m", person.deviations_m), ("up", person.up), ("contact", person.contact))
            if told is not None
        },
        **({} if person.floor_m is None else {"floor_m": round(person.floor_m, 5)}),
        **({} if frame.tilt_rad is None else {"tilt_rad": [round(angle, 5) for angle in frame.tilt_rad]}),
    }


def _numbers(values: np.ndarray | None, digits: int) -> list[float | None] | None:
    if values is None:
        return None
    return [round(value, digits) if np.isfinite(value) else None for value in values.ravel().tolist()]
