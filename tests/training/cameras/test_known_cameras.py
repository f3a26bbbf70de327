"""Known cameras: where they look, what they see of a clip, and that validation sequences are nowhere in training."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadMotion
from tests.training.motion.clips import STANDING
from training.cameras.known_cameras import STUDIO, FilmedClips, look_at
from training.motion.motion_clip import MotionClip, on_the_floor


def clip(name, offset=(0.0, 0.0, 0.0), frames=100):
    """A person who walks along x at 1 m/s, with a shake that tells frames and clips apart."""
    shake = np.random.default_rng(len(name)).normal(0, 0.02, (frames, 16, 3))
    path = np.linspace(0, frames / 50, frames)[:, None, None] * [1.0, 0, 0]
    return MotionClip(name, (STANDING + path + shake + offset).astype(np.float32), 50.0)


def test_a_level_camera_south_of_the_origin():
    """Worked out by hand: from y = -5 looking along +y, x is right and z is up."""
    camera = look_at((0, -5, 0.9), (0, 0, 0.9), 2.0)
    np.testing.assert_allclose(camera.rotation_world_to_camera, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize("camera", STUDIO)
def test_studio_cameras_see_the_centre_in_the_middle(camera):
    rotation = camera.rotation_world_to_camera
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    seen = rotation @ (np.array([0, 0, 0.9]) - camera.centre_world_m)
    np.testing.assert_allclose(seen, [0, 0, np.hypot(5.2, 0.65)], atol=1e-12)
    assert (rotation @ [0, 0, 1.0])[1] < 0  # up in the world is up in the image


def test_on_the_floor():
    joints = on_the_floor(clip("a", offset=(3.0, -2.0, 0.7))).joints_world_m
    np.testing.assert_allclose(joints[:, 0, :2].mean(0), 0, atol=1e-5)
    assert np.mean(joints[..., 2].min(1) < 0) == pytest.approx(0.05, abs=0.011)


@pytest.mark.parametrize("number", range(4))
def test_2d_is_the_projection_of_the_world(number):
    """World joints through rotation, centre and focal length, frame by frame, against a held-out camera's windows."""
    walk, camera = clip("abc"), STUDIO[number]
    cameras = [*(one for one in STUDIO if one is not camera), camera]
    held_out = FilmedClips([walk], cameras, 9, (0.04, 0.04), 25.0, hold_out="sequences", validation_every=4).validation(
        every=1
    )
    seen = (on_the_floor(walk).joints_world_m - camera.centre_world_m) @ camera.rotation_world_to_camera.T
    expected = camera.focal * seen[..., :2] / seen[..., 2:]
    for frame in (20, 50):
        window = slice(frame - 8, frame + 9, 2)  # 25 Hz out of 50 Hz
        np.testing.assert_allclose(held_out.keypoints[frame].numpy(), expected[window], atol=1e-5)
        relative = seen[frame] - seen[frame, :1]
        np.testing.assert_allclose(held_out.middle_pose_m[frame].numpy(), relative, atol=1e-5)


LENSES = [dataclasses.replace(camera, focal=float(i + 1)) for i, camera in enumerate(STUDIO)]
"""The same four, told apart by their focal lengths."""


def test_held_out_sequences_are_not_trained_on():
    """One clip: three cameras train, the fourth validates."""
    source = FilmedClips([clip("only")], LENSES, 9, (0.04, 0.04), 25.0, hold_out="sequences", validation_every=4)
    assert set(source.sample(1000, torch.Generator().manual_seed(0)).focal.tolist()) == {1.0, 2.0, 3.0}
    assert source.validation(every=1).focal.tolist() == [4.0] * 100


@pytest.mark.parametrize(("count", "held_out"), [(2, [1]), (9, [8]), (10, [9]), (25, [9, 19])])
def test_held_out_clips_are_trained_on_through_no_camera(count, held_out):
    """Each is a person who stands still, known by the length of the right thigh, which no mirror and camera changes."""
    pose = STANDING.astype(np.float32)
    sizes = torch.arange(count) * 0.05 + 1
    clips = [MotionClip(f"c{i}", np.repeat(float(size) * pose[None], 100, 0), 50.0) for i, size in enumerate(sizes)]
    thighs_m = sizes * float(np.linalg.norm(pose[2] - pose[1]))

    def clips_of(windows):
        thigh = (windows.middle_pose_m[:, 2] - windows.middle_pose_m[:, 1]).norm(dim=-1)
        return set((thigh[:, None] - thighs_m).abs().argmin(1).tolist())

    source = FilmedClips(clips, LENSES, 9, (0.04, 0.04), 25.0)
    drawn, validation = source.sample(4000, torch.Generator().manual_seed(0)), source.validation(every=1)
    assert clips_of(validation) == set(held_out)
    assert clips_of(drawn) == set(range(count)) - set(held_out)
    assert set(validation.focal.tolist()) == set(drawn.focal.tolist()) == {1.0, 2.0, 3.0, 4.0}


def test_one_clip_alone_can_not_be_split():
    with pytest.raises(BadMotion):
        FilmedClips([clip("only")], LENSES, 9, (0.04, 0.04), 25.0)


def test_half_of_the_windows_are_mirrored():
    """The person walks along +x; mirrored, along -x. Turned back to the world by each camera's rotation."""
    source = FilmedClips([clip("walk"), clip("walks")], LENSES, 9, (0.04, 0.04), 25.0)
    drawn = source.sample(4000, torch.Generator().manual_seed(1))
    rotations = torch.from_numpy(np.stack([camera.rotation_world_to_camera for camera in LENSES])).float()
    path = drawn.joints_m[:, -1, 0] - drawn.joints_m[:, 0, 0]
    along_x = torch.einsum("bji,bj->bi", rotations[drawn.focal.long() - 1], path)[:, 0]
    assert (along_x < -0.1).float().mean() == pytest.approx(0.5, abs=0.04)
    assert (along_x > 0.1).float().mean() == pytest.approx(0.5, abs=0.04)
