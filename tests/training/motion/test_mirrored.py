"""Mirroring."""

import torch

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import bone_lengths
from training.motion.body_variation import mirror_half, mirrored


def motion(dimensions=3, count=400):
    return torch.randn(count, 5, 16, dimensions, generator=torch.Generator().manual_seed(0))


def test_twice_is_nothing():
    for dimensions in (2, 3):
        assert torch.equal(mirrored(mirrored(motion(dimensions))), motion(dimensions))


def test_by_hand():
    """The left wrist at (1, 2, 3) becomes a right wrist at (-1, 2, 3)."""
    pose = torch.zeros(16, 3)
    pose[H36M16.index("left_wrist")] = torch.tensor([1.0, 2.0, 3.0])
    found = mirrored(pose)
    assert found[H36M16.index("right_wrist")].tolist() == [-1, 2, 3]
    assert found.count_nonzero() == 3


def test_lengths_change_sides():
    twin = torch.tensor(H36M16.mirror)[1:] - 1
    torch.testing.assert_close(bone_lengths(mirrored(motion())), bone_lengths(motion())[..., twin])


def test_does_not_change_its_input():
    original = motion()
    mirrored(original)
    assert torch.equal(original, motion())


def test_half_of_the_windows_as_a_whole():
    found = mirror_half(motion(), torch.Generator().manual_seed(1))
    kept = (found == motion()).flatten(1).all(1)
    turned = (found == mirrored(motion())).flatten(1).all(1)
    assert (kept ^ turned).all()
    assert 160 < kept.sum() < 240
    assert torch.equal(found, mirror_half(motion(), torch.Generator().manual_seed(1)))
