"""Source poses turned like target poses: a known turn is found whatever the limbs do, jitter is as wide as stated."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING
from training.matching.view_matched_source import TRUNK, jittered, matching_rotation

POSE = torch.from_numpy(STANDING - STANDING[:1]).double()


def turned(rotation_vector):
    return POSE @ torch.from_numpy(Rotation.from_rotvec(rotation_vector).as_matrix()).T


@pytest.mark.parametrize("rotation_vector", [(0, 0, 0), (0.6, 0, 0), (0, -2.0, 0.3), (1e-4, 0, 0), (0, 0, 3.1)])
def test_a_known_turn_is_found(rotation_vector):
    """R @ x: a transposed answer would turn the other way."""
    found = matching_rotation(POSE[None], turned(rotation_vector)[None])[0]
    np.testing.assert_allclose(found, Rotation.from_rotvec(rotation_vector).as_matrix(), atol=1e-6)


def test_limbs_do_not_count():
    wanted = turned((0.3, 0.5, -0.2))
    waving = wanted.clone()
    limbs = [joint for joint in range(len(H36M16)) if joint not in TRUNK]
    waving[limbs] += torch.randn(len(limbs), 3, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    pair = torch.stack([POSE, POSE]), torch.stack([wanted, waving])
    first, second = matching_rotation(*pair)
    assert torch.equal(first, second)


def test_it_is_scipys_answer_on_noisy_trunks():
    random = torch.Generator().manual_seed(1)
    wanted = turned((0.4, -0.9, 0.1)) + 0.05 * torch.randn(16, 3, generator=random, dtype=torch.double)
    expected, _ = Rotation.align_vectors(wanted[list(TRUNK)].numpy(), POSE[list(TRUNK)].numpy())
    np.testing.assert_allclose(matching_rotation(POSE[None], wanted[None])[0], expected.as_matrix(), atol=1e-6)


def test_a_mirrored_person_is_never_made():
    mirrored = POSE * torch.tensor([-1.0, 1, 1], dtype=torch.double)
    assert torch.linalg.det(matching_rotation(POSE[None], mirrored[None])).item() == pytest.approx(1)


def test_jitter_is_as_wide_as_stated():
    identity = torch.eye(3).expand(20_000, 3, 3)
    found = jittered(identity, math.radians(10), torch.Generator().manual_seed(2))
    degrees = np.degrees(Rotation.from_matrix(found.numpy()).as_rotvec())
    np.testing.assert_allclose(degrees.std(0), 10, rtol=0.03)
    np.testing.assert_allclose(degrees.mean(0), 0, atol=0.3)
