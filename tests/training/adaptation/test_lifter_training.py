"""What a joint that is seen in a whole batch teaches: nothing, and that to the last bit."""

import pytest
import torch

from tests.lifters import random_lifter
from training.adaptation.lifter_training import drop_rounding


@pytest.fixture
def lesson():
    """A lifter after a backward pass, its batch of 8 windows, and which joints are hidden somewhere in it."""
    random = torch.Generator().manual_seed(0)
    network = random_lifter((3, 3), channels=16, input_channels=3, view="person").train()
    network.dropout = 0.0
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    windows = torch.cat([torch.rand(8, 9, 16, 2, generator=random), torch.ones(8, 9, 16, 1)], -1)
    windows[0, 4, 3] = 0  # the second of three frames
    windows[2, 0, 7] = 0  # the first
    return network, windows


def of_seen(weights):
    """(16 channels, 3 frames, 16 joints) of the first convolution: the weights of whether a joint is seen."""
    return weights.unflatten(1, (3, 51))[..., 32:48]


def test_its_gradient_is_zero_and_every_other_stays(lesson):
    network, windows = lesson
    network(windows).square().sum().backward()
    before = network.expand.linear.weight.grad.clone()
    drop_rounding(network, windows)
    after = network.expand.linear.weight.grad
    taught = torch.zeros(3, 16, dtype=torch.bool)
    taught[1, 3] = taught[0, 7] = True
    assert (of_seen(after)[:, ~taught] == 0).all()
    assert of_seen(before)[:, ~taught].abs().max() < 1e-4 * before.abs().max()  # it was rounding
    assert (of_seen(after)[:, taught] != 0).all()
    restored = after.clone()
    of_seen(restored)[:, ~taught] = of_seen(before)[:, ~taught]
    assert torch.equal(restored, before)


def test_its_weights_change_no_answer_in_training(lesson):
    network, windows = lesson
    answer = network(windows)
    with torch.no_grad():
        of_seen(network.expand.linear.weight)[:, :, 5] += 3.0
    torch.testing.assert_close(network(windows), answer, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        of_seen(network.expand.linear.weight)[:, 1, 3] += 3.0
    assert (network(windows) - answer).abs().max() > 1e-2


def test_a_lifter_of_two_numbers_a_joint_is_left_alone(lesson):
    network, windows = lesson
    network(windows[..., :2]).square().sum().backward()
    before = network.expand.linear.weight.grad.clone()
    drop_rounding(network, windows[..., :2])
    assert torch.equal(network.expand.linear.weight.grad, before)
