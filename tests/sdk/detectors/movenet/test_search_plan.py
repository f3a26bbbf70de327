"""Where the search looks next, and for how much work: on drawn scenes, without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sdk.detectors.movenet.scene_change import MOVING_IMAGES
from sdk.detectors.movenet.search_plan import (
    FIND_COST,
    QUIET_SHARE,
    SEARCH_SHARE,
    TILE_PX,
    SearchPlan,
    Square,
    tiles_of,
)

SIZE = (720, 1280)
BODY = np.array([[100, 100, 300, 600]], np.float32)
TEXTURE = np.random.default_rng(0).integers(60, 180, (*SIZE, 1), np.uint8).repeat(3, 2)
TEXTURE = TEXTURE[::40, ::40].repeat(40, 0).repeat(40, 1)[: SIZE[0], : SIZE[1]]


def with_person(place: tuple[int, int], side: int = 60) -> np.ndarray:
    view = TEXTURE.copy()
    view[place[1] : place[1] + side, place[0] : place[0] + side] = 250
    return view


def looks(
    plan: SearchPlan, views: list[np.ndarray], newly_lost: int = -1, work: float = 1.0
) -> tuple[list[Square | None], SearchPlan]:
    """What is searched, whenever the work for it is saved up."""
    done = []
    for view in views:
        plan = plan.after(view, BODY, work, plan.number == newly_lost)
        square, searched = plan.next_look(*SIZE)
        cost = FIND_COST * (TILE_PX**2 if square else 224 * 384)
        if plan.credit >= cost:
            plan = replace(searched, credit=plan.credit - cost)
            done.append(square)
        plan = replace(plan, number=plan.number + 1)
    return done, plan


def settled() -> SearchPlan:
    """After the first sweep."""
    return looks(SearchPlan(), [TEXTURE] * 120)[1]


def test_the_first_sweep_is_the_whole_image_and_the_large_tiles() -> None:
    done, plan = looks(SearchPlan(), [TEXTURE] * 120)
    large = [tile for tile in tiles_of(*SIZE) if tile[2] == TILE_PX]
    assert done[: 1 + len(large)] == [None, *large]
    assert len(done) <= 2 + len(large)
    assert plan.unswept == ()


def test_the_first_sweep_leaves_plain_tiles_out() -> None:
    plain = np.full_like(TEXTURE, 200)
    assert looks(SearchPlan(), [plain] * 8)[0] == [None]
    plain[:300, 900:] = TEXTURE[:300, 900:]
    assert {tile for tile in looks(SearchPlan(), [plain] * 60)[0] if tile} < {
        (left, top, side) for left, top, side in tiles_of(*SIZE) if left + side >= 900 and top <= 300
    }


def test_later_sweeps_take_turns_over_all_tiles_at_the_small_share() -> None:
    images, people = 500, 10
    done, _ = looks(settled(), [TEXTURE] * images, work=people)
    assert done[::2] == [None] * len(done[::2]) or done[1::2] == [None] * len(done[1::2])
    assert {tile for tile in done if tile} == set(tiles_of(*SIZE))
    work = sum(FIND_COST * (TILE_PX**2 if square else 224 * 384) for square in done)
    assert work / (work + images * people) == pytest.approx(QUIET_SHARE, rel=0.05)


def test_a_change_is_looked_at_before_anything_else() -> None:
    done, _ = looks(settled(), [with_person((900, 400))] * 8)
    left, top, side = done[0] or (0, 0, 0)
    assert side < TILE_PX
    assert left < 900
    assert top < 400
    assert left + side > 960
    assert top + side > 460


def test_a_large_change_is_looked_at_in_the_whole_image() -> None:
    """A third of 720 pixels is 72 for the finder; the whole image is cheaper than a tile."""
    assert looks(settled(), [with_person((900, 400), side=240)] * 8)[0] == [None]


def test_between_changes_the_sweep_goes_on() -> None:
    """Somebody walks about whom the finder doesn't see."""
    walking = [with_person((500 + 5 * t, 400)) for t in range(100)]
    done, _ = looks(settled(), walking)
    grid = set(tiles_of(*SIZE))
    changed = [square is not None and square not in grid for square in done]
    assert len(done) >= 8
    assert sum(changed) == pytest.approx(len(done) / 2, abs=1)
    assert len(set(done) & grid) >= 2
    assert None in done


def test_who_was_lost_starts_a_first_sweep() -> None:
    plan = settled()
    done, _ = looks(plan, [TEXTURE] * 40, newly_lost=plan.number)
    assert len(done) > 5
    assert done[1:3] == list(tiles_of(*SIZE)[:2])


def test_where_somebody_was_lost_comes_before_the_tiles() -> None:
    plan = settled()
    plan = replace(plan, lost=((640.0, 360.0, plan.number),))
    done, _ = looks(plan, [TEXTURE] * 20, newly_lost=plan.number)
    assert {square for square in done if square} == {(512, 232, 256)}
    assert None in done


def test_while_the_camera_moves_all_tiles_have_their_turn_at_the_full_share_and_then_a_first_sweep() -> None:
    moving = [np.roll(TEXTURE, 13 * t, 1) for t in range(280)]  # what stands out takes up to every second tile's turn
    images, people = len(moving), 3
    done, plan = looks(settled(), moving, work=people)
    assert set(tiles_of(*SIZE)) <= set(done)
    assert sum(square is None for square in done) == pytest.approx(len(done) / 2, abs=2)
    work = sum(FIND_COST * (TILE_PX**2 if square else 224 * 384) for square in done)
    assert work / (work + images * people) == pytest.approx(SEARCH_SHARE, rel=0.05)
    _, plan = looks(plan, [moving[-1]] * MOVING_IMAGES)
    done, _ = looks(plan, [moving[-1]] * 100)
    assert {tile for tile in tiles_of(*SIZE) if tile[2] == TILE_PX} <= set(done)
