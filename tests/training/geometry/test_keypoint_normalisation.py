"""Made-up cameras' keypoints are normalised as the SDK does an image's; a pose in one point has a gradient."""

import numpy as np
import pytest
import torch

from sdk.skeletons.keypoint_normalisation import normalise_root_centred
from training.geometry.keypoint_normalisation import normalised


def keypoints(seed=0):
    return torch.randn(5, 3, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_screen_coordinates_stay():
    assert torch.equal(normalised(keypoints(), "screen"), keypoints())


def test_root_centred_is_the_sdks():
    found = normalised(keypoints(), "root-centred").numpy()
    np.testing.assert_allclose(found, normalise_root_centred(keypoints().numpy()), atol=1e-12)


def test_by_hand():
    """Pelvis at (1, 1), one joint three right and four down of it, all others on it: (0.6, 0.8)."""
    pose = torch.ones(16, 2, dtype=torch.float64)
    pose[5] += torch.tensor([3.0, 4.0])
    found = normalised(pose, "root-centred")
    assert found[5].tolist() == pytest.approx([0.6, 0.8])
    assert not found[[0, 1, 15]].any()


def test_a_pose_in_one_point_has_a_finite_gradient():
    pose = torch.ones(1, 16, 2, requires_grad=True)
    found = normalised(pose, "root-centred")
    found.sum().backward()
    assert not found.any()
    assert pose.grad.isfinite().all()
