"""A baseline is only worth a time if it does the same."""

import pytest
import torch

from benchmarks.lifting import ConvLifter
from tests.lifters import random_lifter


@pytest.mark.parametrize("filter_widths", [(1,), (3, 3, 3), (3, 5)])
def test_conv1d_baseline_is_the_lifter(filter_widths):
    network = random_lifter(filter_widths, channels=16).double()
    baseline = ConvLifter(network).double().eval()
    windows = torch.rand(
        6, network.receptive_field, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    expected = network(windows)
    torch.testing.assert_close(baseline(windows), expected, atol=1e-5, rtol=1e-5)
    # The gradient's sum over weights, so that the backward pass that is timed is the same as well.
    baseline(windows).square().sum().backward()
    expected.square().sum().backward()
    for conv, linear in ((baseline.convs[0], network.expand.linear), (baseline.head, network.head)):
        assert conv.weight.grad is not None
        assert linear.weight.grad is not None
        torch.testing.assert_close(conv.weight.grad.sum(), linear.weight.grad.sum(), atol=1e-4, rtol=1e-4)
