"""Where the search for new people looks next while somebody is followed, and what it may cost.

It looks where the scene has changed, by turns with a sweep of all of it: by turns the whole image and one tile at full
resolution, so a person of 50 pixels in a large image is found. Its share of the work is

- `SEARCH_SHARE` while there is a change at a fresh place; in the first sweep of a scene (whole image and tiles of the
  first size): at the start, after a cut, after somebody was lost; and while the camera moves, when the scene changes
  everywhere and the sweep must find people: whole image and tiles by turns, over all tiles (what stands out between
  two changes everywhere takes every second tile's turn);
- `QUIET_SHARE` otherwise, so that nobody who stands still, or comes out from behind somebody, is missed for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from sdk.detectors.movenet.scene_change import CLOSEST_PX, Place, Scene

SEARCH_EVERY = 5
"""Images, at least, between two calls of the search while somebody is followed."""
SEARCH_SHARE = 1 / 3
"""Largest share of the work that the search may take over time, while somebody is followed."""
QUIET_SHARE = 1 / 24
"""The same while nothing has changed. One person, thunder: the whole image in every 94th image, and a tile."""
FIND_COST = 1.15 / 256**2
"""Work of multipose for each pixel that it sees, in units of a look at one person by thunder."""
TILE_PX = 384
"""Side of a tile for multipose. It finds people 64 and 48 pixels high at full resolution, none of 48 at half."""
TILE_SIDES_PX = (TILE_PX, CLOSEST_PX)
"""Sides of tiles in the image. Tiles of the second size are enlarged, for people of 32 pixels. They come last."""
TILE_OVERLAP = 0.25
"""Overlap of neighbouring tiles, as a share of the side. A person smaller than that is whole in one tile."""
LARGE_PX = 640
"""Images with a longer side than this are also searched in tiles."""
MISSED_IMAGES = 50
"""For so many images, a lost person is searched where they were last, before the next tile."""
_MOST_CREDIT = 2 * FIND_COST * TILE_PX**2
"""Work saved up in a long time without newcomers is not spent at once."""

Square = tuple[int, int, int]
"""Part of an image: left, top, side in pixels."""


@dataclass(frozen=True, eq=False)
class SearchPlan:
    """The state of the search; a value, like `Followed`.

    Attributes:
        number: Of the image.
        credit: Work that the search may take, in units of a look by thunder.
        searched: Image of the last search.
        whole: Whether the next search of the sweep is in the whole image, not in a tile.
        tile: Index of the next tile.
        unswept: What is left of the first sweep; None stands for the whole image.
        changed: Whether the last search was of a changed place; while the camera moves, the last one beside those of
            the whole image.
        lost: Where people were lost (x, y in pixels), and in which image.
        scene: What is known of the scene; None if nobody was followed in the image before.
    """

    number: int = 0
    credit: float = 0.0
    searched: int = -1
    whole: bool = True
    tile: int = 0
    unswept: tuple[Square | None, ...] = ()
    changed: bool = False
    lost: tuple[tuple[float, float, int], ...] = ()
    scene: Scene | None = None

    def after(self, image_bgr: np.ndarray, bodies: np.ndarray, work: float, newly_lost: bool) -> SearchPlan:
        """The plan after one more image in which somebody is followed.

        Args:
            image_bgr: (H, W, 3) uint8.
            bodies: Boxes of the people who are followed, (N, 4) pixels, with a margin for what is beside the joints.
            work: Of following them in this image, in units of a look by thunder.
            newly_lost: Whether somebody was lost in it.
        """
        size, number = image_bgr.shape[:2], self.number
        if self.scene is None:
            scene, was_moving = Scene.begin(image_bgr, bodies, number), False
        else:
            scene, was_moving = self.scene.after(image_bgr, bodies, number), self.scene.is_moving(number - 1)
        moving, unswept = scene.is_moving(number), self.unswept
        if self.scene is None or (was_moving and not moving) or (newly_lost and not unswept):
            unswept = _first_sweep(scene, *size)
        fresh = any(place.fresh for place in scene.places)
        share = SEARCH_SHARE if moving or unswept or fresh else QUIET_SHARE
        credit = min(self.credit + work * share / (1 - share), _MOST_CREDIT)
        starts_moving = moving and not was_moving
        whole, changed = (
            self.whole or starts_moving,
            self.changed and not starts_moving,
        )  # who fills the image comes first
        return replace(self, scene=scene, unswept=unswept, credit=credit, whole=whole, changed=changed)

    def next_look(self, height: int, width: int) -> tuple[Square | None, SearchPlan]:
        """Where to look next, None for the whole image; and the plan once that is done, but for its cost."""
        assert self.scene is not None
        done = replace(self, searched=self.number, changed=False)
        moving = self.scene.is_moving(self.number)
        if self.scene.places and not self.changed and not (moving and self.whole):
            place, longer = self.scene.places[0], max(height, width)
            square = None if place.wide >= longer else _square_round(place, height, width)
            scene = self.scene.looked_at(square or (0, 0, longer), self.number)
            return square, replace(done, changed=True, scene=scene, whole=moving or self.whole)
        if self.unswept and not moving and not self.lost:
            return self.unswept[0], replace(done, unswept=self.unswept[1:])
        if self.whole or max(height, width) <= LARGE_PX:
            return None, replace(done, whole=False, changed=moving and self.changed)
        square, tile = self.next_tile(height, width)
        return square, replace(done, whole=True, tile=tile)

    def next_tile(self, height: int, width: int) -> tuple[Square, int]:
        """The next tile, or where somebody was lost; and the index of the tile after it."""
        if self.lost:
            x, y, _ = self.lost[-1]
            return square_at(x, y, CLOSEST_PX, height, width), self.tile
        tiles = tiles_of(height, width)
        return tiles[self.tile % len(tiles)], (self.tile + 1) % len(tiles)


def square_at(x: float, y: float, side: int, height: int, width: int) -> Square:
    """A square with its middle at x, y, moved to lie in the image."""
    return _clamped(x - side / 2, side, width), _clamped(y - side / 2, side, height), side


def _square_round(place: Place, height: int, width: int) -> Square:
    left, top, right, bottom = place.box
    return square_at((left + right) / 2, (top + bottom) / 2, place.narrow, height, width)


def _first_sweep(scene: Scene, height: int, width: int) -> tuple[Square | None, ...]:
    """The whole image, None, and the tiles of the first size that are not plain."""
    if max(height, width) <= LARGE_PX:
        return (None,)
    tiles = (tile for tile in tiles_of(height, width) if tile[2] == TILE_SIDES_PX[0])
    return (None, *(tile for tile in tiles if not scene.is_plain(tile, (height, width))))


@lru_cache(8)
def tiles_of(height: int, width: int) -> tuple[Square, ...]:
    """The tiles of an image, in search order: successive tiles are far apart in the image."""

    def starts(length: int, side: int) -> list[int]:
        step = round(side * (1 - TILE_OVERLAP))
        return [_clamped(i * step, side, length) for i in range(max(-(-(length - side) // step), 0) + 1)]

    tiles: list[Square] = []
    for side in TILE_SIDES_PX:
        corners = [(left, top, side) for top in starts(height, side) for left in starts(width, side)]
        stride = next(n for n in (5, 7, 11, 3, 2, 1) if np.gcd(n, len(corners)) == 1)
        tiles += [corners[i * stride % len(corners)] for i in range(len(corners))]
    return tuple(tiles)


def _clamped(start: float, side: int, length: int) -> int:
    return int(min(max(start, 0), max(length - side, 0)))
