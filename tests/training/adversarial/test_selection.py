"""The selection rule at its borders, and people who leave the image."""

import pytest
import torch

from training.adversarial.selection import inside_frame, select


def test_rule_of_equation_14():
    """17 +- 16: more than 1 and less than 33; the borders themselves are out."""
    ratio = torch.tensor([0.0, 1.0, 1.001, 17.0, 32.999, 33.0, 500.0, float("inf"), float("nan")])
    assert select(ratio, 17.0, 16.0).tolist() == [False, False, True, True, True, False, False, False, False]


def test_reach_zero_keeps_nothing():
    assert not select(torch.tensor([16.9, 17.0]), 17.0, 0.0).any()


@pytest.mark.parametrize(
    ("extent", "point", "kept"),
    [
        ((1.0, 0.5625), (0.99, 0.56), True),
        ((1.0, 0.5625), (-1.0, -0.5625), True),  # on the edge
        ((1.0, 0.5625), (1.01, 0.0), False),
        ((1.0, 0.5625), (0.0, -0.57), False),
        ((0.5625, 1.0), (0.0, -0.57), True),  # portrait
        ((0.5625, 1.0), (0.57, 0.0), False),
        ((1.0, 1.0), (float("nan"), 0.0), False),
    ],
)
def test_inside_frame(extent, point, kept):
    """One joint of one frame outside drops its window, and no other."""
    keypoints = torch.zeros(3, 5, 16, 2)
    keypoints[1, 4, 7] = torch.tensor(point)
    assert inside_frame(keypoints, extent).tolist() == [True, kept, True]
