"""A grown lifter: the poses of the one it came from, a longer look, and copies that part."""

import pytest
import torch

from tests.lifters import random_lifter
from training.lifter.growth import grown


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
