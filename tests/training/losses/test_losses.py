"""The losses against numbers worked out by hand, and the invariances that the paper asks for."""

import math

import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from training.losses.gan import discriminator_loss, generator_loss, gradient_penalty
from training.losses.hard_ratio import JOINT_WEIGHTS, hard_ratio_band_loss, hard_ratio_loss, pose_error
from training.losses.ranges import LARGEST_LENGTH_CHANGE, TURN_CENTRE, TURN_REACH, length_range_loss, turn_range_loss
from training.losses.reprojection import reprojection_loss


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def poses(seed=0, count=8):
    return torch.randn(count, 16, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class TestAdversarial:
    def test_by_hand(self):
        """Eq. 15: half the mean of (0.8-1)^2, (1.4-1)^2 plus half the mean of 0.3^2, 0.5^2."""
        loss = discriminator_loss(doubles(0.8, 1.4), doubles(0.3, -0.5))
        assert loss.item() == pytest.approx((0.04 + 0.16) / 4 + (0.09 + 0.25) / 4)
        assert generator_loss(doubles(0.3, -0.5)).item() == pytest.approx((0.49 + 2.25) / 4)

    def test_zero_where_each_side_has_its_way(self):
        assert discriminator_loss(torch.ones(4, 1), torch.zeros(4, 1)) == 0
        assert generator_loss(torch.ones(4, 5)) == 0


class TestReprojection:
    def test_zero_for_the_orthographic_image_of_the_pose(self):
        assert reprojection_loss(poses(), poses()[..., :2]).item() == pytest.approx(0, abs=1e-12)

    def test_blind_to_root_and_scale_of_either(self):
        lifted, seen = poses(0), poses(1)[..., :2]
        expected = reprojection_loss(lifted, seen)
        assert expected > 0.1
        torch.testing.assert_close(reprojection_loss(lifted * 3 + doubles(1, -2, 5), seen), expected)
        torch.testing.assert_close(reprojection_loss(lifted, seen * 0.2 + doubles(0.4, 0.1)), expected)

    def test_sees_what_depth_does_not(self):
        deeper = poses() * doubles(1, 1, 7)
        assert reprojection_loss(deeper, poses()[..., :2]).item() == pytest.approx(0, abs=1e-12)

    def test_by_hand(self):
        """One joint off the root each: (3, 4) against (0, 5) becomes (0.6, 0.8) against (0, 1): 0.6 + 0.2."""
        lifted, seen = torch.zeros(1, 16, 3, dtype=torch.float64), torch.zeros(1, 16, 2, dtype=torch.float64)
        lifted[0, 5], seen[0, 5] = doubles(3, 4, 9), doubles(0, 5)
        assert reprojection_loss(lifted, seen).item() == pytest.approx(0.8)

    def test_a_pose_in_one_point_has_a_finite_gradient(self):
        lifted = torch.zeros(2, 16, 3, dtype=torch.float64, requires_grad=True)
        reprojection_loss(lifted, poses(1, 2)[..., :2]).backward()
        assert lifted.grad.isfinite().all()


class TestHardRatio:
    @pytest.mark.parametrize(
        ("ratio", "expected"),
        [
            ([17.0], 0.0),
            ([20.0], 9.0),  # 3 from what is wanted, reach 15
            ([2.5], 210.25),  # 14.5 away: still within
            ([1.9], 0.0),  # 15.1 away: left alone
            ([100.0], 0.0),
            ([20.0, 100.0], 4.5),  # one of two within: the mean is over both
        ],
    )
    def test_by_hand(self, ratio, expected):
        assert hard_ratio_loss(doubles(*ratio), 17.0, 15.0).item() == pytest.approx(expected)

    def test_pulls_towards_what_is_wanted_only_from_within_reach(self):
        ratio = doubles(5.0, 20.0, 40.0).requires_grad_()
        hard_ratio_loss(ratio, 17.0, 15.0).backward()
        assert ratio.grad.sign().tolist() == [-1, 1, 0]


class TestHardRatioBand:
    @pytest.mark.parametrize(
        ("ratio", "expected"),
        [
            ([17.0], 0.0),
            ([2.5], 0.0),  # 14.5 from the middle of 2 to 32: free
            ([31.9], 0.0),
            ([1.0], 256.0),  # 16 from the middle, squared: not 1, its distance from the band
            ([37.0], 400.0),
            ([1.0, 20.0], 128.0),  # one of two outside: the mean is over both
        ],
    )
    def test_by_hand(self, ratio, expected):
        assert hard_ratio_band_loss(doubles(*ratio), 17.0, 15.0).item() == pytest.approx(expected)

    def test_gradients_by_hand(self):
        """2 (ratio - c) / B outside the band, zero inside: -2 * 16 / 4 at 1, 2 * 23 / 4 at 40."""
        ratio = doubles(1.0, 5.0, 20.0, 40.0).requires_grad_()
        hard_ratio_band_loss(ratio, 17.0, 15.0).backward()
        assert ratio.grad.tolist() == [-8.0, 0.0, 0.0, 11.5]

    def test_bones_by_hand(self):
        """The bones' band ends at 3 to 7: 2 is pulled up by its distance from 5, 4 is free."""
        ratio = doubles(2.0, 4.0).requires_grad_()
        loss = hard_ratio_band_loss(ratio, 5.0, 2.0)
        loss.backward()
        assert (loss.item(), ratio.grad.tolist()) == (4.5, [-3.0, 0.0])

    def test_what_one_form_pulls_the_other_leaves_alone(self):
        """Together they are (ratio - c)^2 everywhere but at the very edges, which are not among these."""
        ratio = torch.linspace(0.05, 59.95, 600, dtype=torch.float64)
        both = hard_ratio_loss(ratio, 17.0, 15.0) + hard_ratio_band_loss(ratio, 17.0, 15.0)
        assert both.item() == pytest.approx((ratio - 17).square().mean().item())


class TestPoseError:
    def test_weights_are_the_references(self):
        assert JOINT_WEIGHTS.tolist() == [1, 5, 2, 1, 5, 2, 1, 1, 1, 1, 5, 2, 1, 5, 2, 1]
        by_name = dict(zip(H36M16.joints, JOINT_WEIGHTS.tolist(), strict=True))
        assert {n for n, w in by_name.items() if w == 5} == {
            f"{s}_{p}" for s in ("left", "right") for p in ("hip", "shoulder")
        }

    def test_by_hand(self):
        """Left elbow (weight 2) off by (0.3, 0, 0.4), so 0.25 squared; head (1) by 0.2: (0.5 + 0.04) / 16."""
        truth = poses()
        lifted = truth.clone()
        lifted[3, H36M16.index("left_elbow")] += doubles(0.3, 0, 0.4)
        lifted[3, H36M16.index("head"), 1] -= 0.2
        error = pose_error(lifted, truth)
        assert error.shape == (8,)
        assert error[3].item() == pytest.approx(0.54 / 16)
        assert error.count_nonzero() == 1


class TestRanges:
    @pytest.mark.parametrize(
        ("mean_change", "expected"),
        [(0.205, 0), (0.04, 0), (0.37, 0), (0.03, 0.01), (0.47, 0.1), (0.0, 0.04)],
    )
    def test_turns_by_hand(self, mean_change, expected):
        """Every bone turned by the angle whose 1 - cos is given."""
        angle = math.acos(1 - mean_change)
        bones = doubles(2.0, 0, 0).expand(4, 15, 3)
        turned = doubles(2 * math.cos(angle), 2 * math.sin(angle), 0).expand(4, 15, 3)
        assert turn_range_loss(bones, turned).item() == pytest.approx(expected, abs=1e-9)

    def test_it_is_the_mean_over_bones_that_counts(self):
        """One bone of 15 turned backwards: 2 / 15 = 0.133, within the range."""
        bones = doubles(0, 1.0, 0).expand(1, 15, 3)
        turned = bones.clone()
        turned[0, 3] *= -1
        assert turn_range_loss(bones, turned) == 0
        turned[0, :4] *= -1  # now bones 0 to 2: 6 / 15 = 0.4, 0.03 too much
        assert turn_range_loss(bones, turned).item() == pytest.approx(0.03)

    def test_constants(self):
        assert (TURN_CENTRE, TURN_REACH, LARGEST_LENGTH_CHANGE) == (0.205, 0.165, 0.1)

    def test_lengths_by_hand(self):
        """0.15 and -0.2 exceed a tenth by 0.05 and 0.1; the mean is over six numbers."""
        ratios = doubles(0.15, -0.2, 0.1, -0.1, 0.05, 0.0).reshape(2, 3)
        assert length_range_loss(ratios).item() == pytest.approx(0.15 / 6)


class TestGradientPenalty:
    def test_of_a_linear_discriminator_by_hand(self):
        """w = (3, 4): half of 25 everywhere, and its gradient is w."""
        weight = doubles(3.0, 4.0).requires_grad_()
        real = torch.randn(6, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        penalty = gradient_penalty((real * weight).sum((-2, -1))[:, None] + 7, real)
        assert penalty.item() == pytest.approx(12.5)
        penalty.backward()
        torch.testing.assert_close(weight.grad, doubles(3.0, 4.0))

    def test_is_the_mean_over_samples(self):
        """x squared has the slope 2 x: half the mean of 4 x squared over 1, 2 and 3."""
        real = doubles(1.0, 2.0, 3.0)[:, None].requires_grad_()
        assert gradient_penalty(real.square(), real).item() == pytest.approx(0.5 * (4 + 16 + 36) / 3)

    def test_the_same_answer_everywhere_costs_nothing(self):
        real = doubles(1.0, 2.0)[:, None].requires_grad_()
        assert gradient_penalty(real * 0 + 0.5, real) == 0
