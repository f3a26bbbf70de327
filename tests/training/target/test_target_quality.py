"""Label-free numbers, worked out by hand."""

import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import bones_to_joints
from training.target.target_quality import target_quality


def people(frames=6):
    generator = torch.Generator().manual_seed(0)
    bones = torch.randn(frames, 15, 3, dtype=torch.float64, generator=generator)
    lengths = torch.rand(15, dtype=torch.float64, generator=generator) + 0.2
    twin = torch.tensor(H36M16.mirror)[1:] - 1
    lengths = (lengths + lengths[twin]) / 2
    return bones_to_joints(bones / bones.norm(dim=-1, keepdim=True) * lengths[:, None])


ONE = torch.zeros(6, dtype=torch.long)


def test_a_rigid_symmetric_person_on_its_orthographic_image_is_perfect():
    seen = people()[..., :2] * 0.31 + torch.tensor([0.4, -0.2], dtype=torch.float64)
    quality = target_quality(people(), seen, ONE)
    assert quality.reprojection == pytest.approx(0, abs=1e-9)
    assert quality.length_variation == pytest.approx(0, abs=1e-9)
    assert quality.asymmetry == pytest.approx(0, abs=1e-9)


def test_lengths_that_change_over_a_track():
    """Frames alternately 10% larger and smaller: a standard deviation of 10.95% (n - 1) about the mean of 1."""
    size = torch.tensor([1.1, 0.9] * 3, dtype=torch.float64)[:, None, None]
    quality = target_quality(people() * size, people()[..., :2], ONE)
    assert quality.length_variation == pytest.approx(100 * 0.1 * (6 / 5) ** 0.5)


def test_other_people_may_have_other_lengths():
    size = torch.tensor([1.1, 1.1, 1.1, 0.9, 0.9, 0.9], dtype=torch.float64)[:, None, None]
    tracks = torch.tensor([4, 4, 4, 7, 7, 7])
    assert target_quality(people() * size, people()[..., :2], tracks).length_variation == pytest.approx(0, abs=1e-9)


def test_asymmetry_by_hand():
    """A left forearm of 0.3 m beside a right one of 0.2: 0.1 / 0.25 = 40% of one of six pairs."""
    joints = torch.zeros(1, 16, 3, dtype=torch.float64)
    bones = torch.ones(1, 15, 3, dtype=torch.float64)
    bones[0, H36M16.index("left_wrist") - 1] = torch.tensor([0.3, 0, 0])
    bones[0, H36M16.index("right_wrist") - 1] = torch.tensor([0, 0.2, 0])
    joints = bones_to_joints(bones)
    assert target_quality(joints, joints[..., :2], ONE[:1]).asymmetry == pytest.approx(40 / 6)


def test_reprojection_by_hand():
    """15 joints in line with the image, one 0.1 beside it, seen from joints at distance one: about 0.1 / 16."""
    lifted = torch.zeros(1, 16, 3, dtype=torch.float64)
    lifted[0, 1:, 0] = torch.tensor([1.0, -1.0] * 7 + [1.0])
    seen = lifted[..., :2].clone()
    seen[0, 5, 1] = 0.1
    extent = ((15 + 0.01) / 16) ** 0.5
    quality = target_quality(lifted, seen + 3, ONE[:1])
    assert quality.reprojection == pytest.approx(100 * 0.1 / 16 / extent, rel=1e-6)


def test_tracks_of_one_frame():
    assert target_quality(people(2), people(2)[..., :2], torch.arange(2)).length_variation == 0
