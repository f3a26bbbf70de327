"""Feet for motion that has none: learned from legs, drawn with their spread, and in the right place."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.training.motion.clips import STANDING, moving_clip
from tests.training.motion.test_feet import feet_of
from training.files.tensor_file import save_atomically
from training.motion.drawn_feet import FootNetwork, fit_feet, load_feet, save_feet, shipped_feet, with_drawn_feet
from training.motion.feet import with_feet
from training.motion.motion_clip import MotionClip

HEELS = [H36M20.index(f"{side}_heel") for side in ("left", "right")]
TOES = [H36M20.index(f"{side}_toe") for side in ("left", "right")]


def standing_clip(turn_rad=0.0, frames=60):
    """The standing person, turned about the vertical."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turned = STANDING @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
    return MotionClip("a", np.repeat(turned[None], frames, 0).astype(np.float32), 50.0)


def exactly(network):
    """The same network without spread: every foot is the usual one."""
    copy = FootNetwork()
    copy.load_state_dict(network.state_dict() | {"spread_rad": torch.zeros(3, 3)})
    copy.lengths[1] = 0
    return copy.eval()


@pytest.mark.parametrize("turn_rad", [0.0, 2.0])
def test_toes_of_who_stands_point_to_the_front_and_feet_lie_on_the_floor(turn_rad):
    clip = standing_clip(turn_rad)
    (shod,) = with_drawn_feet([clip], 0, exactly(shipped_feet()))
    forward = np.array([-np.sin(turn_rad), np.cos(turn_rad), 0])  # who is not turned faces y
    soles = shod.joints_world_m[:, TOES] - shod.joints_world_m[:, HEELS]
    assert (soles @ forward / np.linalg.norm(soles, axis=-1) > 0.85).all()
    assert (np.linalg.norm(soles, axis=-1) > 0.15).all()
    assert (np.linalg.norm(soles, axis=-1) < 0.35).all()
    height = shod.joints_world_m[:, [*HEELS, *TOES], 2]
    assert (height < 0.08).all()
    assert (height > -0.06).all()
    np.testing.assert_array_equal(shod.joints_world_m[:, : len(H36M16)], clip.joints_world_m)


def test_left_and_right_are_mirror_images():
    (shod,) = with_drawn_feet([standing_clip()], 0, exactly(shipped_feet()))
    left, right = ([H36M20.index(f"{side}_{part}") for part in ("heel", "toe")] for side in ("left", "right"))
    mirror = shod.joints_world_m[:, left] * [-1, 1, 1]
    np.testing.assert_allclose(mirror, shod.joints_world_m[:, right], atol=1e-5)


def test_feet_differ_between_clips_as_their_seed_says():
    clips = [standing_clip(), dataclasses.replace(standing_clip(), name="b")]
    first, second = with_drawn_feet(clips, 0)
    again = with_drawn_feet(clips, 0)[0]
    other = with_drawn_feet(clips, 1)[0]
    np.testing.assert_array_equal(first.joints_world_m, again.joints_world_m)
    for one in (second, other):
        assert np.abs(first.joints_world_m - one.joints_world_m)[:, TOES].max() > 0.005


def test_a_foot_is_rigid_and_who_has_feet_keeps_them(tmp_path):
    clip = moving_clip("02_01", 60, 50.0, 0.0)
    np.savez(tmp_path / "feet.npz", **{clip.name: feet_of(clip)})
    (own,) = with_feet([clip], tmp_path / "feet.npz")
    drawn, kept = with_drawn_feet([clip, own], 0)
    assert kept is own
    ankles = [H36M20.index(f"{side}_ankle") for side in ("left", "right")]
    for part in (HEELS, TOES):
        lengths = np.linalg.norm(drawn.joints_world_m[:, part] - drawn.joints_world_m[:, ankles], axis=-1)
        np.testing.assert_allclose(lengths, lengths[:1].repeat(len(lengths), 0), rtol=1e-4)


def test_the_usual_foot_is_learned_from_motion_with_feet(tmp_path):
    plain = [standing_clip(turn, 40) for turn in (0.0, 1.0, 2.5, 4.0)]
    plain = [dataclasses.replace(clip, name=f"0{i % 2}_{i}") for i, clip in enumerate(plain)]
    arrays = {}
    for i, clip in enumerate(plain):
        turn = (0.0, 1.0, 2.5, 4.0)[i]
        flat = feet_of(dataclasses.replace(clip, joints_world_m=np.zeros_like(clip.joints_world_m)))
        cos, sin = np.cos(turn), np.sin(turn)
        ankles = clip.joints_world_m[:, [H36M16.index("left_ankle"), H36M16.index("right_ankle")] * 2]
        arrays[clip.name] = (flat @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) + ankles).astype(np.float32)
    np.savez(tmp_path / "feet.npz", **arrays)
    network = fit_feet(with_feet(plain, tmp_path / "feet.npz"), seed=0, steps=200)
    assert (network.spread_rad < 0.05).all()  # everybody stands alike
    (shod,) = with_drawn_feet([standing_clip(5.0)], 0, exactly(network))
    soles = (shod.joints_world_m[:, TOES] - shod.joints_world_m[:, HEELS])[0]
    forward = np.array([-np.sin(5.0), np.cos(5.0), 0])
    assert (soles @ forward / np.linalg.norm(soles, axis=-1) > 0.97).all()


class TestFile:
    def test_reads_what_was_written(self, tmp_path):
        save_feet(shipped_feet(), tmp_path / "feet.pt")
        again = load_feet(tmp_path / "feet.pt")
        for name, value in shipped_feet().state_dict().items():
            torch.testing.assert_close(again.state_dict()[name], value)

    @pytest.mark.parametrize(
        "content",
        [
            {"card": {"format": 9}, "weights": {}},
            {"card": 1, "weights": {}},
            {"card": {"format": 1}, "weights": {"layers": 3}},
            {"card": {"format": 1}, "weights": {}},
        ],
    )
    def test_another_file_is_refused(self, tmp_path, content):
        save_atomically(content, tmp_path / "feet.pt")
        with pytest.raises(BadModelFile, match=r"feet\.pt"):
            load_feet(tmp_path / "feet.pt")
