"""Sequences through their own cameras: the 2D is that of the lens, also mirrored, and adaptation keeps it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING
from training.adversarial.fakes import projected
from training.cameras.filmed_sequences import FilmedSequence, FilmedSequences
from training.cameras.random_cameras import CameraWindows
from training.geometry.camera import project, project_through

LENS = np.array([[2.29, 2.28, 0.025, 0.03, -0.2, 0.24, -0.002, -0.001, -0.003]], np.float32)
"""About that of Human3.6M's first camera."""
EXACT = "donot_use_mm_for_euclid_dist"


def sequence(name: str = "S1 Walking", frames: int = 60, lens: np.ndarray = LENS) -> FilmedSequence:
    """A person who walks to the right, 4 m before the camera."""
    upright = (STANDING * [1, -1, 1])[..., [0, 2, 1]] * [1, -1, 1]
    shake = np.random.default_rng(0).normal(0, 0.02, (frames, 16, 3))
    path = np.linspace(-1, 1, frames)[:, None, None] * [1.0, 0, 0] + [0, 0, 4.0]
    return FilmedSequence(name, (upright + shake + path).astype(np.float32), 50.0, lens)


def seen_slowly(joints: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """Human3.6M's lens model, a point at a time."""
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = map(float, lens)
    out = np.zeros((*joints.shape[:-1], 2))
    for at in np.ndindex(joints.shape[:-1]):
        x, y = joints[at][0] / joints[at][2], joints[at][1] / joints[at][2]
        r2 = x * x + y * y
        scale = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p1 * x + p2 * y
        out[at] = fx * (x * scale + p1 * r2) + cx, fy * (y * scale + p2 * r2) + cy
    return out


def test_2d_is_what_the_lens_shows() -> None:
    one = sequence()
    windows = FilmedSequences([one], 3, (0.02, 0.02)).at_own_speed(60, 50.0)
    expected = seen_slowly(one.joints_camera_m.astype(float), LENS[0])
    assert np.abs(windows.keypoints[:, 1].numpy() - expected).max() < 1e-5
    plain = project(windows.joints_m + windows.position_m[:, None, None], windows.focal)[:, 1].numpy()
    assert np.abs(plain - expected).max() > 0.03  # the lens makes a difference: 15 pixels of 1000
    assert torch.allclose(windows.middle_pose_m[:, 0], torch.zeros(60, 3))


def test_mirrored_windows_are_mirrored_images() -> None:
    """Each drawn window is one of the sequence, as filmed or with left and right exchanged and x negated."""
    one = sequence()
    drawn = FilmedSequences([one], 1, (0.02, 0.02)).sample(200, torch.Generator().manual_seed(0))
    real = torch.from_numpy(seen_slowly(one.joints_camera_m.astype(float), LENS[0])).float()
    turned = real[:, list(H36M16.mirror)] * torch.tensor([-1.0, 1.0])
    found = drawn.keypoints[:, 0].flatten(1)
    as_filmed = torch.cdist(found, real.flatten(1), compute_mode=EXACT).min(1).values < 1e-4
    as_turned = torch.cdist(found, turned.flatten(1), compute_mode=EXACT).min(1).values < 1e-4
    assert (as_filmed ^ as_turned).all()
    assert 60 < int(as_turned.sum()) < 140


def test_without_distortion_and_offset_it_is_a_pinhole() -> None:
    joints = torch.from_numpy(sequence().joints_camera_m).double()
    pinhole = torch.tensor([[2.0, 2.0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.float64).repeat(60, 1)
    assert torch.equal(project_through(joints, pinhole), project(joints, pinhole[:, 0]))


def test_far_outside_the_image_the_gradient_lives() -> None:
    """A generator that put somebody beside the image or behind the camera can bring them back."""
    joints = torch.tensor([[[9.0, 0.5, 1.0]], [[0.4, 0.3, -2.0]]], requires_grad=True)
    lens = torch.from_numpy(LENS).repeat(2, 1)
    project_through(joints, lens).square().sum().backward()
    assert joints.grad is not None
    assert (joints.grad[:, 0, 0] != 0).all()
    assert torch.isfinite(joints.grad).all()


def test_fakes_are_seen_through_the_sources_lens() -> None:
    source = FilmedSequences([sequence()], 3, (0.02, 0.02)).at_own_speed(8, 50.0)
    fake = projected(source.joints_m, source.position_m, source)
    assert torch.equal(fake, source.keypoints)
    assert torch.allclose(projected(source.joints_m[::2], source.position_m[::2], source.every(2)), fake[::2])


def test_windows_of_both_kinds_go_together() -> None:
    own = FilmedSequences([sequence()], 3, (0.02, 0.02)).at_own_speed(4, 50.0)
    drawn = dataclasses.replace(own, lens=None)
    for first, second in ((own, drawn), (drawn, own)):
        both = first.followed_by(second)
        assert torch.allclose(both.keypoints, torch.cat([first.keypoints, second.keypoints]), atol=1e-6)
    assert drawn.followed_by(drawn).lens is None
    assert isinstance(own.first(2).lens, torch.Tensor)
    assert torch.allclose(own.centre, torch.tensor([0.025, 0.03]))
    assert torch.equal(drawn.centre, torch.zeros(4, 2))


def test_a_camera_that_zooms() -> None:
    lens = np.tile(LENS, (60, 1))
    lens[:, :2] *= np.linspace(1, 2, 60)[:, None].astype(np.float32)
    windows = FilmedSequences([sequence(lens=lens)], 1, (0.02, 0.02)).at_own_speed(60, 50.0)
    assert windows.focal[-1] == pytest.approx(2 * float(windows.focal[0]))


def test_bad_lenses_are_errors() -> None:
    with pytest.raises(BadMotion, match="S1 Walking: a lens of shape"):
        sequence(lens=LENS[:, :4])
    with pytest.raises(BadMotion, match="focal lengths must be positive"):
        sequence(lens=-LENS)


def test_windows_keep_their_lens_on_their_way() -> None:
    own = FilmedSequences([sequence()], 3, (0.02, 0.02)).at_own_speed(4, 50.0)
    assert isinstance(own.to(torch.device("cpu")), CameraWindows)
    assert own.to(torch.device("cpu")).lens is not None
