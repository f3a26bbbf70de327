"""Poses of a stream to an .npz file."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadOutput
from sdk.files.output_files import abandoned_parts, check_output_path, naming, part_beside, remove_abandoned_parts
from sdk.results.pose_frame import LiftStatus, PoseFrame
from sdk.skeletons.skeleton import H36M16, Skeleton
from sdk.writers.base import ClosesItself, FlushClock

_STATUSES = tuple(LiftStatus)
_TOLD = {"deviations_m", "up", "contact"}
"""What only lifters with feet tell."""
_Columns = dict[str, tuple[np.dtype, tuple[int, ...]]]
_ABOUT = "about.npz"
_BLOCK = 1 << 20


class PoseRecorder(ClosesItself):
    """Writes a row for each person of each frame to an .npz file. A context manager.

    Rows are kept in a hidden folder beside the file, so memory does not grow. `close` packs them into the file: the
    file appears only when it is whole. After an error the rows are packed too, with `complete` False. If the process
    was killed, the next recorder of that name packs its rows as `NAME.recovered.npz`.

    Load the file with `numpy.load(path, allow_pickle=False)`. With N rows, F frames, and P joints in a pose, it holds:

    - `frame_index` (N,) int64, `timestamp_s` (N,) float64, `track_id` (N,) int64
    - `keypoints_px` (N, J, 2), `scores` (N, J), `boxes_px` (N, 4): float32; left, top, right, bottom
    - `joints_m` (N, P, 3) float32, NaN where there is no 3D; `status` (N,) uint8, an index into `status_names`
    - `visibility` (N, P), `root_m` (N, 3): float32, NaN where not known; `window_filling` (N,) uint8, 0 or 1
    - `floor_m` (N,), `tilt_rad` (N, 2): float32, as in `PersonPose` and `PoseFrame`, NaN in camera axes
    - with feet (P = 20) also `deviations_m` (N, P, 3), `up` (N, 3), `contact` (N, 4): float32, as in `PersonPose`
    - `frame_timestamps_s` (F,) float64: all frames, also those without people
    - `skeleton`, `joint_names` (J,), `pose_skeleton`, `pose_joint_names` (P,), `image_size` (2,) width and height,
      `frame_rate_hz`, `units`, `complete`
    """

    def __init__(
        self,
        path: str | Path,
        skeleton: Skeleton,
        image_size: tuple[int, int],
        frame_rate_hz: float,
        pose_skeleton: Skeleton = H36M16,
    ) -> None:
        """Check that the file can be written, and make the folder for the rows.

        Raises:
            BadOutput: the file can't be written.
        """
        self.path = check_output_path(path, ".npz")
        self._columns = _columns(skeleton.joints, pose_skeleton.joints)
        self._about = {
            "status_names": np.array([status.value for status in _STATUSES]),
            "skeleton": np.array(skeleton.name),
            "joint_names": np.array(skeleton.joints),
            "pose_skeleton": np.array(pose_skeleton.name),
            "pose_joint_names": np.array(pose_skeleton.joints),
            "image_size": np.array(image_size, np.int64),
            "frame_rate_hz": np.array(frame_rate_hz, np.float64),
            "units": np.array(
                "keypoints and boxes: pixels, x right, y down; joints_m: metres relative to the pelvis, camera axes x "
                "right, y down, z forward, or level ones where tilt_rad is not NaN; times: seconds"
            ),
        }
        self.written = False
        self._flush = FlushClock()
        self._part = part_beside(self.path)
        with naming(self.path):
            self._recover()
            remove_abandoned_parts(self.path)
            # A random name: in a container, a killed process may have had our process number.
            self._rows = Path(tempfile.mkdtemp(prefix=f"{self._part.stem}.", suffix=".rows", dir=self._part.parent))
            self._files = {name: open(self._rows / name, "wb") for name in self._columns}  # noqa: SIM115  # until close
            np.savez(self._rows / _ABOUT, **self._about)

    def write(self, frame: PoseFrame) -> None:
        """Write the people of a frame.

        Raises:
            BadOutput: the disk is full.
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
                self._put("visibility", np.nan if person.visibility is None else person.visibility)
                self._put("root_m", np.nan if person.root_m is None else person.root_m)
                self._put("window_filling", person.window_filling)
                self._put("floor_m", np.nan if person.floor_m is None else person.floor_m)
                self._put("tilt_rad", np.nan if frame.tilt_rad is None else frame.tilt_rad)
                for name in _TOLD & self._columns.keys():
                    told = getattr(person, name)
                    self._put(name, np.nan if told is None else told)
            if self._flush.due():
                for file in self._files.values():
                    file.flush()

    def _put(self, name: str, value: object) -> None:
        dtype, shape = self._columns[name]
        self._files[name].write(np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype), shape)).tobytes())

    def close(self, *, complete: bool = True) -> None:
        """Pack the rows into the file. A second call does nothing.

        Raises:
            BadOutput: the disk is full. The rows stay in their folder, which the message names.
        """
        if not self._rows.is_dir():
            return
        try:
            with naming(self.path):
                self._pack_all(complete)
        except BadOutput as error:
            raise BadOutput(
                f"{error} The recording is kept in {self._rows}. Free disk space and call close again, or remove it."
            ) from error

    def _pack_all(self, complete: bool) -> None:
        for file in self._files.values():
            file.close()
        self._pack(self._rows, self.path, {**self._about, "complete": np.array(complete)})
        shutil.rmtree(self._rows)
        self.written = True

    def _recover(self) -> None:
        """Pack the rows that killed processes left for this path."""
        for rows in abandoned_parts(self.path):
            if not (rows / _ABOUT).is_file():
                continue
            try:
                with open(rows / _ABOUT, "rb") as file, np.load(file, allow_pickle=False) as saved:
                    about = dict(saved)
                # That recording may have had other skeletons, so rows of another length.
                columns = _columns(about["joint_names"], about["pose_joint_names"])
            except Exception as error:  # a file that was cut off raises whatever its bytes run into
                if any(path.stat().st_size for path in rows.iterdir() if path.name != _ABOUT):
                    raise BadOutput(
                        f"{rows} has a recording that was ended by force, but its {_ABOUT} is damaged, so it can't be "
                        f"packed. Move the folder away (or remove it) to write {self.path.name}."
                    ) from error
                continue
            if not all((rows / name).is_file() for name in columns):
                continue
            self._pack(rows, _free_name(self.path), {**about, "complete": np.array(False)}, columns)
            shutil.rmtree(rows)

    def _pack(
        self,
        rows: Path,
        path: Path,
        about: dict[str, np.ndarray],
        columns: dict[str, tuple[np.dtype, tuple[int, ...]]] | None = None,
    ) -> None:
        columns = columns or self._columns
        # A killed process may have written less of one column than of another.
        lengths = {n: (rows / n).stat().st_size // (dt.itemsize * int(np.prod(sh))) for n, (dt, sh) in columns.items()}
        people = min(length for name, length in lengths.items() if name != "frame_timestamps_s")
        try:
            with zipfile.ZipFile(self._part, "w") as archive:
                for name, (dtype, shape) in columns.items():
                    length = lengths[name] if name == "frame_timestamps_s" else people
                    _pack_column(archive, rows / name, dtype, (length, *shape))
                for name, value in about.items():
                    with archive.open(f"{name}.npy", "w") as entry:
                        np.lib.format.write_array(entry, value, allow_pickle=False)
            self._part.replace(path)
        finally:
            self._part.unlink(missing_ok=True)

    @property
    def paths(self) -> list[Path]:
        """The file, once it is packed."""
        return [self.path] if self.written else []

    def __enter__(self) -> PoseRecorder:
        return self


def _pack_column(archive: zipfile.ZipFile, rows: Path, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(f"{rows.name}.npy", "w", force_zip64=True) as entry, open(rows, "rb") as source:
        np.lib.format.write_array_header_1_0(entry, header)
        left = dtype.itemsize * int(np.prod(shape))
        while left and (block := source.read(min(left, _BLOCK))):
            entry.write(block)
            left -= len(block)


def _free_name(path: Path) -> Path:
    """`NAME.recovered.npz`, with a number if that file exists."""
    found = path.with_name(f"{path.stem}.recovered{path.suffix}")
    number = 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}.recovered-{number}{path.suffix}")
    return found


def _columns(joints: Sequence[str], pose_joints: Sequence[str]) -> _Columns:
    """Type of each column, and the shape of a row of it, for so many joints."""
    float32, poses = np.dtype("<f4"), len(pose_joints)
    told: _Columns = {"deviations_m": (float32, (poses, 3)), "up": (float32, (3,)), "contact": (float32, (4,))}
    return {
        "frame_index": (np.dtype("<i8"), ()),
        "timestamp_s": (np.dtype("<f8"), ()),
        "track_id": (np.dtype("<i8"), ()),
        "keypoints_px": (float32, (len(joints), 2)),
        "scores": (float32, (len(joints),)),
        "boxes_px": (float32, (4,)),
        "joints_m": (float32, (poses, 3)),
        "status": (np.dtype("u1"), ()),
        "visibility": (float32, (poses,)),
        "root_m": (float32, (3,)),
        "window_filling": (np.dtype("u1"), ()),
        "floor_m": (float32, ()),
        "tilt_rad": (float32, (2,)),
        **(told if poses > len(H36M16) else {}),
        "frame_timestamps_s": (np.dtype("<f8"), ()),
    }
