"""People of files that list them frame by frame, numbered by the file or matched over frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.bounds import FARTHEST_PX, MOST_NUMBERS, MOST_PEOPLE
from sdk.formats.picture import Picture
from sdk.formats.track_collector import SEEN_SCORE, CollectedTracks, TrackCollector
from sdk.skeletons import Skeleton
from sdk.tracks import FORGET_AFTER_S, PersonTracker

_NORMALISED = 2.0
"""Coordinates that all lie within it are not pixels of a picture."""


class PeopleInFrames:
    """Gathers the people of each frame, then follows them."""

    def __init__(self, name: str, skeleton: Skeleton, picture: Picture) -> None:
        self._name, self._skeleton, self._picture = name, skeleton, picture
        self._frames: dict[int, list[tuple[np.ndarray, int | None]]] = defaultdict(list)
        self._numbers: set[int | None] = set()

    def see(self, frame: int) -> None:
        """The file has that frame, perhaps without people."""
        self._frames[frame]

    def add(self, frame: int, keypoints: np.ndarray, number: int | None) -> None:
        """Add a person, (J, 3) x, y in pixels and score, with its number if the file has one.

        Raises:
            BadKeypoints: more people in that frame, or in the file, than there can be.
        """
        self._frames[frame].append((keypoints, number))
        self._numbers.add(number)
        if len(self._frames[frame]) > MOST_PEOPLE:
            raise BadKeypoints(f"{self._name}: frame {frame} has more than {MOST_PEOPLE} people.")
        if len(self._numbers) > MOST_NUMBERS:
            raise BadKeypoints(
                f"{self._name} has more than {MOST_NUMBERS} different people: are idx track numbers? Leave them out to "
                "have people matched over frames, or split the file by time."
            )

    def collect(self) -> CollectedTracks:
        """The tracks; people without a number are matched over frames, unless there is never more than one.

        Raises:
            BadKeypoints: for coordinates that are no finite pixels, without people, or if some have a number only.
        """
        people = [person for frame in self._frames.values() for person in frame]
        if not people:
            raise BadKeypoints(f"{self._name} has no person in any of {len(self._frames)} frames.")
        self._check(np.stack([keypoints for keypoints, _ in people]))
        numbered = sum(number is not None for _, number in people)
        if numbered not in (0, len(people)):
            raise BadKeypoints(f"{self._name} numbers {numbered} of {len(people)} people; it must be all or none.")
        collector = TrackCollector(self._name, self._skeleton, self._picture.image_size, self._picture.frame_rate_hz)
        if numbered or max(map(len, self._frames.values())) == 1:
            for frame, found in self._frames.items():
                for keypoints, number in found:
                    self._add(collector, 1 if number is None else number, frame, keypoints[:, :2], keypoints[:, 2])
        else:
            self._follow(collector)
        return collector.finish()

    def _add(
        self, collector: TrackCollector, number: int, frame: int, keypoints: np.ndarray, scores: np.ndarray
    ) -> None:
        collector.add(number, frame, frame / self._picture.frame_rate_hz, keypoints, scores)

    def _follow(self, collector: TrackCollector) -> None:
        from sdk.detectors.detection import Detections

        tracker = PersonTracker(self._picture.frame_rate_hz)
        for frame in self._frames_to_follow():
            found = [keypoints for keypoints, _ in self._frames.get(frame, [])]
            detections = Detections.none(len(self._skeleton))
            if found:
                stacked = np.stack(found)
                detections = Detections.from_keypoints(stacked[..., :2], stacked[..., 2].clip(0, 1), SEEN_SCORE)
            for person in tracker.update(detections):
                self._add(collector, person.track_id, frame, person.keypoints, person.scores)

    def _frames_to_follow(self) -> Iterator[int]:
        """All frames; of a gap, as many as the tracker takes to forget everybody."""
        known = sorted(self._frames)
        forget = ceil(FORGET_AFTER_S * self._picture.frame_rate_hz) + 1
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
        check_pixels(self._name, keypoints[..., :2], self._picture.image_size)


def check_pixels(name: str, keypoints: np.ndarray, image_size: tuple[int, int]) -> None:
    """Raise BadKeypoints for normalised coordinates instead of pixels, or far outside of any picture."""
    if np.abs(keypoints).max() > FARTHEST_PX:
        raise BadKeypoints(
            f"{name} has a coordinate of {np.abs(keypoints).max():g}, in a picture of {image_size[0]}x{image_size[1]}."
        )
    if np.abs(keypoints).max() <= _NORMALISED < max(image_size) / 8:
        raise BadKeypoints(
            f"{name}: all coordinates lie within {_NORMALISED:g}: these are no pixels of a picture of "
            f"{image_size[0]}x{image_size[1]}. Multiply them back to pixels."
        )
