"""Segments that the model learns from."""

import numpy as np
import pytest
import torch

from sdk.errors import BadMotion
from tests.training.motion_model.moving import RATE_HZ, walking
from training.motion.motion_clip import on_the_floor
from training.motion_model.pose_features import PATH, YAW, from_first_pose, mirrored_features, pose_features
from training.motion_model.segments import POINT_RATE_HZ, MotionSegments
from training.settings.motion_model import FEATURES


def draw(clips, count=64, points=12, stretch=(1.0, 1.0), **options):
    return MotionSegments(clips, points, stretch).draw(count, torch.Generator().manual_seed(0), **options)


def test_segments_are_of_the_clip():
    """Every one of them, to a millimetre, somewhere in the clip's own features."""
    clip = walking(seconds=5.0)
    features = torch.from_numpy(pose_features(on_the_floor(clip).joints_world_m, RATE_HZ)).float()
    step = round(RATE_HZ / POINT_RATE_HZ)
    cut = features.unfold(0, 11 * step + 1, 1).transpose(1, 2)[:, ::step]
    known = from_first_pose(cut)[0].flatten(1)
    distance = torch.cdist(draw([clip], mirror=False).flatten(1), known).amin(1)
    assert float(distance.max()) < 0.15  # in all 12 poses together: between two frames, and the spline


def test_they_begin_at_the_origin():
    segments = draw([walking()])
    assert segments.shape == (64, 12, FEATURES)
    assert float(segments[:, 0, YAW].abs().max()) == 0
    assert float(segments[:, 0, PATH][:, :2].abs().max()) == 0


def test_half_are_mirrored():
    """The clip turns left; in the mirror it turns right."""
    turns = draw([walking()])[:, -1, YAW]
    assert 16 < int((turns > 0).sum()) < 48
    assert (draw([walking()], mirror=False)[:, -1, YAW] > 0).all()


def test_time_is_stretched():
    turns = draw([walking(seconds=10.0)], stretch=(0.5, 2.0), mirror=False)[:, -1, YAW]
    whole = 0.7 * 11 / POINT_RATE_HZ
    assert float(turns.min()) < 0.6 * whole
    assert float(turns.max()) > 1.7 * whole


def test_short_clips_are_played_slowly_and_shorter_ones_left_out():
    long, short, shortest = walking("01_01", 3.0), walking("01_02", 0.8), walking("01_03", 0.4)
    turns = draw([short], mirror=False)[:, -1, YAW]
    assert float(turns.max()) < 0.7 * 0.8
    assert len(MotionSegments([long, shortest], 12).all_segments(1)) == len(MotionSegments([long], 12).all_segments(1))
    with pytest.raises(BadMotion, match=r"1 clips.*0\.55 s"):
        MotionSegments([shortest], 12)


def test_arms_of_others_leave_the_legs():
    clips = [walking("01_01", phase=0.0), walking("01_02", swing=1.0, phase=1.0)]
    plain, mixed = draw(clips, mirror=False), draw(clips, mirror=False, exchanged=1.0)

    def unit(segments):
        lines = torch.nn.functional.normalize(segments[..., :YAW].unflatten(-1, (-1, 3)), dim=-1)
        return torch.cat([lines.flatten(-2), segments[..., YAW:]], -1)

    changed = ((unit(plain) - unit(mixed)).abs() > 1e-3).any(1).any(0)
    legs = torch.zeros(FEATURES, dtype=torch.bool)
    legs[:3] = legs[15:27] = legs[YAW:] = True  # hips, thighs, shins, heading and path
    assert not (changed & legs).any()
    assert (changed & ~legs).any()
    lengths = mixed[..., :YAW].unflatten(-1, (-1, 3)).norm(dim=-1)
    np.testing.assert_allclose(lengths, 1, atol=0.05)


def test_a_mirrored_clip_gives_mirrored_segments():
    clip = walking()
    segments = MotionSegments([clip], 12).all_segments(1)
    again = from_first_pose(mirrored_features(segments))[0]
    torch.testing.assert_close(mirrored_features(again), segments)
