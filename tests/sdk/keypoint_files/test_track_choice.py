"""Which tracks of a recording are meant: an athlete among spectators."""

import numpy as np
import pytest

from sdk.errors import BadSetting
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.track_choice import choose_tracks, people_at_once
from tests.sdk.stick_figures import SIZE, walk


def track(name, first, last, scale=1.0, at=(100, 60)):
    """A walker in the frames from `first` until before `last`."""
    frames = np.arange(first, last)
    keypoints = walk(last - first, (0, 0), (0, 0)) * scale + np.float32(at)
    scores = np.full(keypoints.shape[:2], 0.9, np.float32)
    return KeypointTrack(name, keypoints.astype(np.float32), scores, frames / 25, frames, "coco17", SIZE, 25.0)


ATHLETE, RIVAL = track("a", 20, 80, 1.2, at=(160, 60)), track("r", 60, 120, 1.1)
SPECTATOR, PASSER = track("s", 0, 100, 0.5, at=(30, 20)), track("p", 130, 150, 0.4)
EVERYBODY = (ATHLETE, RIVAL, SPECTATOR, PASSER)


@pytest.mark.parametrize(
    ("people", "names"),
    [("all", "arsp"), ("largest", "arp"), (1, "arp"), (2, "arp"), (3, "arsp"), ("central", "arp")],
)
def test_who_is_taken(people, names):
    """By hand: the spectator is always beside somebody larger and nearer to the middle. The rival is beside the athlete
    in 20 frames, beside the spectator in 20, and then alone: the one in half of the 40. Who is always alone is taken.
    """
    assert "".join(one.name for one in choose_tracks(EVERYBODY, people)) == names


def test_less_than_half_is_not_enough():
    """One frame less beside the spectator: the rival is the largest in 19 of 39."""
    shorter = SPECTATOR.at(np.arange(99))
    assert [one.name for one in choose_tracks((ATHLETE, RIVAL, shorter), "largest")] == ["a"]


def test_a_joint_that_was_guessed_far_away_makes_nobody_large():
    guessed = SPECTATOR.keypoints_px.copy()
    guessed[:, 0] = 900
    scores = SPECTATOR.scores.copy()
    scores[:, 0] = 0.05
    far = KeypointTrack("s", guessed, scores, SPECTATOR.timestamps_s, SPECTATOR.frame_indices, "coco17", SIZE, 25.0)
    assert [one.name for one in choose_tracks((ATHLETE, far), "largest")] == ["a"]


def test_people_at_once():
    assert people_at_once(EVERYBODY) == 3
    assert people_at_once((ATHLETE, PASSER)) == 1
    assert people_at_once(()) == 0


def test_nobody_to_choose_from():
    assert choose_tracks((), "largest") == ()
    with pytest.raises(BadSetting, match="'tallest'"):
        choose_tracks((), "tallest")
