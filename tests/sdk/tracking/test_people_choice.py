"""Who is meant, image by image: by hand, on boxes."""

import numpy as np
import pytest

from sdk.errors import BadSetting
from sdk.tracking.people_choice import CLEARLY, PeopleFilter, check_people, prominence
from sdk.tracking.person_tracker import TrackedPerson

SIZE = (1000, 600)


def person(number, left, top, width, height):
    box = np.array([left, top, left + width, top + height], np.float32)
    return TrackedPerson(number, np.zeros((17, 2), np.float32), np.ones(17, np.float32), box, 1.0)


FAR, NEAR, MIDDLE = person(1, 0, 0, 30, 40), person(2, 700, 100, 300, 400), person(3, 450, 250, 90, 120)


def taken(people, *images):
    """Track numbers taken in each of the images, which come ten a second."""
    meant = PeopleFilter(people)
    return [[one.track_id for one in meant(tracked, SIZE, t / 10)] for t, tracked in enumerate(images)]


@pytest.mark.parametrize(
    ("people", "expected"),
    [("all", [1, 2, 3]), ("largest", [2]), ("central", [3]), (1, [2]), (2, [2, 3]), (5, [1, 2, 3])],
)
def test_who_is_taken(people, expected):
    assert taken(people, [FAR, NEAR, MIDDLE]) == [expected]


def test_prominence_by_hand():
    boxes = np.stack([FAR.box, MIDDLE.box])
    np.testing.assert_allclose(prominence("largest", boxes, SIZE), [50, 150])
    # The middle of MIDDLE is 5 and 10 pixels from that of the image.
    expected = 1 / (np.hypot(5, 10) / np.hypot(1000, 600) + 0.05)
    np.testing.assert_allclose(prominence("central", boxes, SIZE)[1], expected)


def test_nobody_steps_in_while_the_athlete_is_away_for_a_moment():
    away = [[FAR]] * 8
    assert taken("largest", [FAR, NEAR], *away, [FAR, NEAR]) == [[2], *[[]] * 8, [2]]


def test_after_a_second_another_one_is_taken():
    images = taken("largest", [FAR, NEAR], *[[FAR]] * 12)
    assert images[:11] == [[2], *[[]] * 10]
    assert images[11:] == [[1], [1]]


def test_two_of_one_size_do_not_alternate_and_one_who_comes_near_takes_over():
    def sized(number, side):
        return person(number, 0, 0, side, side)

    pairs = [[sized(1, 100 + 9 * (t % 2)), sized(2, 100 + 9 * (1 - t % 2))] for t in range(20)]
    assert taken("largest", *pairs) == [[2]] * 20
    coming = [[sized(1, 100), sized(2, 50 + 10 * t)] for t in range(30)]
    numbers = [one for (one,) in taken("largest", *coming)]
    change = numbers.index(2)
    assert numbers == [1] * change + [2] * (30 - change)
    assert 50 + 10 * change > CLEARLY * 100


def test_a_reset_forgets_who_was_taken():
    meant = PeopleFilter("largest")
    meant([NEAR, FAR], SIZE, 0.0)
    meant.reset()
    assert meant([FAR], SIZE, 0.1) == [FAR]


@pytest.mark.parametrize("people", ["biggest", 0, -1, True, 1.5, None, ""])
def test_other_choices_are_refused_with_the_known_ones(people):
    with pytest.raises(BadSetting, match="it must be all, largest, central, or a number of people, 1 or more"):
        check_people(people)
