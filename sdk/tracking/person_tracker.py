"""Tracks people: ByteTrack on boxes, with the keypoints of each box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.tracking.lifetime import FORGET_AFTER_S, is_forgotten

START_SCORE = 0.25
"""Lowest box score that can start a track. Weaker detections can only continue an existing track."""
_MARK = 1e-9
"""Score difference between successive detections. ByteTrack returns a track with the score of its box, so the score
identifies the detection."""


@dataclass(frozen=True)
class TrackedPerson:
    """One person in one frame.

    Attributes:
        track_id: Number of the track, from 1, unique within a video.
        keypoints_px: (J, 2) float32 pixels, as detected.
        scores: (J,) float32 in [0, 1].
        box: (4,) float32 pixels: left, top, right, bottom, as detected.
        box_score: Score of the box, in [0, 1].
    """

    track_id: int
    keypoints_px: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    box_score: float

    @property
    def keypoints(self) -> np.ndarray:
        """The older name of `keypoints_px`."""
        return self.keypoints_px


class PersonTracker:
    """Gives people the same number from frame to frame.

    A box keeps its number if it overlaps the box predicted from earlier frames by a fifth or more (IoU). So a detector
    that jumps to another person starts a new track. ByteTrack confirms a person in the second frame, except in the
    first frame of a video. Unconfirmed people are not returned, so there may be fewer people than detections.

    Attributes:
        forgotten: Numbers of the people who were forgotten with the last frame. They are not used again.
    """

    def __init__(self, frame_rate_hz: float, *, forget_after_s: float = FORGET_AFTER_S) -> None:
        """Start with no people; a lost person is remembered for `forget_after_s`."""
        from supervision import ByteTrack

        # ByteTrack multiplies overlap by score. This loses people with low scores who overlap perfectly (0.25 needs an
        # IoU of 0.8), and scores of keypoint detectors are no probabilities. So it gets two levels, strong and weak.
        self._activation, self._strong, self._weak = 0.25, 1.0, 0.2
        self._tracker = ByteTrack(
            track_activation_threshold=self._activation,
            lost_track_buffer=round(30 * forget_after_s),  # in frames at 30 Hz, scaled by frame_rate inside
            minimum_matching_threshold=0.8,  # 1 - IoU
            frame_rate=max(1, round(frame_rate_hz)),
            minimum_consecutive_frames=1,
        )
        self._forget_after_s = forget_after_s
        self._frame_rate_hz = frame_rate_hz
        self._frames = 0
        self._numbers: dict[int, _Number] = {}
        self._given = 0
        self.forgotten: tuple[int, ...] = ()

    def update(self, detections: Detections, timestamp_s: float | None = None) -> list[TrackedPerson]:
        """Take the next frame's detections (also if there are none). Return the people in the order of their numbers.

        Args:
            detections: Detections of the frame.
            timestamp_s: Timestamp of the frame. A person who was away for longer than `forget_after_s` gets a new
                number, however many frames came in between (a camera that stalled, dropped frames). None if frames
                come at the stated frame rate.

        Raises:
            BadKeypoints: a box or its score is not finite.
        """
        now_s = self._frames / self._frame_rate_hz if timestamp_s is None else timestamp_s
        self._frames += 1
        check_boxes(detections)
        self.forgotten = self._forget(now_s)
        boxes = detections.boxes.astype(np.float64)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)  # a flat box would divide by 0
        levels = np.where(detections.box_scores >= START_SCORE, self._strong, self._weak)
        marked = levels - _MARK * np.arange(len(levels))
        # Its `update_with_detections` asks the same, and takes twice as long: objects round the arrays, and a second
        # assignment to learn which box a track has.
        tracks = self._tracker.update_with_tensors(np.concatenate([boxes, marked[:, None]], 1))
        index_of = {score: index for index, score in enumerate(marked.tolist())}
        people = []
        for track in tracks:
            index = index_of[float(track.score)]
            people.append(
                TrackedPerson(
                    self._number(int(track.external_track_id), now_s),
                    detections.keypoints_px[index],
                    detections.scores[index],
                    detections.boxes[index],
                    float(detections.box_scores[index]),
                )
            )
        return sorted(people, key=lambda person: person.track_id)

    def reset(self) -> None:
        """Forget everybody, because another video starts. Numbers start at 1 again."""
        self.forget_everybody()
        self._given = 0

    def forget_everybody(self) -> tuple[int, ...]:
        """End all tracks (a cut, another camera position). People in the next frame get new numbers.

        Returns:
            The numbers of the ended tracks, in the form of `forgotten`.
        """
        self._tracker.reset()
        return self._forget(np.inf)

    def _forget(self, now_s: float) -> tuple[int, ...]:
        gone = {k for k, n in self._numbers.items() if is_forgotten(now_s - n.last_s, self._forget_after_s)}
        return tuple(sorted(self._numbers.pop(inner_id).public_id for inner_id in gone))

    def _number(self, inner_id: int, now_s: float) -> int:
        # ByteTrack's own numbers always rise, so a number that is gone never comes back.
        number = self._numbers.get(inner_id)
        if number is None:
            self._given += 1
            number = self._numbers[inner_id] = _Number(self._given, now_s)
        number.last_s = now_s
        return number.public_id


def check_boxes(detections: Detections) -> None:
    """Check that all boxes and their scores are finite.

    Raises:
        BadKeypoints: names the first one that is not.
    """
    boxes, scores = np.isfinite(detections.boxes), np.isfinite(detections.box_scores)
    if not (boxes.all() and scores.all()):
        bad = int(np.argmin(boxes.all(1) & scores))
        raise BadKeypoints(
            f"detection {bad} has box {detections.boxes[bad].tolist()} and score {detections.box_scores[bad]}: the "
            "detector must return finite numbers. Have it leave out what it did not find."
        )


@dataclass
class _Number:
    """The public number of a person, and when they were last seen."""

    public_id: int
    last_s: float
