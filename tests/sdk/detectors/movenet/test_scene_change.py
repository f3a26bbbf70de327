"""Where a scene has changed: on drawn images, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.detectors.movenet.scene_change import (
    CHANGED_LEVELS,
    CLOSEST_PX,
    FRESH_IMAGES,
    MOVING_IMAGES,
    NARROW,
    Scene,
    small_grey,
)

NOBODY = np.zeros((0, 4), np.float32)
SIZE = (720, 1280)


def image(*boxes: tuple[int, int, int, int], seed: int = 0, noise: float = 4.0, light: float = 0.0) -> np.ndarray:
    """A noisy grey scene with darker boxes: left, top, right, bottom."""
    random = np.random.default_rng(seed)
    view = np.full((*SIZE, 1), 128 + light) + random.normal(0, noise, SIZE)[..., None].repeat(3, 2)
    for left, top, right, bottom in boxes:
        view[top:bottom, left:right] -= 50
    return np.clip(view, 0, 255).astype(np.uint8)


def textured(shift: int) -> np.ndarray:
    """A part of a blotched scene, from a column on."""
    blotches = np.random.default_rng(1).uniform(40, 220, (18, 60)).repeat(40, 0).repeat(40, 1)
    return np.repeat(blotches[:, shift : shift + SIZE[1], None], 3, 2).astype(np.uint8)


def after(scene: Scene, views: list[np.ndarray], start: int = 1, bodies: np.ndarray = NOBODY) -> Scene:
    for number, view in enumerate(views, start=start):
        scene = scene.after(view, bodies, number)
    return scene


def test_the_grey_copy_is_the_mean_of_each_cell() -> None:
    view = np.zeros((540, 960, 3), np.uint8)
    view[100:110, 200:210] = 200  # one cell of 10 x 10 pixels
    expected = np.zeros((54, 96), np.float32)
    expected[10, 20] = 200
    np.testing.assert_allclose(small_grey(view), expected, atol=1)
    assert small_grey(np.zeros((1920, 1080, 3), np.uint8)).shape == (96, 54)


def test_noise_is_no_change() -> None:
    scene = after(Scene.begin(image(), NOBODY, 0), [image(seed=n, noise=8) for n in range(1, 8)])
    assert scene.places == ()


def test_a_person_of_32_pixels_is_a_change_where_they_are() -> None:
    person = (1000, 300, 1012, 332)
    scene = after(Scene.begin(image(), NOBODY, 0), [image(person, seed=1)])
    assert len(scene.places) == 1
    box, cell = scene.places[0].box, 1280 / 96
    assert np.abs(np.array(box) - person).max() <= 1.5 * cell
    assert scene.places[0].narrow == CLOSEST_PX
    assert scene.places[0].wide < 384
    assert scene.places[0].fresh


def test_the_square_grows_with_the_change() -> None:
    scene = after(Scene.begin(image(), NOBODY, 0), [image((900, 200, 1000, 500), seed=1)])
    assert scene.places[0].narrow == pytest.approx(NARROW * 300, rel=0.1)


def test_brightness_of_the_whole_image_is_no_change() -> None:
    scene = after(Scene.begin(image(), NOBODY, 0), [image(seed=1, light=3 * CHANGED_LEVELS)])
    assert scene.places == ()
    assert not scene.is_moving(1)


def test_who_is_followed_explains_changes_where_they_are_and_where_they_were() -> None:
    scene = Scene.begin(image((100, 300, 160, 480)), np.array([[80, 280, 180, 500]]), 0)
    for number in range(1, 10):
        left = 100 + 30 * number
        body = np.array([[left - 20, 280, left + 80, 500]])
        scene = scene.after(image((left, 300, left + 60, 480), seed=number), body, number)
        assert scene.places == ()
    lost = after(scene, [image((left + 150, 300, left + 210, 480))], start=10)  # no longer followed, and walks on
    assert any(place.box[0] <= left + 160 <= place.box[2] for place in lost.places)


def test_a_place_that_was_looked_at_is_known_until_it_changes_again() -> None:
    chair, later = (1000, 300, 1040, 380), (1000, 300, 1040, 460)
    scene = after(Scene.begin(image(), NOBODY, 0), [image(chair, seed=1)])
    far = scene.looked_at((0, 0, 384), 1)
    assert len(far.places) == 1
    scene = scene.looked_at((900, 200, 256), 1)
    assert scene.places == ()
    assert after(scene, [image(chair, seed=2)], start=2).places == ()
    again = after(scene, [image(later, seed=3)], start=3)
    assert len(again.places) == 1


def test_a_small_place_is_not_seen_in_a_large_square() -> None:
    """The finder would get 32 pixels as 10."""
    scene = after(Scene.begin(image(), NOBODY, 0), [image((1000, 300, 1012, 332), seed=1)])
    assert len(scene.looked_at((0, 0, 1280), 1).places) == 1


def test_what_changes_for_ever_is_no_news_and_waits_for_its_turn() -> None:
    tree, other = (1000, 300, 1060, 380), (300, 300, 360, 380)
    scene, swaying = Scene.begin(image(), NOBODY, 0), [image(tree), image()]
    fresh = []
    for number in range(1, 40):
        scene = scene.after(swaying[number % 2], NOBODY, number)
        if scene.places:
            fresh.append(scene.places[0].fresh)
            scene = scene.looked_at((900, 200, 256), number)
    assert len(fresh) > 10
    assert not any(fresh[1:])
    scene = scene.after(image(tree, other), NOBODY, 41)
    assert [place.fresh for place in scene.places] == [True, False]
    assert scene.places[0].box[0] < 640  # what is new comes before the tree
    scene = scene.after(image(tree, other), NOBODY, 40 + FRESH_IMAGES)
    assert all(place.fresh for place in scene.places)


def test_a_camera_that_pans_moves_and_points_nowhere() -> None:
    scene = Scene.begin(textured(0), NOBODY, 0)
    scene = after(scene, [textured(12 * n) for n in range(1, 20)])
    assert scene.is_moving(19)
    assert scene.places == ()
    still = after(scene, [textured(12 * 19)] * MOVING_IMAGES, start=20)
    assert not still.is_moving(19 + MOVING_IMAGES)
    assert still.places == ()


def test_plain_squares_show_nobody_but_who_is_followed() -> None:
    view = image((300, 100, 400, 400), (1000, 300, 1012, 332))
    scene = Scene.begin(view, np.array([[280, 80, 420, 420]]), 0)
    assert scene.is_plain((200, 50, 384), SIZE)
    assert not scene.is_plain((860, 200, 384), SIZE)
    assert not Scene.begin(view, NOBODY, 0).is_plain((200, 50, 384), SIZE)


def test_another_image_size_is_another_scene() -> None:
    scene = after(Scene.begin(image(), NOBODY, 0), [np.zeros((1280, 720, 3), np.uint8)])
    assert scene.grey.shape == (96, 54)
    assert scene.is_moving(1)


def test_a_scene_is_a_value() -> None:
    """Two images of a pair start from the same one."""
    scene = Scene.begin(image(), NOBODY, 0)
    kept = [scene.grey.copy(), scene.reference.copy(), scene.looked.copy()]
    for _ in range(2):
        then = scene.after(image((1000, 300, 1060, 380)), np.array([[80, 280, 180, 500]]), 1)
        assert len(then.places) == 1
        then.looked_at((900, 200, 256), 1)
    for before, now in zip(kept, (scene.grey, scene.reference, scene.looked), strict=True):
        np.testing.assert_array_equal(before, now)
