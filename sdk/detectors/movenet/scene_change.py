"""Where a scene has changed since it was last looked at, beside the people who are followed.

A small grey copy of each image is compared with a reference. What differs is a place to look for newcomers. Once the
finder has looked there, the reference becomes what is there now. People who are followed explain what changes in their
boxes. A change of the brightness of the whole image is no change.

A camera that moves, and a cut, change the scene everywhere. While the camera moves, what moves by itself stands out
(`PannedScene`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from sdk.detectors.movenet.grey_copy import CHANGED_LEVELS, LONG_SIDE_CELLS, small_grey
from sdk.detectors.movenet.panned_scene import PannedScene

EVERYWHERE_SHARE = 0.25
"""If more of the scene has changed, the camera moved, the scene was cut, or somebody fills the image."""
LONGEST_SHARE = 0.5
"""The same if one place is longer than this share of the image's longer side, as a horizon is when the camera tilts."""
MOVING_IMAGES = 50
"""For so many images after a change everywhere, the camera is taken as moving: slow pans pass the limits at times."""
FRESH_IMAGES = 100
"""A place where the finder looked less than so many images ago is no news: leaves and shadows change for ever."""
NARROW, WIDE = 2, 6
"""Side of the smallest and largest square to search, in units of the change's longer side: often only half of a person
stands out; and the finder, which sees a square at 384 pixels, finds people of 64 there."""
MOST_ALONE = 40
"""Of more that moves by itself, only the largest is told apart: swaying leaves are hundreds of places."""
_NEAR = 3
"""Cells that are so near are one place: head and legs."""
CLOSEST_PX = 256
"""Side of the smallest square to search, in the image. The finder gets it enlarged, for people of 32 pixels."""
_NOTHING_YET = PannedScene()


@dataclass(frozen=True, eq=False)
class Place:
    """A part of the scene that has changed.

    Attributes:
        cells: Which cells of the grey copy, (rows, columns) bool.
        box: Left, top, right, bottom in pixels of the image.
        narrow: Side of the smallest square round it to search, pixels.
        wide: Side of the largest.
        fresh: Whether it is long ago that the finder looked there.
    """

    cells: np.ndarray
    box: tuple[float, float, float, float]
    narrow: int
    wide: int
    fresh: bool


@dataclass(frozen=True, eq=False)
class Scene:
    """What is known of a scene; a value, like `Followed`.

    Attributes:
        grey: The last image, (rows, columns) float32, grey levels.
        reference: Each cell as it was when the finder last looked at a change there, or when a followed person was in
            it last.
        covered: Cells in which people are followed.
        looked: Image in which the finder last looked at a change in each cell, (rows, columns).
        moved: Image of the last change everywhere.
        recent: The last images, while the camera moves.
        places: What has changed; while the camera moves, what moves by itself, if anything. The freshest first, then
            the one that was looked at longest ago, then the largest.
    """

    grey: np.ndarray
    reference: np.ndarray
    covered: np.ndarray
    looked: np.ndarray
    moved: int
    places: tuple[Place, ...] = ()
    recent: PannedScene = _NOTHING_YET

    @classmethod
    def begin(cls, image_bgr: np.ndarray, people_boxes: np.ndarray, number: int) -> Scene:
        """A scene that begins with an image; arguments as those of `after`."""
        grey = small_grey(image_bgr)
        covered = _covered(people_boxes, image_bgr.shape[:2], grey.shape)
        return cls(grey, grey, covered, np.full(grey.shape, number - FRESH_IMAGES, np.int32), number - MOVING_IMAGES)

    def after(self, image_bgr: np.ndarray, people_boxes: np.ndarray, number: int) -> Scene:
        """The scene after one more image.

        Args:
            image_bgr: (H, W, 3) uint8.
            people_boxes: Whole bodies of all people who are followed: left, top, right, bottom in pixels, (N, 4).
            number: Of the image.
        """
        grey = small_grey(image_bgr)
        if grey.shape != self.grey.shape:
            return replace(Scene.begin(image_bgr, people_boxes, number), moved=number)
        covered = _covered(people_boxes, image_bgr.shape[:2], grey.shape)
        explained = covered | self.covered  # what somebody uncovers is not what they covered
        difference = grey - self.reference
        if not explained.all():
            difference -= np.median(difference[~explained])
        changed = (np.abs(difference) >= CHANGED_LEVELS) & ~explained
        reference = np.where(explained, grey, self.reference)
        size, moved = image_bgr.shape[:2], self.moved
        most = _is_most(changed, explained)
        places = () if most else self._places(changed, size, number, _NEAR)
        if most or _are_long(places):
            reference, places, moved = grey, (), number
        scene = Scene(grey, reference, covered, self.looked, moved, places)
        if not scene.is_moving(number):
            return scene
        recent, alone = self.recent.after(image_bgr, covered)
        return replace(scene, recent=recent, places=self._places_alone(alone, covered, size, number) or places)

    def is_moving(self, number: int) -> bool:
        """Whether the camera is taken as moving in an image."""
        return number - self.moved < MOVING_IMAGES

    def is_plain(self, square: tuple[int, int, int], image_size: tuple[int, int]) -> bool:
        """Whether a square (left, top, side) of the image (height, width) shows nobody but who is followed: nowhere
        in it neighbouring cells differ by `CHANGED_LEVELS`.
        """
        cell_px = max(image_size) / LONG_SIDE_CELLS
        left, top, side = (n / cell_px for n in square)
        rows, columns = (slice(int(start), int(np.ceil(start + side))) for start in (top, left))
        grey, open_ = self.grey[rows, columns], ~self.covered[rows, columns]
        step = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        return bool((step[open_] < CHANGED_LEVELS).all())

    def looked_at(self, square: tuple[int, int, int], number: int) -> Scene:
        """The scene after the finder looked in a square: left, top, side in pixels. It saw the places that it shows
        large enough.
        """
        left, top, side = square
        reference, looked, places = self.reference, self.looked, []
        for place in self.places:
            x0, y0, x1, y1 = place.box
            inside = left <= x0 and top <= y0 and x1 <= left + side and y1 <= top + side
            if inside and side <= place.wide:
                reference = np.where(place.cells, self.grey, reference)
                looked = np.where(place.cells, np.int32(number), looked)
            else:
                places.append(place)
        return replace(self, reference=reference, looked=looked, places=tuple(places))

    def _places_alone(
        self, alone: np.ndarray, covered: np.ndarray, size: tuple[int, ...], number: int
    ) -> tuple[Place, ...]:
        """Where something moves by itself; but what is seen in the whole image, for that has its turns."""
        if _is_most(alone, covered):
            return ()
        for near in (_NEAR, 1):  # what is one place with its neighbours may be too large to be somebody
            places = self._places(alone, size, number, near, MOST_ALONE)
            if all(place.wide < max(size) for place in places):
                break
        return tuple(place for place in places if place.wide < max(size))

    def _places(
        self, changed: np.ndarray, image_size: tuple[int, ...], number: int, near: int, most: int | None = None
    ) -> tuple[Place, ...]:
        """Changed cells, those of a neighbourhood of `near` x `near` together; at most the `most` largest."""
        if not changed.any():
            return ()
        grown = cv2.dilate(changed.astype(np.uint8), np.ones((near, near), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
        inside = 0.5 * (near // 2)  # half of what they were grown by
        (height, width), cell_px = image_size, max(image_size) / LONG_SIDE_CELLS
        ordered = []
        largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:most] + 1
        for label in sorted(largest.tolist()):
            cells = labels == label
            left, top, columns, rows, size = (int(n) for n in stats[label])
            looked = int(np.median(self.looked[cells & changed]))
            fresh = number - looked >= FRESH_IMAGES
            x0, x1 = (left + inside) * cell_px, min((left + columns - inside) * cell_px, width)
            y0, y1 = (top + inside) * cell_px, min((top + rows - inside) * cell_px, height)
            narrow, wide = (max(round(n * max(x1 - x0, y1 - y0)), CLOSEST_PX) for n in (NARROW, WIDE))
            ordered.append(((not fresh, looked, -size, label), Place(cells, (x0, y0, x1, y1), narrow, wide, fresh)))
        return tuple(place for _, place in sorted(ordered, key=lambda one: one[0]))


def _is_most(changed: np.ndarray, explained: np.ndarray) -> bool:
    """Whether more than `EVERYWHERE_SHARE` of what nobody explains has changed."""
    return bool(changed.sum() > EVERYWHERE_SHARE * max((~explained).sum(), 1))


def _are_long(places: tuple[Place, ...]) -> bool:
    """Whether one place is longer than anybody is, as a horizon is when the camera tilts."""
    longest = max((max(place.cells.any(0).sum(), place.cells.any(1).sum()) for place in places), default=0)
    return bool(longest > LONGEST_SHARE * LONG_SIDE_CELLS)


def _covered(boxes: np.ndarray, image_size: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """The cells that boxes touch."""
    covered = np.zeros(shape, bool)
    for left, top, right, bottom in boxes * (LONG_SIDE_CELLS / max(image_size)):
        covered[max(int(top), 0) : max(int(bottom) + 1, 0), max(int(left), 0) : max(int(right) + 1, 0)] = True
    return covered
