"""Segments as few numbers."""

import pytest
import torch

from tests.training.motion_model.moving import walking
from training.motion_model.segment_basis import SegmentBasis
from training.motion_model.segments import MotionSegments
from training.settings.motion_model import FEATURES


@pytest.fixture(scope="module")
def segments():
    clips = [walking(f"01_{i}", turn_rate=0.3 + 0.2 * i, swing=0.2 * i, phase=i) for i in range(4)]
    return MotionSegments(clips, 8).draw(600, torch.Generator().manual_seed(0))


def test_all_components_lose_nothing(segments):
    basis = SegmentBasis(8, 8 * FEATURES)
    basis.fit(segments)
    torch.testing.assert_close(basis.decode(basis.encode(segments)), segments, atol=2e-3, rtol=0)


def test_numbers_have_zero_mean_and_unit_variance(segments):
    basis = SegmentBasis(8, 6)
    basis.fit(segments)
    numbers = basis.encode(segments)
    torch.testing.assert_close(numbers.mean(0), torch.zeros(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(numbers.T @ numbers / (len(numbers) - 1), torch.eye(6), atol=5e-3, rtol=0)


def test_more_components_are_nearer(segments):
    errors = []
    for count in (2, 8, 32):
        basis = SegmentBasis(8, count)
        basis.fit(segments)
        errors.append(float((basis.decode(basis.encode(segments)) - segments).square().mean()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_a_beginning_is_measured_in_metres(segments):
    """A leg's length of path counts for 0.6 m; what is at the mean is at zero."""
    basis = SegmentBasis(8, 4)
    basis.fit(segments)
    known = basis.mean[: 2 * FEATURES].clone()[None]
    known[0, -3] += 1.0
    expected = torch.zeros(2 * FEATURES)
    expected[-3] = 0.6
    torch.testing.assert_close(basis.in_metres(known)[0], expected, atol=1e-6, rtol=0)
