"""The pelvis' position from a pose and its 2D."""

import numpy as np
import torch
from scipy.optimize import least_squares

from training.geometry.camera import project, root_position

RANDOM = torch.Generator().manual_seed(0)
POSE = torch.randn(5, 16, 3, generator=RANDOM).double() * 0.3
POSE[:, 0] = 0
POSITION = torch.tensor([[0.3, -0.2, 4.0], [0, 0, 2.5], [-1, 0.5, 9], [2, 1, 6], [0.1, 0.9, 3]]).double()
FOCAL = torch.tensor([2.29, 1.1, 3.5, 1.7, 0.9]).double()
KEYPOINTS = project(POSE + POSITION[:, None], FOCAL)


def test_what_was_projected_is_found_again():
    torch.testing.assert_close(root_position(POSE, KEYPOINTS, FOCAL), POSITION)


def test_with_noise_it_is_the_least_squares_answer():
    noisy = KEYPOINTS + torch.randn(KEYPOINTS.shape, generator=RANDOM).double() * 0.01
    solved = root_position(POSE, noisy, FOCAL).numpy()
    for pose, seen, focal, answer in zip(POSE.numpy(), noisy.numpy(), FOCAL.numpy(), solved, strict=True):

        def residual(t, pose=pose, seen=seen, focal=focal):
            return (focal * (pose[:, :2] + t[:2]) - seen * (pose[:, 2:] + t[2])).ravel()

        np.testing.assert_allclose(answer, least_squares(residual, [0, 0, 5.0]).x, atol=1e-6)


def test_single_precision_is_as_exact_as_the_numbers_are():
    found = root_position(POSE.float(), KEYPOINTS.float(), FOCAL.float())
    torch.testing.assert_close(found, POSITION.float(), rtol=2e-5, atol=2e-5)


def test_the_same_bits_whatever_the_memory_held_before():
    """torch.linalg.lstsq's default driver reads memory that nobody wrote: of 300 calls some differed."""
    pose, seen, focal = POSE.float().repeat(40, 1, 1), KEYPOINTS.float().repeat(40, 1, 1), FOCAL.float().repeat(40)
    answers = []
    for value in range(60):
        torch.full((20_000 + 37 * value,), float(value) - 30.0)  # freed at once: the heap is another
        answers.append(root_position(pose, seen, focal))
    assert all(torch.equal(answer, answers[0]) for answer in answers)


def test_a_person_without_any_size_has_no_depth():
    """A detector that puts all joints onto one point; nothing divides by zero."""
    found = root_position(POSE[:1], torch.full((1, 16, 2), 0.25).double(), FOCAL[:1])
    assert found.isfinite().all()
    assert found[0, 2] == 0
