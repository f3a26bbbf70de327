"""How the viewer draws feet, spread and floor, without a browser."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from demos.viewer import ANKLE_HEIGHT_M, FAINTEST, SURE_M, UNSURE_M, Figure, brightness, place
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.sdk.writers.walking import person, rigid_pose, with_feet

SHAPE = (480, 640, 3)


class Scene:
    """Keeps what was drawn last, by its name."""

    def __init__(self) -> None:
        self.drawn: dict[str, tuple[Any, ...]] = {}

    def add_label(self, name: str, text: str) -> SimpleNamespace:
        return SimpleNamespace(position=None, remove=lambda: None)

    def add_line_segments(self, name: str, points: np.ndarray, colours: np.ndarray, **_: object) -> SimpleNamespace:
        self.drawn[name.split("/")[-1]] = (points, colours)
        return SimpleNamespace(remove=lambda: None)

    def add_point_cloud(self, name: str, points: np.ndarray, colours: np.ndarray, **_: object) -> SimpleNamespace:
        self.drawn[name.split("/")[-1]] = (points, colours)
        return SimpleNamespace(remove=lambda: None)


@pytest.mark.parametrize("skeleton", [H36M16, H36M20])
def test_every_joint_and_bone_is_drawn(skeleton):
    pose = rigid_pose(1) if skeleton is H36M16 else with_feet(rigid_pose(1))
    scene, someone = Scene(), person(1, pose)
    figure = Figure(scene, 1)
    figure.take(place(someone, SHAPE), 0.0, brightness(someone))
    figure.draw()
    points, colours = scene.drawn["joints"]
    assert len(points) == len(colours) == len(skeleton)
    bones, _ = scene.drawn["bones"]
    assert len(bones) == len(skeleton.bones)
    a, b = skeleton.bones[-1]
    np.testing.assert_allclose(bones[-1], points[[a, b]], atol=1e-6)


def test_unsure_limbs_are_faint():
    pose = with_feet(rigid_pose(1))
    spread = np.full((20, 3), SURE_M / 2, np.float32)
    wrist, elbow = H36M20.index("left_wrist"), H36M20.index("left_elbow")
    spread[wrist] = UNSURE_M
    someone = replace(person(1, pose), deviations_m=spread)
    bright = brightness(someone)
    assert bright[wrist] == pytest.approx(FAINTEST)
    assert bright[elbow] == 1
    assert (brightness(person(1, pose)) == 1).all()
    scene = Scene()
    figure = Figure(scene, 1)
    figure.take(place(someone, SHAPE), 0.0, bright)
    figure.draw()
    colours = scene.drawn["bones"][1].sum((1, 2)).astype(float)
    here, before = (H36M20.bones.index(bone) for bone in ((elbow, wrist), (H36M20.index("left_shoulder"), elbow)))
    assert colours[here] < 0.3 * colours[before]


def test_upright_people_stand_on_their_floor_and_jump_off_it():
    pose = with_feet(rigid_pose(1))
    below = float(pose[:, 1].max())
    assert place(person(1, pose), SHAPE)[:, 1].max() == pytest.approx(0, abs=1e-6)
    assert place(person(1, rigid_pose(1)), SHAPE)[:, 1].max() == pytest.approx(-ANKLE_HEIGHT_M, abs=1e-6)
    jumps = replace(person(1, pose), floor_m=below + 0.4)
    assert place(jumps, SHAPE)[:, 1].max() == pytest.approx(-0.4, abs=1e-6)
