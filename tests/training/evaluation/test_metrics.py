"""Metrics against slow loops, SciPy and numbers by hand."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import torch

from training.evaluation.metrics import auc, joint_errors, mpjpe, pck, procrustes_aligned, scale_aligned, velocity_error


@pytest.fixture
def pairs():
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(12, 16, 3, dtype=torch.float64, generator=generator)
    predicted = truth + 0.3 * torch.randn(12, 16, 3, dtype=torch.float64, generator=generator)
    predicted[6:] = torch.randn(6, 16, 3, dtype=torch.float64, generator=generator)  # nothing alike
    return predicted, truth


def constant_error(metres, poses=4):
    truth = torch.rand(poses, 16, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return truth + torch.tensor([0.6, -0.0, 0.8], dtype=torch.float64) * metres, truth


def test_mpjpe_by_a_slow_loop(pairs):
    distances = []
    for predicted, truth in zip(*pairs, strict=True):
        for a, b in zip(predicted.tolist(), truth.tolist(), strict=True):
            distances.append(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5)
    assert mpjpe(*pairs).item() == pytest.approx(np.mean(distances))
    assert joint_errors(*pairs)[7, 3].item() == pytest.approx(distances[7 * 16 + 3])


def procrustes(predicted, truth, reflections=False):
    """Rotation by SciPy's orthogonal Procrustes; a reflection is undone along the weakest direction (Umeyama)."""
    a, b = predicted - predicted.mean(0), truth - truth.mean(0)
    rotation, _ = scipy.linalg.orthogonal_procrustes(a, b)
    if np.linalg.det(rotation) < 0 and not reflections:
        u, _, vt = np.linalg.svd(a.T @ b)
        rotation = u @ np.diag([1, 1, -1]) @ vt
    turned = a @ rotation
    return turned * (turned * b).sum() / (a**2).sum() + truth.mean(0)


def test_procrustes_equals_scipy(pairs):
    aligned = procrustes_aligned(*pairs).numpy()
    for found, predicted, truth in zip(aligned, *(p.numpy() for p in pairs), strict=True):
        np.testing.assert_allclose(found, procrustes(predicted, truth), atol=1e-9)


def test_procrustes_undoes_a_similarity(pairs):
    _, truth = pairs
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    rotation = rotation * torch.linalg.det(rotation)
    moved = 0.37 * truth @ rotation.T + torch.tensor([5.0, -2.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(procrustes_aligned(moved, truth), truth)


def test_procrustes_does_not_reflect(pairs):
    """A mirror image is another pose: reflected onto the truth its error would be zero."""
    _, truth = pairs
    mirrored = truth * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    aligned = procrustes_aligned(mirrored, truth)
    assert mpjpe(aligned, truth) > 0.1
    for found, one, other in zip(aligned.numpy(), mirrored.numpy(), truth.numpy(), strict=True):
        np.testing.assert_allclose(procrustes(one, other, reflections=True), other, atol=1e-9)
        np.testing.assert_allclose(found, procrustes(one, other), atol=1e-9)


def test_procrustes_is_the_best_similarity(pairs):
    predicted, truth = (pair[0].numpy() for pair in pairs)
    best = procrustes_aligned(*pairs)[0].numpy()

    def loss(x):
        from scipy.spatial.transform import Rotation

        return ((x[6] * Rotation.from_rotvec(x[:3]).apply(predicted) + x[3:6] - truth) ** 2).sum()

    found = scipy.optimize.minimize(loss, [0, 0, 0, 0, 0, 0, 1])
    assert ((best - truth) ** 2).sum() == pytest.approx(found.fun, rel=1e-6)


def test_scale_is_the_best_one_by_search(pairs):
    aligned = scale_aligned(*pairs)
    for found, predicted, truth in zip(aligned.numpy(), *(p.numpy() for p in pairs), strict=True):
        best = scipy.optimize.minimize_scalar(lambda s, p=predicted, t=truth: ((s * p - t) ** 2).sum(), tol=1e-12)
        np.testing.assert_allclose(found, best.x * predicted, atol=1e-5)


def test_scale_of_nothing_is_finite(pairs):
    assert not scale_aligned(torch.zeros_like(pairs[0]), pairs[1]).any()


@pytest.mark.parametrize(
    ("metres", "share"), [(0.0, 1.0), (0.1499, 1.0), (0.1501, 0.0)], ids=["exact", "just within", "just outside"]
)
def test_pck_at_150_mm(metres, share):
    assert pck(*constant_error(metres)).item() == share


def test_pck_counts_joints():
    predicted, truth = constant_error(0.0)
    predicted[1, 5] += 1.0
    predicted[2, :3] += 1.0
    assert pck(predicted, truth).item() == pytest.approx(1 - 4 / 64)
    assert pck(predicted, truth, threshold=10.0) == 1


@pytest.mark.parametrize(("metres", "thresholds"), [(0.0, 30), (0.0524, 20), (0.0501, 20), (0.149, 1), (0.2, 0)])
def test_auc_by_hand(metres, thresholds):
    """31 thresholds 0, 5, .. 150 mm; an error of 52.4 mm is within 55, 60, .. 150: 20 of them."""
    assert auc(*constant_error(metres)).item() == pytest.approx(thresholds / 31)


def test_velocity_by_hand():
    """Steps of (0.03, 0, 0) answered by (0, 0.04, 0): 5 cm; a constant offset between the two does not count."""
    frames = torch.arange(6, dtype=torch.float64)[:, None, None]
    truth = frames * torch.tensor([0.03, 0, 0], dtype=torch.float64).expand(16, 3)
    predicted = frames * torch.tensor([0, 0.04, 0], dtype=torch.float64).expand(16, 3) + 7
    assert velocity_error(predicted, truth).item() == pytest.approx(0.05)
    assert velocity_error(truth + 3, truth).item() == pytest.approx(0, abs=1e-12)
