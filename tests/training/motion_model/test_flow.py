"""The flow: exact where it is known, and a toy problem that it must solve."""

import pytest
import torch

from training.commands.motion_model import flow_matching_loss
from training.motion_model.bodies import BodyStatistics
from training.motion_model.flow_network import FlowNetwork
from training.motion_model.motion_model import MotionModel, SegmentShape


def tiny_model(components=2, width=48):
    bodies = BodyStatistics(torch.full((9,), 0.2), torch.zeros(9), 1.7)
    return MotionModel(SegmentShape(4, 2, components, 1, 1), bodies, width=width, blocks=1, flow_steps=20)


def test_untrained_it_is_the_flow_of_the_normal_distribution():
    """From noise to noise: what is drawn has unit variance again, and the way of each sample is straight in its own
    direction."""
    network = FlowNetwork(3, 4, width=16, blocks=1)
    noise = torch.randn(2000, 3, generator=torch.Generator().manual_seed(0))
    numbers, steps = noise.clone(), 200
    for i in range(steps):
        time = torch.full((2000,), (i + 0.5) / steps)
        numbers = numbers + network(numbers, time, torch.zeros(2000, 4)) / steps
    torch.testing.assert_close(numbers, noise, atol=0.02, rtol=0.04)


def test_every_parameter_learns():
    model = tiny_model()
    torch.nn.init.normal_(model.network.leave.weight)
    random = torch.Generator().manual_seed(0)
    loss = flow_matching_loss(model, torch.randn(64, 2), torch.randn(64, model.network.known), random)
    loss.backward()
    for name, parameter in model.network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.fixture(scope="module")
def learned():
    """Two kinds of segment, of which some beginnings tell: their first number has the sign of the segment's."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    model = tiny_model()
    optimiser = torch.optim.Adam(model.network.parameters(), 3e-3)
    for _ in range(500):
        kind = torch.randint(2, (256, 1), generator=random) * 2.0 - 1
        numbers = torch.cat([kind, 0.2 * torch.randn(256, 1, generator=random)], 1)
        beginning = torch.zeros(256, model.network.known)
        beginning[:128, :1] = 3 * kind[:128]  # of half of them
        optimiser.zero_grad()
        flow_matching_loss(model, numbers, beginning, random).backward()
        optimiser.step()
    return model.eval()


def drawn(model, sign, count=400):
    model.basis.vectors[:2] = torch.eye(2)
    beginning = torch.zeros(count, model.network.known)
    beginning[:, 0] = 3.0 * sign
    with torch.no_grad():
        return model.basis.encode(model.following(beginning, torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_beginning_decides(learned, sign):
    numbers = drawn(learned, sign)
    assert float((numbers[:, 0] * sign > 0).float().mean()) > 0.97
    assert float((numbers[:, 0] * sign).mean()) == pytest.approx(1.0, abs=0.1)
    assert float(numbers[:, 1].std()) == pytest.approx(0.2, abs=0.08)


def test_both_kinds_come_where_it_says_nothing(learned):
    """Hardly any segment lies between them."""
    numbers = drawn(learned, 0)
    assert 0.25 < float((numbers[:, 0] > 0).float().mean()) < 0.75
    assert float((numbers[:, 0].abs() - 1).abs().mean()) < 0.25
