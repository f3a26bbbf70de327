"""What training takes away from windows is what use takes away."""

import numpy as np
import pytest
import torch

from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import sample_windows, with_seen
from sdk.skeletons.skeleton import H36M16
from training.cameras.occlusion_and_lookahead import WHOLE_FUTURE_SHARE, all_seen, cut_future, hide_joints


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(count=400, frames=27):
    return torch.rand(count, frames, 16, 2, generator=random(9)) + 1


def lookaheads(cut):
    """Frames after the middle one until nothing changes any more."""
    moves = (cut.diff(dim=1).abs().amax((2, 3)) > 0)[:, 13:]
    return (moves * torch.arange(1, 14)).amax(1)


def test_a_cut_window_is_the_one_that_the_sdk_cuts_live():
    recording = windows(1, 60)[0].numpy()
    times, middle = np.arange(60) / 25, np.arange(13, 47)
    whole = torch.from_numpy(sample_windows(recording, times, middle / 25, LifterMetadata()))
    cut = cut_future(whole, 0, random())
    for window, ahead, at in zip(cut, lookaheads(cut), middle, strict=True):
        live = sample_windows(recording, times, np.array([at / 25]), LifterMetadata(lookahead=int(ahead)))[0]
        np.testing.assert_array_equal(window.numpy(), live)


@pytest.mark.parametrize("shortest", [0, 5, 13])
def test_every_look_ahead_comes_up_and_the_whole_future_often(shortest):
    whole = windows(3000)
    ahead = lookaheads(cut_future(whole, shortest, random()))
    assert set(ahead.tolist()) == set(range(shortest, 14))
    expected = WHOLE_FUTURE_SHARE + (1 - WHOLE_FUTURE_SHARE) / (14 - shortest)
    assert (ahead == 13).float().mean() == pytest.approx(expected, abs=0.03)


def test_the_past_stays():
    whole = windows()
    torch.testing.assert_close(cut_future(whole, 0, random())[:, :14], whole[:, :14], rtol=0, atol=0)


class TestHidden:
    def test_hidden_joints_are_zero_and_said_to_be(self):
        hidden = hide_joints(windows(), 1.0, random())
        seen = hidden[..., 2]
        assert set(seen.unique().tolist()) == {0, 1}
        torch.testing.assert_close(hidden[..., :2], windows() * seen[..., None], rtol=0, atol=0)
        as_sdk = with_seen(np.where(seen[..., None] == 1, windows().numpy(), np.nan))
        np.testing.assert_array_equal(hidden.numpy(), as_sdk)

    def test_share_of_windows(self):
        touched = (hide_joints(windows(3000), 0.4, random())[..., 2] == 0).flatten(1).any(1).float().mean()
        assert 0.3 < touched < 0.4  # some draw a limb that is only hidden outside the window
        assert (hide_joints(windows(), 0.0, random())[..., 2] == 1).all()
        torch.testing.assert_close(hide_joints(windows(), 0.0, random()), all_seen(windows()))

    def test_whole_limbs_lower_bodies_and_single_joints(self):
        gone = hide_joints(windows(3000), 1.0, random())[..., 2] == 0
        ankles = [H36M16.index("left_ankle"), H36M16.index("right_ankle")]
        always = gone.all(1)
        assert 0.25 < always[:, ankles].all(1).float().mean() < 0.45
        assert not gone[..., H36M16.index("pelvis")].all(1).any()  # never for good: there is no body without it
        single = gone.any(1).sum(1) >= 10
        assert 0.2 < single.float().mean() < 0.4
