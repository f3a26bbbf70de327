"""Poses of a stream to an .npz file."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType

import numpy as np

from sdk.errors import BadOutput
from sdk.output_path import check_output_path, naming
from sdk.part_file import part_beside, remove_abandoned_parts
from sdk.poses import LiftStatus, PoseFrame
from sdk.skeletons import H36M16, Skeleton

_STATUSES = tuple(LiftStatus)


class PoseRecorder:
    """Writes a row for each person of each frame; a context manager.

    Rows go to a hidden folder beside the file as they come, so memory does not grow with the recording; closing packs
    them, and only a whole file gets the final name. A recording that ends by an error is packed too, with `complete`
    False.

    The file loads with `numpy.load(path, allow_pickle=False)`; N rows, F frames:

    - `frame_index` (N,) int64, `timestamp_s` (N,) float64, `track_id` (N,) int64
    - `keypoints_px` (N, J, 2), `scores` (N, J), `boxes_px` (N, 4): float32; left, top, right, bottom
    - `joints_m` (N, 16, 3) float32, NaN where not lifted; `status` (N,) uint8, an index into `status_names`
    - `frame_timestamps_s` (F,) float64: every frame, also those without people
    - `skeleton`, `joint_names` (J,), `pose_skeleton`, `pose_joint_names` (16,), `image_size` (2,) width and height,
      `frame_rate_hz`, `units`, `complete`
    """

    def __init__(self, path: str | Path, skeleton: Skeleton, image_size: tuple[int, int], frame_rate_hz: float) -> None:
        """Check that the file can be written and make room for the rows.

        Raises:
            BadOutput: if it can't.
        """
        self.path = check_output_path(path, ".npz")
        joints = len(skeleton)
        self._columns: dict[str, tuple[np.dtype, tuple[int, ...]]] = {
            "frame_index": (np.dtype("<i8"), ()),
            "timestamp_s": (np.dtype("<f8"), ()),
            "track_id": (np.dtype("<i8"), ()),
            "keypoints_px": (np.dtype("<f4"), (joints, 2)),
            "scores": (np.dtype("<f4"), (joints,)),
            "boxes_px": (np.dtype("<f4"), (4,)),
            "joints_m": (np.dtype("<f4"), (len(H36M16), 3)),
            "status": (np.dtype("u1"), ()),
            "frame_timestamps_s": (np.dtype("<f8"), ()),
        }
        self._about = {
            "status_names": np.array([status.value for status in _STATUSES]),
            "skeleton": np.array(skeleton.name),
            "joint_names": np.array(skeleton.joints),
            "pose_skeleton": np.array(H36M16.name),
            "pose_joint_names": np.array(H36M16.joints),
            "image_size": np.array(image_size, np.int64),
            "frame_rate_hz": np.array(frame_rate_hz, np.float64),
            "units": np.array(
                "keypoints and boxes: pixels, x right, y down; joints_m: metres relative to the pelvis, camera axes x "
                "right, y down, z forward; times: seconds"
            ),
        }
        self.written = False
        self._part = part_beside(self.path)
        with naming(self.path):
            remove_abandoned_parts(self.path)
            # A name of its own: in a container a killed process' number may be ours.
            self._rows = Path(tempfile.mkdtemp(prefix=f"{self._part.stem}.", suffix=".rows", dir=self._part.parent))
            self._files = {name: open(self._rows / name, "wb") for name in self._columns}  # noqa: SIM115  # until close

    def write(self, frame: PoseFrame) -> None:
        """Add the people of a frame.

        Raises:
            BadOutput: if the disk is full.
        """
        with naming(self.path):
            self._put("frame_timestamps_s", frame.timestamp_s)
            for person in frame.people:
                self._put("frame_index", frame.index)
                self._put("timestamp_s", frame.timestamp_s)
                self._put("track_id", person.track_id)
                self._put("keypoints_px", person.keypoints_px)
                self._put("scores", person.scores)
                self._put("boxes_px", person.box)
                self._put("joints_m", np.nan if person.joints_m is None else person.joints_m)
                self._put("status", _STATUSES.index(person.status))

    def _put(self, name: str, value: object) -> None:
        dtype, shape = self._columns[name]
        self._files[name].write(np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype), shape)).tobytes())

    def close(self, *, complete: bool = True) -> None:
        """Pack the rows into the file; closing twice does no harm.

        Raises:
            BadOutput: if the disk is full; the rows stay in their folder, which it names.
        """
        if not self._rows.is_dir():
            return
        try:
            with naming(self.path):
                self._pack_all(complete)
        except BadOutput as error:
            raise BadOutput(
                f"{error} What was recorded is kept in {self._rows}: make room and close again, or remove it."
            ) from error

    def _pack_all(self, complete: bool) -> None:
        for file in self._files.values():
            file.close()
        try:
            with zipfile.ZipFile(self._part, "w") as archive:
                for name, (dtype, shape) in self._columns.items():
                    self._pack(archive, name, dtype, shape)
                for name, value in {**self._about, "complete": np.array(complete)}.items():
                    with archive.open(f"{name}.npy", "w") as entry:
                        np.lib.format.write_array(entry, value, allow_pickle=False)
            self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)
        shutil.rmtree(self._rows)
        self.written = True

    def _pack(self, archive: zipfile.ZipFile, name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        rows = self._rows / name
        length = rows.stat().st_size // (dtype.itemsize * int(np.prod(shape)))
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (length, *shape)}
        with archive.open(f"{name}.npy", "w", force_zip64=True) as entry, open(rows, "rb") as source:
            np.lib.format.write_array_header_1_0(entry, header)
            shutil.copyfileobj(source, entry)

    def __enter__(self) -> PoseRecorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=error is None)
