"""Makes tracks from people in single frames: matches people, fills gaps, leaves out frames that can't be used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from math import ceil

import numpy as np

from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import ImageMetadata
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.limits import MOST_NUMBERS, MOST_PEOPLE
from sdk.keypoint_files.plausibility import check_pixels
from sdk.skeletons.joint_conversion import conversion_matrix
from sdk.skeletons.skeleton import Skeleton
from sdk.tracking.lifetime import FORGET_AFTER_S, LONGEST_GAP_S
from sdk.tracking.person_tracker import START_SCORE, PersonTracker

SEEN_SCORE = 0.2
"""A joint with a lower score was not seen. Detectors draw joints from 0.2 (MoveNet) or 0.3 (RTMPose) on."""
SEEN_SHARE = 0.5
"""A frame is left out if a smaller share of the person's twelve limb joints was seen."""

_LIMBS = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)


@dataclass(frozen=True)
class CollectedTracks:
    """The tracks of a file or video.

    Attributes:
        tracks: One or more for each person. A person who was away for a while has several.
        notes: What was left out or filled in, one sentence each.
    """

    tracks: tuple[KeypointTrack, ...]
    notes: tuple[str, ...] = ()


class TrackCollector:
    """Takes people frame by frame and returns their tracks.

    A joint that was not seen for up to half a second is interpolated between the frames before and after. Over longer
    gaps the detector's guess stays. Where it has no guess (OpenPose: score zero), the joint is interpolated too.
    """

    def __init__(self, name: str, skeleton: Skeleton, image_size: tuple[int, int], frame_rate_hz: float) -> None:
        self._name, self._skeleton = name, skeleton
        self._image_size, self._frame_rate_hz = image_size, frame_rate_hz
        self._seen: dict[int, list[tuple[int, float, np.ndarray, np.ndarray]]] = defaultdict(list)

    def add(
        self, track_id: int, frame_index: int, timestamp_s: float, keypoints_px: np.ndarray, scores: np.ndarray
    ) -> None:
        """Add one person of one frame: keypoints (J, 2) and scores (J,).

        A joint that was not found has score 0, or NaN. A person without any joint is not in that frame.
        """
        unseen = np.isnan(keypoints_px).any(-1) | np.isnan(scores)
        if unseen.any():
            keypoints_px, scores = np.where(unseen[:, None], 0, keypoints_px), np.where(unseen, 0, scores)
            if unseen.all():
                return
        self._seen[track_id].append((frame_index, timestamp_s, keypoints_px, scores))

    def finish(self) -> CollectedTracks:
        """All tracks.

        Raises:
            BadKeypoints: a coordinate is infinite, or a person is in one frame twice.
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
            notes.append(f"{self._name}: {left_out} of {frames} frames left out: most of the body was not seen")
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
    return _visible(person.scores, skeleton)


def _visible(scores: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(N,): whether enough of the body was seen, from scores (N, J)."""
    limbs = [skeleton.index(name) for name in _LIMBS]
    return (scores[:, limbs] >= SEEN_SCORE).mean(1) >= SEEN_SHARE


def _pieces(person: KeypointTrack, visible: np.ndarray) -> list[KeypointTrack]:
    """The visible frames (T,), split where the person was away too long."""
    frames = np.flatnonzero(visible)
    cuts = np.flatnonzero(np.diff(person.timestamps_s[frames]) > LONGEST_GAP_S) + 1
    return [person.at(piece) for piece in np.split(frames, cuts) if len(piece)]


def _fill(track: KeypointTrack, skeleton: Skeleton) -> tuple[KeypointTrack, list[str]]:
    """Fill in unseen joints. Also returns the joints that 3D needs and that no frame has."""
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
            keypoints[:, joint] = keypoints[:, twin]  # from the side, only one ear is seen
        elif needed[joint]:
            missing.append(skeleton.joints[joint])
        else:
            others = [other for other in range(len(skeleton)) if other not in empty]
            keypoints[:, joint] = keypoints[:, others].mean(1)  # no 3D joint depends on it
    return replace(track, keypoints_px=keypoints), missing


def _short_gap(seen: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(T,): whether a frame is in a gap of at most `LONGEST_GAP_S` between frames that saw the joint."""
    if not seen.any():
        return np.zeros(len(seen), bool)
    anchors = np.flatnonzero(seen)
    after = np.searchsorted(anchors, np.arange(len(seen)))
    inside = (after > 0) & (after < len(anchors))
    before_s = time[anchors[np.maximum(after - 1, 0)]]
    after_s = time[anchors[np.minimum(after, len(anchors) - 1)]]
    return inside & (after_s - before_s <= LONGEST_GAP_S)


_SAME_PERSON = 0.2
"""Boxes of successive frames that overlap so much are one person, as in `PersonTracker`."""


class PeopleInFrames:
    """Collects the people of each frame, then makes tracks of them."""

    def __init__(self, name: str, skeleton: Skeleton, image: ImageMetadata) -> None:
        self._name, self._skeleton, self._image = name, skeleton, image
        self._frames: dict[int, list[tuple[np.ndarray, int | None]]] = defaultdict(list)
        self._numbers: set[int | None] = set()

    def see(self, frame: int) -> None:
        """Note that the file has that frame, perhaps without people."""
        self._frames[frame]

    def add(self, frame: int, keypoints: np.ndarray, number: int | None) -> None:
        """Add a person: (J, 3) x, y in pixels and score, with the person's number if the file has one.

        NaN is a joint that was not seen. A person without any joint is not in that frame.

        Raises:
            BadKeypoints: too many people in that frame, or in the file.
        """
        unseen = np.isnan(keypoints).any(-1)
        if unseen.all():
            return self.see(frame)
        if unseen.any():
            keypoints = np.where(unseen[:, None], 0, keypoints)
        self._frames[frame].append((keypoints, number))
        self._numbers.add(number)
        if len(self._frames[frame]) > MOST_PEOPLE:
            raise BadKeypoints(f"{self._name}: frame {frame} has more than {MOST_PEOPLE} people.")
        if len(self._numbers) > MOST_NUMBERS:
            raise BadKeypoints(
                f"{self._name} has more than {MOST_NUMBERS} different people. Are their numbers track numbers? Remove "
                "the numbers to have people matched over frames, or split the file by time."
            )

    def collect(self) -> CollectedTracks:
        """The tracks. People without numbers are matched over frames, unless no frame has more than one.

        If two people of one frame share a number, the numbers are not used: all people are matched, and a note says so.

        Raises:
            BadKeypoints: there is nobody, a coordinate is no finite pixel, or only some people have a number.
        """
        people = [person for frame in self._frames.values() for person in frame]
        if not people:
            raise BadKeypoints(f"{self._name} has no person in any of {len(self._frames)} frames.")
        self._check(np.stack([keypoints for keypoints, _ in people]))
        square = np.array([*self._image.widened, 1])
        self._frames = {
            frame: [(keypoints * square, number) for keypoints, number in found]
            for frame, found in self._frames.items()
        }
        numbered = sum(number is not None for _, number in people)
        if numbered not in (0, len(people)):
            raise BadKeypoints(f"{self._name} numbers {numbered} of {len(people)} people; it must be all or none.")
        notes = [f"{self._name}: {note}" for note in self._image.notes(max(self._frames))]
        if numbered and (shared := self._shared_number()):
            numbered = 0
            notes.append(shared)
        collector = TrackCollector(self._name, self._skeleton, self._image.image_size, self._image.frame_rate_hz)
        if numbered or max(map(len, self._frames.values())) == 1:
            for frame, found in self._frames.items():
                for keypoints, number in found:
                    self._add(collector, 1 if number is None else number, frame, keypoints[:, :2], keypoints[:, 2])
        else:
            followed = self._follow(collector)
            if followed < len(people):
                notes.append(
                    f"{self._name}: {len(people) - followed} of {len(people)} people in single frames left out: most "
                    "of the body was not seen, or nobody was there in the frame before or after"
                )
        collected = collector.finish()
        return replace(collected, notes=(*notes, *collected.notes))

    def _shared_number(self) -> str | None:
        """A sentence about a number that two people of one frame share. None if each has their own."""
        for frame, found in self._frames.items():
            numbers = [number for _, number in found]
            twice = next((number for number in numbers if numbers.count(number) > 1), None)
            if twice is not None:
                return (
                    f"{self._name}: {numbers.count(twice)} people of frame {frame} have the number {twice}, so it is "
                    "not a track number. People are matched over frames by their boxes"
                )
        return None

    def _add(
        self, collector: TrackCollector, number: int, frame: int, keypoints: np.ndarray, scores: np.ndarray
    ) -> None:
        collector.add(number, frame, self._image.time_s(frame), keypoints, scores)

    def _follow(self, collector: TrackCollector) -> int:
        """Match people over frames. Returns how many were matched, summed over frames."""
        tracker = PersonTracker(self._image.frame_rate_hz)
        followed = 0
        known: set[int] = set()
        alone = Detections.none(len(self._skeleton))
        for frame in self._frames_to_follow():
            before, alone = alone, Detections.none(len(self._skeleton))
            found = [keypoints for keypoints, _ in self._frames.get(frame, [])]
            detections = alone
            if found:
                stacked = np.stack(found)
                detections = Detections.from_keypoints(stacked[..., :2], stacked[..., 2].clip(0, 1), SEEN_SCORE)
                # A person who is seen enough may start a track, whatever the score: detectors scale scores differently.
                kept = _visible(detections.scores, self._skeleton)
                strong = np.where(kept, np.maximum(detections.box_scores, START_SCORE), detections.box_scores)
                detections = replace(detections, box_scores=strong)
            people = tracker.update(detections)
            for person in people:
                self._add(collector, person.track_id, frame, person.keypoints_px, person.scores)
                followed += 1
                # The tracker returns a new person from the second frame on. The first one is added here.
                if person.track_id not in known and len(before):
                    overlap = _overlap(person.box, before.boxes)
                    if overlap.max() >= _SAME_PERSON:
                        first = int(overlap.argmax())
                        self._add(
                            collector, person.track_id, frame - 1, before.keypoints_px[first], before.scores[first]
                        )
                        followed += 1
                        before = _rows(before, np.arange(len(before)) != first)
                known.add(person.track_id)
            taken = {person.box.tobytes() for person in people}
            alone = _rows(detections, np.array([box.tobytes() not in taken for box in detections.boxes], bool))
        return followed

    def _frames_to_follow(self) -> Iterator[int]:
        """All frames. In a gap, only as many as the tracker needs to forget everybody."""
        known = sorted(self._frames)
        forget = ceil(FORGET_AFTER_S * self._image.frame_rate_hz) + 1
        for before, frame in zip([known[0] - 1, *known], known, strict=False):
            yield from range(before + 1, min(frame, before + 1 + forget))
            yield frame

    def _check(self, keypoints: np.ndarray) -> None:
        finite = np.isfinite(keypoints).all((1, 2))
        if not finite.all():
            person = int(np.argmin(finite))
            joint = int(np.argmin(np.isfinite(keypoints[person]).all(-1)))
            frames = [frame for frame, found in self._frames.items() for _ in found]
            raise BadKeypoints(
                f"{self._name}: frame {frames[person]}, joint {joint} ({self._skeleton.joints[joint]}) is not a finite "
                "number. Leave that person out of the frame, or write 0, 0 with score 0 for a missing joint."
            )
        check_pixels(self._name, keypoints[..., :2], self._image.image_size)


def _rows(detections: Detections, rows: np.ndarray) -> Detections:
    return type(detections)(*(getattr(detections, part.name)[rows] for part in fields(detections)))


def _overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box (4,) with boxes (P, 4)."""
    inner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = inner.clip(0).prod(1)
    area = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1) - shared
    return shared / np.maximum(area, 1e-9)
