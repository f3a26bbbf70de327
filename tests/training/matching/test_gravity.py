"""The vertical of a track, and what is turned about it, against SciPy and against people whose camera is known."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from tests.training.motion.clips import STANDING
from tests.training.toy_gap import film_target, target_keypoints
from training.cameras.random_cameras import CameraRanges, film
from training.geometry.camera import camera_rotation, project
from training.lifter.lifter import LifterOutputs, TemporalLifter
from training.lifter.mirrored_lifter import MirroredLifter
from training.matching.gravity import (
    FEWEST_FEET,
    FRAMES_A_TRACK,
    _usual_direction,
    body_up,
    floor_up,
    matching_yaw,
    rotation_between,
    tracks_up,
)
from training.target.target_windows import TargetSequence, TargetWindows

Z = torch.tensor([0.0, 0.0, 1.0])


def directions(count, seed):
    return torch.nn.functional.normalize(
        torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), dim=-1
    )


def test_a_standing_person_points_up_whatever_the_camera():
    rotation = camera_rotation(torch.tensor([0.4, 2.0]), torch.tensor([0.3, -0.2]), torch.tensor([0.1, 1.5]))
    poses = torch.from_numpy(STANDING) @ rotation.mT
    torch.testing.assert_close(body_up(poses), rotation[..., 2], atol=1e-6, rtol=0)


def test_cameras_say_where_up_is():
    windows = film(torch.from_numpy(STANDING).expand(50, 9, 16, 3), CameraRanges(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(body_up(windows.middle_pose_m), windows.up, atol=1e-6, rtol=0)


@pytest.mark.parametrize("upside_down", [0.0, 0.25])
def test_a_tracks_vertical_is_what_its_frames_usually_say(upside_down):
    """One camera a track; people sway by 15 degrees a frame, and some frames are lifted upside down."""
    random = np.random.default_rng(1)
    up = Rotation.from_euler("xyz", random.uniform(-0.5, 0.5, (6, 3)))

    class Swaying(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.anything = torch.nn.Parameter(torch.zeros(1))

        def forward(self, keypoints):
            track = rows.pop(0)
            sway = Rotation.from_rotvec(random.normal(0, np.radians(15), (len(track), 3)))
            turned = random.random(len(track)) < upside_down
            flipped = Rotation.from_rotvec(np.where(turned[:, None], [np.pi, 0, 0], [0, 0, 0]))
            whole = up[track] * sway * flipped
            return torch.from_numpy(np.einsum("nij,kj->nki", whole.as_matrix(), STANDING)).float()

    windows = target_keypoints(film_target(6 * 40, seed=0))
    windows.sequence = torch.arange(6).repeat_interleave(len(windows) // 6)
    rows = [np.repeat(np.arange(6), FRAMES_A_TRACK)]
    found = tracks_up(Swaying(), windows)
    off = np.degrees(np.arccos(np.clip((found.numpy() * (up.as_matrix() @ [0, 0, 1])).sum(-1), -1, 1)))
    assert off.max() < 7


@pytest.mark.parametrize("in_pairs", [False, True])
def test_a_lifter_that_tells_up_is_believed_before_bodies(in_pairs, monkeypatch):
    """Where no floor is found. Its frames differ; the usual one counts."""
    lifter = TemporalLifter((3, 3), 8, 20, 3, 0.0, "person", tells_more=True).eval()
    windows = target_keypoints(film_target(3, seed=4))
    told = torch.nn.functional.normalize(torch.tensor([0.3, -1.0, 0.2]), dim=0)

    def outputs(shown):
        up = 2.0 * told.repeat(len(shown), 1)
        up[::3] = torch.tensor([1.0, 0.0, 0.0])
        return LifterOutputs(torch.zeros(len(shown), 20, 3), *[torch.zeros(len(shown), 1)] * 4)._replace(up=up)

    monkeypatch.setattr(lifter, "outputs", outputs)
    monkeypatch.setattr("training.matching.gravity.floor_up", lambda *_: None)
    sequences = []
    for one in range(3):
        keypoints = windows.keypoints[windows.sequence == one].numpy()
        scores = np.ones(keypoints.shape[:2], np.float32)
        sequences.append(TargetSequence(str(one), keypoints, scores, 1.0).of_joints(20))
    padded = TargetWindows(sequences, 9)
    found = tracks_up(MirroredLifter(lifter) if in_pairs else lifter, padded)
    assert (found @ told > 0.98).all()


def test_the_smallest_rotation_between_two_directions():
    start, end = directions(40, 0), directions(40, 1)
    start[-1], end[-2] = end[-1], -start[-2]  # the same, and opposite
    rotation = rotation_between(start, end)
    torch.testing.assert_close((rotation @ start[..., None])[..., 0], end)
    angle = Rotation.from_matrix(rotation.numpy()).magnitude()
    np.testing.assert_allclose(angle, np.arccos(np.clip((start * end).sum(-1).numpy(), -1, 1)), atol=1e-6)


def test_the_yaw_between_two_people_whatever_they_lean():
    """0.6 rad to the left about up; seen from below, it would be -0.6."""
    up = directions(30, 2)
    poses = torch.randn(30, 7, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    turn = torch.from_numpy(Rotation.from_rotvec(0.6 * up.numpy()).as_matrix())
    yaw = matching_yaw(poses, poses @ turn.mT, up)
    torch.testing.assert_close(yaw, torch.full_like(yaw, 0.6))
    squeezed = poses - 0.7 * (poses * up[:, None]).sum(-1, keepdim=True) * up[:, None]
    torch.testing.assert_close(matching_yaw(squeezed, poses @ turn.mT, up), yaw)


class TestFloor:
    """Somebody walks about in front of a camera of 1.44 half image widths that looks down by 20 degrees."""

    FOCAL = 1.44

    def walk(self, size_m, lean_deg=0.0, jumps=0.0):
        """Poses and keypoints of 300 frames, and up; the poses as a lifter says them that lets people lean."""
        random = np.random.default_rng(0)
        rotation = camera_rotation(torch.tensor([0.0]), torch.tensor([math.radians(20)]), torch.tensor([0.05]))[0]
        places = random.uniform(-1, 1, (300, 3)) * size_m * [1, 1, 0]
        places[:, 2] = (random.random(300) < jumps) * 0.4
        turned = Rotation.from_euler("z", random.uniform(-np.pi, np.pi, (300, 1))).as_matrix()
        swing = STANDING + random.normal(0, 0.02, (300, 16, 3))
        world = torch.from_numpy(np.einsum("nij,nkj->nki", turned, swing) + places[:, None]).float()
        joints = world @ rotation.T + torch.tensor([0.0, 0.0, 5.0])
        keypoints = project(joints, torch.full((300,), self.FOCAL))
        lean = torch.from_numpy(Rotation.from_euler("x", lean_deg, degrees=True).as_matrix()).float()
        return (joints - joints[:, :1]) @ lean.T, keypoints, rotation[:, 2]

    def off_deg(self, found, up):
        return math.degrees(math.acos(float((found * up).sum().clamp(-1, 1))))

    def test_it_is_found_below_people_who_seem_to_lean(self):
        poses, keypoints, up = self.walk(1.2, lean_deg=8.0)
        leaning = _usual_direction(body_up(poses))
        assert self.off_deg(leaning, up) > 6
        assert self.off_deg(floor_up(poses, keypoints, leaning, self.FOCAL), up) < 2

    def test_feet_in_the_air_do_not_tilt_it(self):
        poses, keypoints, up = self.walk(1.2, jumps=0.25)
        assert self.off_deg(floor_up(poses, keypoints, up, self.FOCAL), up) < 3

    @pytest.mark.parametrize("size_m", [0.0, 0.2])
    def test_who_stays_in_one_place_shows_none(self, size_m):
        poses, keypoints, up = self.walk(size_m)
        assert floor_up(poses, keypoints, up, self.FOCAL) is None

    def test_steep_floors_are_none(self):
        poses, keypoints, up = self.walk(1.2)
        aside = torch.nn.functional.normalize(up + torch.tensor([1.5, 0.0, 0.0]), dim=0)
        assert floor_up(poses, keypoints, aside, self.FOCAL) is None

    def test_few_frames_are_none(self):
        poses, keypoints, up = self.walk(1.2)
        few = FEWEST_FEET - 1
        assert floor_up(poses[:few], keypoints[:few], up, self.FOCAL) is None

    def test_a_tracks_vertical_is_the_floors(self):
        poses, keypoints, up = self.walk(1.2, lean_deg=8.0)

        class Leaning(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.anything = torch.nn.Parameter(torch.zeros(1))

            def forward(self, windows):
                return poses[: len(windows)]

        sequence = TargetSequence("a", keypoints.numpy(), np.ones((300, 16), np.float32), 1.0)
        found = tracks_up(Leaning(), TargetWindows([sequence], 9))[0]
        assert self.off_deg(found, up) < 2
