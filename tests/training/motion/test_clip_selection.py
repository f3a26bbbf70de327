"""Which clips train and which only validate."""

import numpy as np
import pytest

from sdk.errors import BadMotion
from training.motion.clip_selection import split_clips
from training.motion.motion_clip import MotionClip


def clips(*names):
    return [MotionClip(name, np.zeros((2, 16, 3), np.float32), 50.0) for name in names]


def named(part):
    return [clip.name for clip in part]


@pytest.mark.parametrize(("count", "validation"), [(2, [1]), (9, [8]), (10, [9]), (25, [9, 19]), (30, [9, 19, 29])])
def test_every_tenth_validates_and_one_at_the_least(count, validation):
    train, held_out = split_clips(clips(*map(str, range(count))))
    assert named(held_out) == [str(i) for i in validation]
    assert sorted(named(train) + named(held_out), key=int) == [str(i) for i in range(count)]


def test_people_are_left_out_by_whole_name():
    train, held_out = split_clips(clips("01_01", "010_2", "05_3", "06_1", "0_1"), exclude=("01", "05"))
    assert named(train) + named(held_out) == ["010_2", "06_1", "0_1"]


def test_people_are_left_out_in_folders_too():
    """CMU's clips lie in a folder for each of its people."""
    train, held_out = split_clips(clips("01/01_01", "05/05_3", "05/06_1", "01_a/b"), exclude=("01", "05"))
    assert named(train) + named(held_out) == ["05/06_1", "01_a/b"]


def test_too_few():
    with pytest.raises(BadMotion, match=r"^1 of 1 clips; training and validation need one each"):
        split_clips(clips("a"))
    with pytest.raises(BadMotion, match="1 of 3 clips after leaving out 01, 05;"):
        split_clips(clips("01_1", "05_1", "06_1"), exclude=("01", "05"))
