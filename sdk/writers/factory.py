"""The writer for a file, by its suffix."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sdk.errors import BadOutput
from sdk.skeletons.skeleton import H36M16, Skeleton
from sdk.writers.base import PoseWriter

WRITER_SUFFIXES = (".npz", ".json", ".csv", ".trc", ".c3d", ".bvh")


def open_writer(
    path: str | Path,
    skeleton: Skeleton,
    image_size: tuple[int, int],
    frame_rate_hz: float,
    pose_skeleton: Skeleton = H36M16,
) -> PoseWriter:
    """Open a writer of poses.

    Args:
        path: `.npz` (everything, as arrays; see `PoseRecorder`), `.json` (AlphaPose's form, with 3D), `.csv` (a
            table), or one file for each person, `NAME_personN.SUFFIX`: `.trc` (OpenSim), `.c3d` (motion capture),
            `.bvh` (Blender, Unity). These three are y up. Their rows are at even steps of the frame rate, from the
            stream's first frame. Files of these names from an earlier run are removed.
        skeleton: Layout of the 2D keypoints.
        image_size: Width and height of the frames in pixels.
        frame_rate_hz: Frames per second of the source; also the rows per second of motion files.
        pose_skeleton: Skeleton of the 3D poses: that of the lifter (`Lifter.skeleton`).

    Raises:
        BadOutput: another suffix, or no file can be written there.
    """
    check_writer_suffix(path)
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        from sdk.writers.npz_writer import PoseRecorder

        return PoseRecorder(path, skeleton, image_size, frame_rate_hz, pose_skeleton)
    if suffix == ".json":
        from sdk.writers.json_writer import JsonWriter

        return JsonWriter(path)
    if suffix == ".csv":
        from sdk.writers.csv_writer import CsvWriter

        return CsvWriter(path, skeleton, pose_skeleton)
    from sdk.writers.bvh_file import BvhFile
    from sdk.writers.c3d_file import C3dFile
    from sdk.writers.motion_files import OpenMotionFile, PersonFiles
    from sdk.writers.trc_file import TrcFile

    open_file: dict[str, OpenMotionFile] = {
        ".trc": lambda file, track_id, start_s: TrcFile(file, start_s, frame_rate_hz, pose_skeleton),
        ".c3d": partial(C3dFile, frame_rate_hz=frame_rate_hz, pose_skeleton=pose_skeleton),
        ".bvh": lambda file, track_id, start_s: BvhFile(file, frame_rate_hz, start_s, pose_skeleton),
    }
    return PersonFiles(path, suffix, frame_rate_hz, open_file[suffix])


def check_writer_suffix(path: str | Path) -> None:
    """Check that `open_writer` knows the suffix.

    Raises:
        BadOutput: another suffix.
    """
    if Path(path).suffix.lower() not in WRITER_SUFFIXES:
        raise BadOutput(f"{path}: poses are written as {', '.join(WRITER_SUFFIXES)}; the file's name must end in one.")
