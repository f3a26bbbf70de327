"""A grown lifter: the poses of the one it came from, a longer look, and copies that part."""

import math

import pytest
import torch

from sdk.skeletons.skeleton import H36M20
from tests.lifters import random_lifter
from training.lifter.growth import grown, with_feet


def windows(frames, batch=8):
    return torch.rand(batch, frames, 16, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def small():
    return random_lifter((3, 3), channels=12).eval()


@pytest.mark.parametrize(("widths", "channels"), [((3, 3), 24), ((3, 3), 36), ((3, 3, 3), 12), ((3, 3, 3, 3), 24)])
def test_it_lifts_as_before(small, widths, channels):
    large = grown(small, widths, channels, dropout=0.1).eval()
    assert (large.channels, large.filter_widths, large.dropout) == (channels, widths, 0.1)
    window = windows(large.receptive_field)
    middle = slice(large.receptive_field // 2 - 4, large.receptive_field // 2 + 5)
    torch.testing.assert_close(large(window), small(window[:, middle]), rtol=1e-4, atol=1e-5)


def test_all_of_it_learns(small):
    """Every weight gets a gradient after a step, those of new blocks and every copy, and copies get different ones."""
    large = grown(small, (3, 3, 3), 24, dropout=0.0).train()
    optimiser = torch.optim.SGD(large.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        large(windows(27, 64)).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(large.parameters(), 1.0)
        optimiser.step()
    for name, parameter in large.named_parameters():
        assert (parameter.grad.abs() > 0).float().mean() > 0.5, name
    first, second = large.expand.linear.weight.grad.chunk(2)
    assert not torch.allclose(first, second, rtol=0.01)


def test_a_longer_one_sees_farther(small):
    large = grown(small, (3, 3, 3), 12, dropout=0.0).train()
    optimiser = torch.optim.SGD(large.parameters(), lr=0.1)
    large(windows(27)).square().sum().backward()
    optimiser.step()
    window = windows(27).requires_grad_()
    large.eval()(window).sum().backward()
    assert (window.grad.abs().amax((0, 2, 3)) > 0).all()


def test_what_it_can_not_become(small):
    with pytest.raises(ValueError, match=r"begin with \(3, 3\), not \(3, 5\)"):
        grown(small, (3, 5), 12, dropout=0.0)
    with pytest.raises(ValueError, match="multiple of 12, not 30"):
        grown(small, (3, 3), 30, dropout=0.0)
    with pytest.raises(ValueError, match="multiple of 12, not 6"):
        grown(small, (3, 3), 6, dropout=0.0)


class TestFeet:
    @pytest.fixture
    def small(self):
        return random_lifter((3, 3), channels=12, input_channels=3, view="person").eval()

    def seen(self, feet):
        joints = torch.rand(8, 9, 20, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
        seen = (torch.rand(8, 9, 20, 1, generator=torch.Generator().manual_seed(1)) > 0.2).float()
        seen[:, :, 16:] *= feet
        return torch.cat([joints * seen, seen], -1)

    @pytest.mark.parametrize("feet", [0, 1])
    def test_the_sixteen_joints_are_as_before(self, small, feet):
        windows = self.seen(feet)
        joints = with_feet(small).eval()(windows)
        torch.testing.assert_close(joints[:, :16], small(windows[:, :, :16]))
        ankles = joints[:, [H36M20.index(f"{side}_ankle") for side in ("right", "right", "left", "left")]]
        torch.testing.assert_close(joints[:, 16:], ankles)

    def test_nothing_is_known_of_the_rest(self, small):
        said = with_feet(small).eval().outputs(self.seen(1))
        torch.testing.assert_close(said.deviations_m, torch.full_like(said.deviations_m, math.exp(-3)))
        torch.testing.assert_close(said.up_deviation, torch.full_like(said.up_deviation, math.exp(-3)))
        assert not said.up.any()
        assert not said.contact.any()

    def test_all_of_it_learns(self, small):
        large = with_feet(small).train()
        said = large.outputs(self.seen(1))
        sum(one.square().sum() + one.sum() for one in said).backward()
        for name, parameter in large.named_parameters():
            assert parameter.grad.any(), name

    def test_a_lifter_without_missing_joints_is_refused(self):
        with pytest.raises(ValueError, match="16 joints with 3 numbers each, not of 16 with 2"):
            with_feet(random_lifter((3, 3), channels=12))
