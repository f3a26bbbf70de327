"""The running average of weights, against the recurrence written out."""

import pytest
import torch

from training.runs.network_weights import averaged


def values(count):
    return torch.randn(count, generator=torch.Generator().manual_seed(0)).tolist()


@pytest.mark.parametrize("decay", [0.5, 0.998])
def test_it_is_the_recurrence(decay):
    network = torch.nn.Linear(1, 1, bias=False)
    average = averaged(network, decay)
    expected = None
    for count, value in enumerate(values(40)):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update_parameters(network)
        kept = min(decay, count / (count + 9))
        expected = value if expected is None else kept * expected + (1 - kept) * value
        assert float(average.module.weight.detach()) == pytest.approx(expected, abs=1e-6)


def test_after_a_hundred_steps_nothing_of_the_start_is_left():
    network = torch.nn.Linear(1, 1, bias=False)
    average = averaged(network, 0.998)
    for step in range(100):
        with torch.no_grad():
            network.weight.fill_(1000.0 if step == 0 else 1.0)
        average.update_parameters(network)
    assert float(average.module.weight.detach()) == pytest.approx(1.0, abs=1e-3)


def test_statistics_are_averaged_and_counts_taken():
    network = torch.nn.BatchNorm1d(2)
    average = averaged(network, 0.5)
    for mean in (2.0, 4.0, 4.0):
        network.running_mean.fill_(mean)
        network.num_batches_tracked += 1
        average.update_parameters(network)
    # Weights of the new value: 1, then 1 - 1/10, then 1 - 2/11.
    assert average.module.running_mean.tolist() == pytest.approx([4 - 2 * 0.1 * 2 / 11] * 2)
    assert int(average.module.num_batches_tracked) == 3
