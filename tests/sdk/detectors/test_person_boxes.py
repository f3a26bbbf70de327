"""Boxes between detections: round the last poses, of everybody who is still seen."""

import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.detectors.person_boxes import FOLLOWED_MARGIN, PersonBoxes
from sdk.errors import BadBoxes
from sdk.skeletons.skeleton import COCO17

PICTURE = np.zeros((480, 640, 3), np.uint8)


class Finder:
    """Sees one more person each time it is asked."""

    skeleton, identity = COCO17, "finder"

    def __init__(self):
        self.asked = self.resets = 0

    def __call__(self, image_bgr):
        self.asked += 1
        return poses(self.asked)

    def reset(self):
        self.resets += 1


def poses(people, score=0.9, step=200.0):
    """People with a joint in each corner of a box of 100 x 50 pixels."""
    corners = np.float32([[0, 0], [100, 0], [0, 50], [100, 50]])
    keypoints = corners[np.arange(17) % 4] + np.arange(people)[:, None, None] * step
    return Detections.from_keypoints(keypoints.astype(np.float32), np.full((people, 17), score), 0.1)


def test_every_image_is_looked_at_by_default():
    finder = Finder()
    boxes = PersonBoxes(finder)
    for seen in (1, 2, 3):
        found = boxes(PICTURE)
        boxes.follow(found)
        assert (len(found), finder.asked) == (seen, seen)
    assert boxes.identity == "finder"


def test_every_third_image():
    finder = Finder()
    boxes = PersonBoxes(finder, every=3)
    asked = []
    for _ in range(7):
        found = boxes(PICTURE)
        boxes.follow(poses(len(found)))
        asked.append(finder.asked)
    assert asked == [1, 1, 1, 2, 2, 2, 3]
    assert boxes.identity == "finder:every=3"
    boxes.reset()
    assert (len(boxes(PICTURE)), finder.asked, finder.resets) == (4, 4, 1)


def test_the_box_in_between_is_by_hand():
    boxes = PersonBoxes(Finder(), every=2)
    boxes(PICTURE)
    boxes.follow(poses(1))
    more = (FOLLOWED_MARGIN - 1) / 2
    np.testing.assert_allclose(boxes(PICTURE).boxes, [[-100 * more, -50 * more, 100 * (1 + more), 50 * (1 + more)]])


def test_who_is_lost_is_looked_for_at_once():
    finder = Finder()
    boxes = PersonBoxes(finder, every=100)
    boxes(PICTURE)
    boxes.follow(poses(1, score=0.2))
    boxes(PICTURE)
    assert finder.asked == 2


def test_two_that_ran_into_one_are_one():
    boxes = PersonBoxes(Finder(), every=2)
    boxes(PICTURE)
    boxes.follow(poses(2, step=2.0))
    assert len(boxes(PICTURE)) == 1
    boxes(PICTURE)
    boxes.follow(poses(2, step=20.0))
    assert len(boxes(PICTURE)) == 2


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2"])
def test_an_interval_that_is_none(every):
    with pytest.raises(BadBoxes, match="det_every is"):
        PersonBoxes(Finder(), every)
