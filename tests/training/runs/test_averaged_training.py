"""A training against the plain loop that it stands for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from training.runs.averaged_training import AveragedTraining
from training.runs.network_weights import averaged
from training.runs.processes import Processes

STEPS, RATE = 12, 0.03


@pytest.mark.parametrize("epoch_decay", [None, (0.5, 4)])
def test_equals_a_plain_loop(epoch_decay: tuple[float, int] | None) -> None:
    data = torch.randn(STEPS, 32, 5, generator=torch.Generator().manual_seed(1)) * 3
    torch.manual_seed(0)
    network, plain = nn.Linear(5, 3), nn.Linear(5, 3)
    plain.load_state_dict(network.state_dict())

    def average(one: nn.Module) -> AveragedModel:
        return averaged(one, decay=0.6)

    training = AveragedTraining(network, Processes(), average, RATE, STEPS, epoch_decay=epoch_decay)
    optimiser, wanted = torch.optim.Adam(plain.parameters()), average(plain)
    for step, batch in enumerate(data):
        for group in optimiser.param_groups:
            half_cosine = (1 + math.cos(math.pi * step / STEPS)) / 2
            group["lr"] = RATE * (half_cosine if epoch_decay is None else 0.5 ** (step // 4))
        loss = training.spread(batch).square().mean() * 10  # its gradient is longer than the clip at first
        assert training.descend(loss) == pytest.approx(loss.item())
        optimiser.zero_grad()
        (plain(batch).square().mean() * 10).backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimiser.step()
        wanted.update_parameters(plain)
    torch.testing.assert_close(network.state_dict(), plain.state_dict())
    torch.testing.assert_close(training.average.state_dict(), wanted.state_dict())
    assert set(training.parts) == {"network", "average", "optimiser", "schedule"}
