"""What moves by itself while the camera pans: on drawn images, where the answer is known."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from sdk.detectors.movenet.panned_scene import COMPARED_IMAGES, PannedScene
from sdk.detectors.movenet.scene_change import LONGEST_SHARE, MOST_ALONE, Scene

SIZE = (720, 1280)
CELLS = (54, 96)
CELL = 1280 / 96
NOBODY = np.zeros((0, 4), np.float32)
PeopleAt = Callable[[int], tuple[tuple[float, float], ...]]
"""Where people are in image t."""
_BLOTCHES = np.random.default_rng(1).uniform(60, 200, (20, 60)).repeat(40, 0).repeat(40, 1)
_SOFT = cv2.GaussianBlur(_BLOTCHES, (0, 0), 2)


def view(
    t: int,
    *,
    people: tuple[tuple[float, float], ...] = (),
    pan: tuple[int, int] = (9, 2),
    scene: np.ndarray | None = None,
) -> np.ndarray:
    """The scene in image `t`, with bright people of 60 x 24 pixels at x, y of the image."""
    right, down = (step * t for step in pan)
    image = (_SOFT if scene is None else scene)[down : down + SIZE[0], right : right + SIZE[1]].copy()
    for x, y in people:
        image[round(y) : round(y) + 60, round(x) : round(x) + 24] = 250
    return image[..., None].repeat(3, 2).astype(np.uint8)


def moved_alone(views: list[np.ndarray], covered: np.ndarray | None = None) -> np.ndarray:
    """Which cells moved by themselves in the last image."""
    covered = np.zeros(CELLS, bool) if covered is None else covered
    scene, alone = PannedScene(), covered
    for one in views:
        scene, alone = scene.after(one, covered)
    return alone


def walking(t: int) -> tuple[float, float]:
    """Who walks to the right while the scene moves to the left."""
    return 500 - 9 * t + 5 * t, 300 - 2 * t


def test_who_walks_stands_out_where_they_are_and_were() -> None:
    images = COMPARED_IMAGES + 3
    alone = moved_alone([view(t, people=(walking(t),)) for t in range(images)])
    rows, columns = np.nonzero(alone)
    x, y = walking(images - 1)
    assert alone[int((y + 30) / CELL), int((x + 12) / CELL)]
    assert (np.abs((columns + 0.5) * CELL - (x + 12)) < 12 + 5 * COMPARED_IMAGES + 2 * CELL).all()
    assert (np.abs((rows + 0.5) * CELL - (y + 30)) < 30 + 2 * CELL).all()


@pytest.mark.parametrize("pan", [(9, 2), (0, 0), (4, 0), (13, 2)])
def test_what_moves_with_the_scene_does_not(pan: tuple[int, int]) -> None:
    images = range(20, 21 + COMPARED_IMAGES)
    views = [view(t, people=((900 - pan[0] * t, 300 - pan[1] * t),), pan=pan) for t in images]
    assert moved_alone(views).mean() < 0.001


def test_nothing_is_told_before_there_is_an_image_to_compare_with() -> None:
    views = [view(t, people=(walking(4 * t),)) for t in range(COMPARED_IMAGES + 1)]
    assert not moved_alone(views[:-1]).any()
    assert moved_alone(views).any()


def test_of_a_scene_that_is_too_smooth_for_a_shift_nothing_is_told() -> None:
    smooth = cv2.GaussianBlur(_BLOTCHES, (0, 0), 8)
    assert not moved_alone([view(t, people=(walking(t),), scene=smooth) for t in range(COMPARED_IMAGES + 3)]).any()


def test_who_is_followed_does_not_stand_out() -> None:
    covered = np.zeros(CELLS, bool)
    covered[:, : CELLS[1] * 2 // 3] = True
    assert not moved_alone([view(t, people=(walking(t),)) for t in range(COMPARED_IMAGES + 3)], covered).any()


def test_another_image_size_begins_anew() -> None:
    scene = PannedScene()
    for t in range(COMPARED_IMAGES):
        scene, _ = scene.after(view(t), np.zeros(CELLS, bool))
    scene, alone = scene.after(np.zeros((1280, 720, 3), np.uint8), np.zeros(CELLS[::-1], bool))
    assert alone.shape == CELLS[::-1]
    assert len(scene.images) == 1


def test_what_is_kept_is_not_changed() -> None:
    """OpenCV's phase correlation multiplies the images that it is given."""
    scene = PannedScene()
    for t in range(COMPARED_IMAGES):
        scene, _ = scene.after(view(t), np.zeros(CELLS, bool))
    before = [image.copy() for image in scene.images]
    scene.after(view(COMPARED_IMAGES), np.zeros(CELLS, bool))
    for image, copy in zip(scene.images, before, strict=True):
        np.testing.assert_array_equal(image, copy)


def test_a_small_image_tells_nothing() -> None:
    """A strip of 1280 x 90 pixels has too few rows for a shift."""
    scene, covered = PannedScene(), np.zeros((7, 96), bool)
    for t in range(COMPARED_IMAGES + 2):
        scene, alone = scene.after(view(t, people=(walking(t),))[270:360], covered)
        assert not alone.any()


def test_the_search_is_pointed_at_who_walks_while_the_camera_pans() -> None:
    scene = Scene.begin(view(0), NOBODY, 0)
    found = 0
    for t in range(1, 40):
        person = walking(t)
        scene = scene.after(view(t, people=(person,)), NOBODY, t)
        if t > 2 * COMPARED_IMAGES:
            assert scene.is_moving(t)
            assert len(scene.places) < 8
            places = [place.box for place in scene.places]
            found += any(
                left - CELL <= person[0] + 12 <= right + CELL and top - CELL <= person[1] + 30 <= bottom + CELL
                for left, top, right, bottom in places
            )
            assert all(max(x1 - x0, y1 - y0) < LONGEST_SHARE * SIZE[1] for x0, y0, x1, y1 in places)
    assert found >= 15


def panned(people_at: PeopleAt, images: int = 40) -> list[Scene]:
    """Scenes of a pan with these people in image t."""
    scene, scenes = Scene.begin(view(0, people=people_at(0)), NOBODY, 0), []
    for t in range(1, images):
        scene = scene.after(view(t, people=people_at(t)), NOBODY, t)
        scenes.append(scene)
    return scenes


def test_a_crowd_that_is_one_large_place_is_taken_apart() -> None:
    """Twelve who walk side by side: no place is as large as the crowd, and most of them are in one."""
    crowd = panned(lambda t: tuple((100 + 90 * i - 4 * t, 300 - 2 * t) for i in range(12)))[-1]
    assert crowd.is_moving(39)
    assert len(crowd.places) >= 6
    assert all(place.wide < SIZE[1] for place in crowd.places)


def test_what_fills_the_image_is_left_to_its_own_turn() -> None:
    """A wall of 400 pixels that moves by itself: seen in the whole image."""
    wall = panned(lambda t: tuple((400 - 4 * t + 24 * i, 100 + 60 * j) for i in range(16) for j in range(7)))[-1]
    assert all(place.wide < SIZE[1] for place in wall.places)


def test_brightness_of_the_whole_image_is_no_movement() -> None:
    views = [np.clip(view(t) + 1.5 * t, 0, 255).astype(np.uint8) for t in range(COMPARED_IMAGES + 1)]
    assert moved_alone(views).mean() < 0.001


def test_what_a_followed_person_uncovers_does_not_stand_out() -> None:
    """They leave their box: what was behind them is no change of the scene."""
    scene, alone = PannedScene(), np.zeros(CELLS, bool)
    for t in range(COMPARED_IMAGES + 1):
        x, y = walking(t) if t == 0 else (-200, 0)
        covered = np.zeros(CELLS, bool)
        if t == 0:
            covered[int((y - 20) / CELL) : int((y + 80) / CELL), int((x - 20) / CELL) : int((x + 60) / CELL)] = True
        scene, alone = scene.after(view(t, people=((x, y),) if t == 0 else ()), covered)
    assert alone.mean() < 0.001


def test_until_there_is_an_image_to_compare_with_the_reference_tells() -> None:
    """Who appears in the fifth image after the pan began stands out against the scene before."""
    scene = Scene.begin(view(0), NOBODY, 0)
    scene = scene.after(view(60), NOBODY, 1)  # a cut: the camera is taken as moving
    assert scene.is_moving(1)
    scene = scene.after(view(60, people=((600, 300),)), NOBODY, 2)
    assert any(
        left <= 612 <= right and top <= 330 <= bottom for left, top, right, bottom in (p.box for p in scene.places)
    )


def test_hundreds_of_swaying_leaves_are_not_all_told_apart() -> None:
    random = np.random.default_rng(3)
    leaves = [(float(x), float(y)) for x, y in random.uniform((0, 0), (1250, 650), (300, 2))]

    def swaying(t: int) -> tuple[tuple[float, float], ...]:
        return tuple((max(x - 9 * t % 7, 0.0), max(y - 5 * (t // 3) % 11, 0.0)) for x, y in leaves)

    assert all(len(scene.places) <= MOST_ALONE for scene in panned(swaying, 30)[2 * COMPARED_IMAGES :])
