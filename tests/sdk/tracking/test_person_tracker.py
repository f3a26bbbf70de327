"""People keep their numbers, and keypoints stay with their person."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.tracking.person_tracker import PersonTracker

RNG = np.random.default_rng(3)
BODY = RNG.uniform(0, 1, (17, 2)).astype(np.float32) * (60, 160)


def people_at(*corners: tuple[float, float], score: float = 0.9) -> Detections:
    """People whose 17 joints are the same body with its corner at each place."""
    if not corners:
        return Detections.none(17)
    keypoints = np.stack([BODY + np.float32(corner) for corner in corners]).astype(np.float32)
    return Detections.from_keypoints(keypoints, np.full(keypoints.shape[:2], score, np.float32), 0.2)


def test_person_of_the_first_frame_is_tracked_from_it() -> None:
    tracker = PersonTracker(25.0)
    assert [p.track_id for p in tracker.update(people_at((10, 10)))] == [1]
    assert [p.track_id for p in tracker.update(people_at((12, 10)))] == [1]


def test_newcomer_is_confirmed_in_the_second_frame() -> None:
    tracker = PersonTracker(25.0)
    tracker.update(people_at((10, 10)))
    assert len(tracker.update(people_at((10, 10), (300, 10)))) == 1
    assert [p.track_id for p in tracker.update(people_at((10, 10), (300, 10)))] == [1, 2]


def test_two_people_pass_and_keypoints_follow_whatever_the_order() -> None:
    tracker, expected = PersonTracker(25.0), {}
    for frame in range(40):
        # They walk in lanes that overlap by a tenth of their height.
        places = [(10 + 6 * frame, 10), (250 - 6 * frame, 154)]
        order = [0, 1] if frame % 3 else [1, 0]
        people = tracker.update(people_at(*(places[i] for i in order)))
        assert len(people) == 2
        for person in people:
            corner = person.keypoints[0] - BODY[0]
            lane = int(np.argmin([abs(corner - place).sum() for place in places]))
            np.testing.assert_allclose(person.keypoints, BODY + np.float32(places[lane]), atol=1e-3)
            assert expected.setdefault(person.track_id, lane) == lane
    assert sorted(expected) == [1, 2]


def test_jump_to_another_person_is_a_new_person() -> None:
    tracker = PersonTracker(25.0)
    before = [tracker.update(people_at((10, 10)))[0].track_id for _ in range(10)]
    after = [p.track_id for _ in range(10) for p in tracker.update(people_at((200, 10)))]
    assert set(before) == {1}
    assert len(set(after)) == 1
    assert after[0] != 1
    assert len(after) == 9


@pytest.mark.parametrize(("missing", "same"), [(10, True), (40, False)])
def test_short_absence_keeps_the_number_and_a_long_one_does_not(missing: int, same: bool) -> None:
    tracker = PersonTracker(25.0, forget_after_s=1.0)
    for _ in range(5):
        tracker.update(people_at((10, 10)))
    for _ in range(missing):
        assert tracker.update(people_at()) == []
    people = [p for _ in range(2) for p in tracker.update(people_at((10, 10)))]
    assert ({p.track_id for p in people} == {1}) is same


def test_weak_detection_goes_on_with_a_track_but_starts_none() -> None:
    tracker = PersonTracker(25.0)
    assert tracker.update(people_at((10, 10), score=0.21)) == []
    assert tracker.update(people_at((10, 10), score=0.21)) == []
    tracker.update(people_at((10, 10)))
    (strong,) = tracker.update(people_at((10, 10)))
    (weak,) = tracker.update(people_at((11, 10), score=0.21))
    assert weak.track_id == strong.track_id
    assert weak.box_score == pytest.approx(0.21)


def test_reset_starts_numbers_at_one() -> None:
    tracker = PersonTracker(25.0)
    tracker.update(people_at((10, 10), (300, 10)))
    tracker.reset()
    assert [p.track_id for p in tracker.update(people_at((500, 10)))] == [1]


def test_flat_box_is_tracked() -> None:
    keypoints = np.array([[[10, 50], [90, 50]]], np.float32)
    flat = Detections.from_keypoints(keypoints, np.ones((1, 2), np.float32), 0.5)
    tracker = PersonTracker(25.0)
    assert [p.track_id for _ in range(3) for p in tracker.update(flat)] == [1, 1, 1]


def test_box_that_is_not_finite_is_named() -> None:
    bad = Detections(np.zeros((1, 17, 2)), np.ones((1, 17)), np.array([[0, 0, np.nan, 5]]), np.ones(1))
    with pytest.raises(BadKeypoints, match=r"detection 0 has box \[0.0, 0.0, nan, 5.0\]"):
        PersonTracker(25.0).update(bad)


def test_people_come_and_go_for_long_and_memory_stays_bounded() -> None:
    tracker = PersonTracker(25.0)
    for frame in range(2000):
        corner = (frame // 20 * 97 % 1500, frame // 20 * 211 % 800)  # somebody new every 20 frames
        tracker.update(people_at(corner))
    inside = tracker._tracker
    assert len(inside.tracked_tracks) + len(inside.lost_tracks) + len(inside.removed_tracks) < 10


def test_absence_is_measured_by_timestamps_where_they_are_given() -> None:
    tracker = PersonTracker(25.0)
    assert [p.track_id for p in tracker.update(people_at((10, 10)), 100.0)] == [1]
    assert [p.track_id for p in tracker.update(people_at((10, 10)), 100.9)] == [1]
    assert [p.track_id for p in tracker.update(people_at((10, 10)), 102.0)] == [2]


def test_forgetting_everybody_gives_numbers_that_nobody_had() -> None:
    tracker = PersonTracker(25.0)
    tracker.update(people_at((10, 10), (300, 10)))
    tracker.forget_everybody()
    assert [p.track_id for p in tracker.update(people_at((10, 10)))] == [3]


def test_numbers_are_not_kept_of_those_who_left() -> None:
    tracker = PersonTracker(25.0)
    for frame in range(2000):
        tracker.update(people_at((frame // 20 * 97 % 1500, frame // 20 * 211 % 800)), frame / 25)
    assert len(tracker._numbers) < 5
