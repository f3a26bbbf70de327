"""From people seen frame by frame to one clean track a person: gaps filled, unusable frames left out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.keypoint_track import KeypointTrack
from sdk.joint_conversion import conversion_matrix
from sdk.skeletons import Skeleton

SEEN_SCORE = 0.2
"""A joint scored lower was not really seen: COCO's detectors are drawn from 0.2 (MoveNet) or 0.3 (RTMPose) on."""
LONGEST_GAP_S = 0.5
"""A joint unseen for longer keeps what the detector guessed; a person unseen for longer starts another track."""
SEEN_SHARE = 0.5
"""A frame is left out if fewer of the person's twelve limb joints were seen."""

_LIMBS = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)


@dataclass(frozen=True)
class CollectedTracks:
    """What a file or video gave.

    Attributes:
        tracks: One or more a person; a person unseen for a while has several.
        notes: What was left out or filled in, one sentence each.
    """

    tracks: tuple[KeypointTrack, ...]
    notes: tuple[str, ...] = ()


class TrackCollector:
    """Takes people frame by frame and returns their tracks.

    A joint that was not seen for up to half a second is interpolated over time between frames that saw it. Over longer
    gaps the detector's guess stays; where it made none (OpenPose: score zero) the neighbours in time fill in.
    """

    def __init__(self, name: str, skeleton: Skeleton, image_size: tuple[int, int], frame_rate_hz: float) -> None:
        self._name, self._skeleton = name, skeleton
        self._image_size, self._frame_rate_hz = image_size, frame_rate_hz
        self._seen: dict[int, list[tuple[int, float, np.ndarray, np.ndarray]]] = defaultdict(list)

    def add(
        self, track_id: int, frame_index: int, timestamp_s: float, keypoints_px: np.ndarray, scores: np.ndarray
    ) -> None:
        """Add one person of one frame: keypoints (J, 2) and scores (J,), zero where there is no coordinate."""
        self._seen[track_id].append((frame_index, timestamp_s, keypoints_px, scores))

    def finish(self) -> CollectedTracks:
        """All tracks.

        Raises:
            BadKeypoints: for coordinates that are not finite, or a person twice in one frame.
        """
        tracks: list[KeypointTrack] = []
        notes: list[str] = []
        frames = left_out = 0
        for track_id in sorted(self._seen):
            person = self._person(track_id)
            frames += len(person)
            visible = _visible_frames(person, self._skeleton)
            left_out += len(person) - int(visible.sum())
            for part, piece in enumerate(_pieces(person, visible), 1):
                # The second piece of person 3 is 3.2.
                name = f"{self._name}#{track_id}" + (f".{part}" if part > 1 else "")
                filled, missing = _fill(piece, self._skeleton)
                if missing:
                    notes.append(f"{name}: left out, {', '.join(missing)} not seen in any of {len(piece)} frames")
                else:
                    tracks.append(replace(filled, name=name))
        if left_out:
            notes.append(f"{self._name}: {left_out} of {frames} frames left out, most of the body was not seen")
        return CollectedTracks(tuple(tracks), tuple(notes))

    def _person(self, track_id: int) -> KeypointTrack:
        rows = sorted(self._seen[track_id], key=lambda row: row[0])
        index = np.array([row[0] for row in rows], np.int64)
        if (np.diff(index) == 0).any():
            frame = index[:-1][np.diff(index) == 0][0]
            raise BadKeypoints(f"{self._name}: person {track_id} is in frame {frame} twice.")
        return KeypointTrack(
            f"{self._name}#{track_id}",
            np.stack([row[2] for row in rows]).astype(np.float32),
            np.stack([row[3] for row in rows]).clip(0, 1).astype(np.float32),
            np.array([row[1] for row in rows], np.float64),
            index,
            self._skeleton.name,
            self._image_size,
            self._frame_rate_hz,
        )


def _visible_frames(person: KeypointTrack, skeleton: Skeleton) -> np.ndarray:
    limbs = [skeleton.index(name) for name in _LIMBS]
    return (person.scores[:, limbs] >= SEEN_SCORE).mean(1) >= SEEN_SHARE


def _pieces(person: KeypointTrack, visible: np.ndarray) -> list[KeypointTrack]:
    """The visible frames (T,), cut where too much time lies between them."""
    frames = np.flatnonzero(visible)
    cuts = np.flatnonzero(np.diff(person.timestamps_s[frames]) > LONGEST_GAP_S) + 1
    return [person.at(piece) for piece in np.split(frames, cuts) if len(piece)]


def _fill(track: KeypointTrack, skeleton: Skeleton) -> tuple[KeypointTrack, list[str]]:
    """Fill unseen joints; also names those that 3D needs and that no frame has."""
    keypoints, time = track.keypoints_px.copy(), track.timestamps_s
    empty = []
    for joint in range(len(skeleton)):
        seen, known = track.scores[:, joint] >= SEEN_SCORE, track.scores[:, joint] > 0
        anchors = seen if seen.any() else known
        if not anchors.any():
            empty.append(joint)
            continue
        fill = ~known | (~seen & _short_gap(seen, time))
        for axis in range(2):
            between = np.interp(time[fill], time[anchors], keypoints[anchors, joint, axis])
            keypoints[fill, joint, axis] = between
    needed = conversion_matrix(skeleton.name).any(0)
    missing = []
    for joint in empty:
        twin = skeleton.mirror[joint]
        if skeleton.joints[joint].endswith("ear") and twin not in empty:
            keypoints[:, joint] = keypoints[:, twin]  # a head from the side shows one ear
        elif needed[joint]:
            missing.append(skeleton.joints[joint])
        else:
            others = [other for other in range(len(skeleton)) if other not in empty]
            keypoints[:, joint] = keypoints[:, others].mean(1)  # no 3D joint depends on it
    return replace(track, keypoints_px=keypoints), missing


def _short_gap(seen: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Frames (T,) between two that saw the joint, not more than `LONGEST_GAP_S` apart."""
    if not seen.any():
        return np.zeros(len(seen), bool)
    anchors = np.flatnonzero(seen)
    after = np.searchsorted(anchors, np.arange(len(seen)))
    inside = (after > 0) & (after < len(anchors))
    before_s = time[anchors[np.maximum(after - 1, 0)]]
    after_s = time[anchors[np.minimum(after, len(anchors) - 1)]]
    return inside & (after_s - before_s <= LONGEST_GAP_S)
