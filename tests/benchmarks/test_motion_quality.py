"""What the motion model is measured by, on motion whose answer is known."""

import numpy as np
import pytest
import torch

from benchmarks.motion_quality import RATE_HZ, _band_amplitudes_mm, _foot_sliding, _nearest, _rates_of_change
from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING
from training.motion.motion_clip import MotionClip


def clip(joints):
    return MotionClip("a", joints.astype(np.float32), RATE_HZ)


def gliding(velocity, frames=128):
    return np.repeat(STANDING[None], frames, 0) + np.arange(frames)[:, None, None] / RATE_HZ * np.asarray(velocity)


def test_who_glides_slides():
    np.testing.assert_allclose(_foot_sliding([clip(gliding((0.3, 0.4, 0.0)))]), 0.5, atol=1e-3)
    assert len(_foot_sliding([clip(gliding((0.3, 0.4, 0.5)))])) == 0  # in the air


def test_a_swinging_hand_has_its_amplitude_in_its_band():
    joints = gliding((1.0, 0.0, 0.0), frames=640)
    time = np.arange(640) / RATE_HZ
    wrist = H36M16.index("left_wrist")
    joints[:, wrist, 1] += 0.2 * np.sin(2 * np.pi * 1.5625 * time)
    bands = _band_amplitudes_mm([clip(joints)])
    # One of twelve coordinates swings; root mean square of a sine.
    assert bands[1] == pytest.approx(1000 * 0.2 / 2**0.5 / 12**0.5, rel=0.1)
    assert max(bands[0], bands[2], bands[3]) < 3
    speed, acceleration = _rates_of_change([clip(joints)])
    assert speed.max() == pytest.approx(0.2 * 2 * np.pi * 1.5625, rel=0.04)
    assert acceleration.max() == pytest.approx(0.2 * (2 * np.pi * 1.5625) ** 2, rel=0.06)


def test_the_nearest_is_of_another_clip_and_may_be_mirrored():
    random = torch.Generator().manual_seed(0)
    these, others = (torch.randn(count, 2 * 48, generator=random) for count in (5, 9))
    clip_of, own = torch.arange(9) % 3, torch.tensor([0, 1, 2, 0, -1])
    found = _nearest(these, others, own, clip_of)
    flip = np.array([1.0, -1.0, 1.0])
    for row, one in enumerate(these.reshape(5, 2, 16, 3).numpy()):
        distances = []
        for number, other in enumerate(others.reshape(9, 2, 16, 3).numpy()):
            if int(clip_of[number]) != int(own[row]):
                for image in (other, other[:, list(H36M16.mirror)] * flip):
                    distances.append(np.sqrt(((one - image) ** 2).sum(-1).mean()))
        assert found[row] == pytest.approx(1000 * min(distances), rel=1e-4)
