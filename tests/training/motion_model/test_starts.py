"""Beginnings that motions start from."""

import numpy as np
import torch

from tests.training.data.clips import STANDING
from tests.training.motion_model.moving import RATE_HZ, walking
from training.data.motion_clip import MotionClip
from training.motion_model.bodies import body_statistics
from training.motion_model.pose_features import YAW
from training.motion_model.segments import MotionSegments
from training.motion_model.starts import lively_starts


def test_people_who_move_are_started_from_more_often_and_those_who_stand_are_not_left_out():
    """The walker turns, so that it is known who is who; of plain segments half are the walker's."""
    standing = MotionClip("01_01", np.repeat(STANDING[None], round(6 * RATE_HZ), 0).astype(np.float32), RATE_HZ)
    clips = [standing, walking("01_02")]
    segments, bodies = MotionSegments(clips, 12), body_statistics(clips)

    def moving_share(found):
        return float((found[:, -1, YAW] > 0.1).float().mean())

    plain = segments.draw(200, torch.Generator().manual_seed(0), mirror=False)
    starts = lively_starts(segments, 200, bodies, torch.Generator().manual_seed(0))
    assert starts.shape == plain.shape
    assert 0.4 < moving_share(plain) < 0.6
    # Of 800 candidates half walk, ten times or more as likely as those who stand.
    assert 0.85 < moving_share(starts) < 1.0


def test_the_same_seed_gives_the_same_starts():
    clips = [walking("01_01"), walking("01_02", swing=0.2)]
    segments, bodies = MotionSegments(clips, 12), body_statistics(clips)
    first, again, other = (
        lively_starts(segments, 30, bodies, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
