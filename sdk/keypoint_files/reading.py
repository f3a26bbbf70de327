"""Reads keypoints of any known format. The content decides which one it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from sdk.errors import BadKeypoints
from sdk.files.input_files import check_regular_file, entries_of, shown, user_path
from sdk.keypoint_files.formats.alphapose import read_alphapose
from sdk.keypoint_files.formats.coco_annotations import read_coco_annotations
from sdk.keypoint_files.formats.deeplabcut import read_deeplabcut
from sdk.keypoint_files.formats.keypoint_npz import read_simple_npz, read_videopose3d, read_videopose3d_detections
from sdk.keypoint_files.formats.mediapipe_landmarks import read_mediapipe
from sdk.keypoint_files.formats.mmpose_json import read_mmpose
from sdk.keypoint_files.formats.openpose import read_openpose
from sdk.keypoint_files.formats.trc import read_trc
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.limits import NotThisFormat
from sdk.keypoint_files.parsing.frame_files import is_frame_folder
from sdk.keypoint_files.parsing.json_file import forget_json
from sdk.keypoint_files.plausibility import check_tracks
from sdk.keypoint_files.saved_tracks import load_tracks
from sdk.keypoint_files.track_collection import SEEN_SCORE, CollectedTracks

KEYPOINT_SUFFIXES = (".json", ".npz", ".trc", ".csv", ".h5")
"""Suffixes of keypoint files. The content decides which format it is."""


def _read_saved(path: Path, skeleton: str | None, image_size: object, frame_rate_hz: object) -> CollectedTracks:
    return CollectedTracks(tuple(load_tracks(path)))


READERS: dict[str, Callable[..., CollectedTracks]] = {
    "OpenPose or Pose2Sim folder": read_openpose,
    "COCO annotations": read_coco_annotations,
    "AlphaPose JSON": read_alphapose,
    "MMPose predictions": read_mmpose,
    "MediaPipe landmarks": read_mediapipe,
    "saved tracks": _read_saved,
    "VideoPose3D npz": read_videopose3d,
    "VideoPose3D detections": read_videopose3d_detections,
    "keypoints npz": read_simple_npz,
    "Sports2D TRC": read_trc,
    "DeepLabCut table": read_deeplabcut,
}
"""Tried in this order. Each takes path, skeleton, image size and frame rate."""


def is_keypoints(path: Path) -> bool:
    """Whether a path has the suffix of a keypoint file, or is a folder with one file a frame."""
    return is_frame_folder(path) if path.is_dir() else path.suffix.lower() in KEYPOINT_SUFFIXES


def read_keypoints(
    path: str | Path,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> list[KeypointTrack]:
    """Read people's 2D keypoints over time. The logger `adaptpose` warns of what was left out or looks wrong.

    Known formats: AlphaPose's JSON, COCO's annotations of a video's frames, folders of OpenPose's and Pose2Sim's JSON,
    MMPose's predictions, MediaPipe's landmarks as JSON, VideoPose3D's npz of data sets and of single videos, npz files
    with `keypoints`, files of `write_keypoints`, Sports2D's TRC in pixels, and DeepLabCut's CSV and HDF5 for human
    skeletons. The content decides which one it is.

    Args:
        path: A file, or a folder with one JSON file a frame.
        skeleton: Layout of the joints, if the file does not say it.
        image_size: Width and height in pixels, if neither the file nor a video of its name beside it says them.
        frame_rate_hz: Frames per second, as `image_size`.

    Raises:
        BadKeypoints: the file is missing or damaged, its format is not known (the message says why for each format),
            or nobody in it can be used.
        UnknownSkeleton: the skeleton is not known.
        MissingDependency: HDF5 without h5py.
    """
    found = collect_keypoints(Path(path), skeleton=skeleton, image_size=image_size, frame_rate_hz=frame_rate_hz)
    for note in found.notes:
        logging.getLogger("adaptpose").warning(note)
    return list(found.tracks)


def collect_keypoints(
    path: Path,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """As `read_keypoints`, but returns the warnings instead of logging them.

    A file in which nobody can be used is an error. Only a file of `write_keypoints` may be empty.
    """
    path = user_path(path, BadKeypoints)
    if not path.is_dir():
        check_regular_file(path, BadKeypoints)
    if not path.exists():
        raise BadKeypoints(f"{shown(path)}: no such file or folder.")
    if path.is_dir():
        entries_of(path, BadKeypoints)
    reasons = []
    try:
        for name, read in READERS.items():
            try:
                found = read(path, skeleton, image_size, frame_rate_hz)
                if not found.tracks and read is not _read_saved:
                    return _nobody(path, found)
                doubts = check_tracks(path.name, found.tracks, SEEN_SCORE)
                return CollectedTracks(found.tracks, (*found.notes, *doubts))
            except NotThisFormat as error:
                reasons.append(f"{name}: {error}")
    finally:
        forget_json()
    raise BadKeypoints("\n  ".join([f"{path} has no known keypoint format.", *reasons]) + f"\n{_OF_OTHERS}")


_OF_OTHERS = (
    "Write keypoints of another program to an .npz file: numpy.savez(FILE, keypoints=..., skeleton='coco17', "
    "image_size=(1920, 1080), frame_rate_hz=30.0), with keypoints of (frames, joints, 3): x and y in pixels, score; "
    "NaN where a joint was not seen."
)


def _nobody(path: Path, found: CollectedTracks) -> CollectedTracks:
    raise BadKeypoints(
        f"{path} has people, but none with enough joints seen:\n  "
        + "\n  ".join(found.notes)
        + f"\nA joint with a score under {SEEN_SCORE:g} counts as not seen. If your detector's scores have another "
        "range, scale them. If it has no scores, write 1."
    )
