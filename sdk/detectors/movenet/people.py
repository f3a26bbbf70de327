"""MoveNet for all people in the image: multipose finds people, then thunder or lightning refines each in a crop.

The last pose of a person gives the next crop, so people of any size are followed. New people are searched in every n-th
image at most: in the whole image or, in turn, in one tile of it at full resolution, so a person of 50 pixels in a large
image is found. While people are followed, the search takes at most `SEARCH_SHARE` of the work, and one call for an
image. While nobody is followed, every image is searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.movenet.crop import METHOD, SEEN_SCORE, SquareCrop, next_crop
from sdk.detectors.movenet.multi_person import MoveNetMulti
from sdk.detectors.movenet.single_person import PERSON_SCORE, Pose
from sdk.detectors.parallel import ParallelDetector
from sdk.detectors.person_boxes import check_detection_interval
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

SEARCH_EVERY = 5
"""Images, at least, between two calls of the search while somebody is followed."""
SEARCH_SHARE = 1 / 3
"""Largest share of the work that the search may take over time, while somebody is followed."""
LOOK_COST = {192: 0.3}
"""Work of a look at one person by the refiner's input size, in units of thunder's. One thread: lightning 9 ms, thunder
32 ms, multipose 36, 47 and 85 ms for 256 x 256, 224 x 384 and 384 x 384 pixels."""
FIND_COST = 1.15 / 256**2
"""Work of multipose for each pixel that it sees, in the same unit."""
FOLLOWED_SCORE = 0.3
"""A followed person with a lower mean joint score is lost. A new person needs `PERSON_SCORE`."""
TILE_PX = 384
"""Side of a tile for multipose. It finds people 64 and 48 pixels high at full resolution, none of 48 at half."""
TILE_SIDES_PX = (384, 256)
"""Sides of tiles in the image. Tiles of the second size are enlarged, for people of 32 pixels. They come last."""
TILE_OVERLAP = 0.25
"""Overlap of neighbouring tiles, as a share of the side. A person smaller than that is whole in one tile."""
TILE_EDGE = 0.05
"""Share of a tile's side: a body so near to its edge may be cut off by it."""
BODY_MARGIN_SHARE = 0.15
"""How far a body reaches beyond the box of its joints, as a share of the box's longer side."""
TILES_WHILE_NOBODY = 3
"""Tiles searched in each image while nobody is followed. 1080p has 73 tiles of both sizes."""
LARGE_PX = 640
"""Images with a longer side than this are also searched in tiles."""
SAME_PERSON_IOU = 0.6
"""Two poses whose boxes overlap more are one person's."""
MISSED_IMAGES = 50
"""For so many images, a lost person is searched where they were last, before the next tile."""
MOST_PEOPLE = 20
_MOST_CREDIT = 2 * FIND_COST * TILE_PX**2
"""Work saved up in a long time without newcomers is not spent at once."""


@dataclass(frozen=True)
class Followed:
    """The state between one image and the next.

    Attributes:
        people: Last pose of each person.
        image: Number of images so far.
        tile: Index of the next tile.
        searched: Image of the last search.
        credit: Work that the search may take, in units of `LOOK_COST`.
        whole: Whether the next search is in the whole image, not in a tile.
        lost: Where people were lost (x, y in pixels), and in which image.
    """

    people: tuple[Pose, ...] = ()
    image: int = 0
    tile: int = 0
    searched: int = -1
    credit: float = 0.0
    whole: bool = True
    lost: tuple[tuple[float, float, int], ...] = ()


class MoveNetPeople:
    """Detects all people of each image, COCO-17.

    Args:
        finder: MoveNet multipose.
        refiner: MoveNet thunder or lightning.
        search_every: New people are searched in every n-th image.

    Raises:
        BadModelFile: the refiner has no fixed input size.
        BadBoxes: `search_every` is not a whole number from 1.
    """

    skeleton = COCO17

    def __init__(self, finder: OnnxModel, refiner: OnnxModel, search_every: int = SEARCH_EVERY) -> None:
        size = refiner.inputs[0].shape[1]
        if not isinstance(size, int):
            raise BadModelFile(
                f"{refiner.path}: MoveNet for one person has a fixed input size, not {refiner.inputs[0]}."
            )
        self._finder_model, self._refiner, self._size = finder, refiner, size
        self._finder = MoveNetMulti(finder)
        self._tile_finder = MoveNetMulti(finder, long_side=TILE_PX)
        self._search_every = check_detection_interval(search_every)
        self._look_cost = LOOK_COST.get(size, 1.0)
        self._kept = Followed()
        self.device = refiner.device
        self.identity = (
            f"movenet-people-2:{finder.content_hash}:{refiner.content_hash}:every={search_every}:new={PERSON_SCORE}:"
            f"followed={FOLLOWED_SCORE}:tile={TILE_SIDES_PX}/{TILE_OVERLAP}:{METHOD}"
        )

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image (H, W, 3) uint8 BGR. Those followed longest come first.

        Raises:
            BadImage: any other array.
        """
        found, self._kept = self.find(image_bgr, self._kept)
        return found

    def reset(self) -> None:
        """Follow nobody: the next image starts another video."""
        self._kept = Followed()

    def parallel(self) -> ParallelDetector | None:
        """A parallel detector. Both images of a pair follow the people of the image before the pair."""
        finder, refiner = self._finder_model.for_two_threads, self._refiner.for_two_threads
        if finder is None or refiner is None:
            return None
        twin = MoveNetPeople(finder, refiner, self._search_every)
        return ParallelDetector(
            lambda image_bgr, kept: twin.find(image_bgr, kept or Followed()), f"{self.identity}:pairs"
        )

    def find(self, image_bgr: np.ndarray, kept: Followed) -> tuple[Detections, Followed]:
        """The people in an image and the new state, given the state so far. Changes nothing else."""
        check_image(image_bgr)
        height, width = image_bgr.shape[:2]
        people: list[Pose] = []
        lost = [place for place in kept.lost if kept.image - place[2] < MISSED_IMAGES]
        for pose in kept.people:
            now = self._look(image_bgr, next_crop(*pose, height, width))
            if now[1].mean() >= FOLLOWED_SCORE:
                people.append(now)
            else:
                middle = pose[0][pose[1] >= SEEN_SCORE].mean(0)
                lost.append((float(middle[0]), float(middle[1]), kept.image))
        people = _each_once(people)
        search = replace(kept, people=tuple(people), lost=tuple(lost))
        if not people:
            search = self._search_all(image_bgr, search)
        else:
            share = SEARCH_SHARE / (1 - SEARCH_SHARE)
            credit = min(kept.credit + share * self._look_cost * len(kept.people), _MOST_CREDIT)
            search = replace(search, credit=credit)
            if kept.image - kept.searched >= self._search_every:
                search = self._search_once(image_bgr, search)
        people = list(search.people)
        lost = [place for place in lost if not any(_holds(person, place) for person in people)]
        keypoints = np.array([pose for pose, _ in people], np.float32).reshape(-1, len(COCO17), 2)
        scores = np.array([score for _, score in people], np.float32).reshape(-1, len(COCO17))
        found = Detections.from_keypoints(keypoints, scores, SEEN_SCORE)
        return found, replace(search, image=kept.image + 1, lost=tuple(lost))

    def _search_all(self, image_bgr: np.ndarray, kept: Followed) -> Followed:
        """Nobody is followed: look in the whole image and in several tiles."""
        candidates = [*_poses(self._finder(image_bgr))]
        tile = kept.tile
        if max(image_bgr.shape[:2]) > LARGE_PX:
            for number in range(TILES_WHILE_NOBODY):
                found, tile = self._in_tile(image_bgr, replace(kept, tile=tile, lost=() if number else kept.lost))
                candidates += found
        people, _ = self._with_newcomers(image_bgr, kept.people, candidates)
        return replace(kept, people=people, tile=tile, searched=kept.image, credit=0.0)

    def _search_once(self, image_bgr: np.ndarray, kept: Followed) -> Followed:
        """One call of the finder, if the work for it is saved up."""
        height, width = image_bgr.shape[:2]
        large = max(height, width) > LARGE_PX
        whole = kept.whole or not large
        cost = FIND_COST * (self._finder.pixels_seen(height, width) if whole else TILE_PX**2)
        if kept.credit < cost:
            return kept
        tile = kept.tile
        if whole:
            candidates = [*_poses(self._finder(image_bgr))]
        else:
            candidates, tile = self._in_tile(image_bgr, kept)
        people, looks = self._with_newcomers(image_bgr, kept.people, candidates)
        credit = kept.credit - cost - looks * self._look_cost
        return replace(kept, people=people, tile=tile, searched=kept.image, credit=credit, whole=not whole)

    def _in_tile(self, image_bgr: np.ndarray, kept: Followed) -> tuple[list[_Candidate], int]:
        """People in the next tile, or where somebody was lost; and the index of the tile after it."""
        (height, width), tile = image_bgr.shape[:2], kept.tile
        if kept.lost:
            side = TILE_SIDES_PX[-1]
            x, y, _ = kept.lost[-1]
            left, top = _clamped(x - side / 2, side, width), _clamped(y - side / 2, side, height)
        else:
            tiles = _tiles(height, width)
            left, top, side = tiles[tile % len(tiles)]
            tile = (tile + 1) % len(tiles)
        part = np.ascontiguousarray(image_bgr[top : top + side, left : left + side])
        return [*_poses(self._tile_finder(part), (left, top, left + side, top + side))], tile

    def _with_newcomers(
        self, image_bgr: np.ndarray, people: tuple[Pose, ...], candidates: list[_Candidate]
    ) -> tuple[tuple[Pose, ...], int]:
        """Everybody, with those of the candidates who are persons of their own; and how many looks that took."""
        height, width = image_bgr.shape[:2]
        looks = 0
        for candidate, tile in candidates:
            if len(people) >= MOST_PEOPLE:
                break
            if any(_overlap(candidate, one) > 0.3 or (tile and _is_cut_off(candidate, one, tile)) for one in people):
                continue
            looks += 1
            pose = self._look(image_bgr, next_crop(*candidate, height, width))
            if pose[1].mean() >= PERSON_SCORE and not any(_overlap(pose, one) > SAME_PERSON_IOU for one in people):
                people = (*people, pose)
        return people, looks

    def _look(self, image_bgr: np.ndarray, crop: SquareCrop) -> Pose:
        rgb = cv2.cvtColor(crop.cut(image_bgr, self._size), cv2.COLOR_BGR2RGB).astype(np.int32)
        pose = self._refiner.run(rgb[None])[0][0, 0]
        return crop.to_pixels(pose[:, 1::-1]), np.clip(pose[:, 2], 0, 1)


_Edges = tuple[int, int, int, int]
"""Of a tile: left, top, right, bottom."""
_Candidate = tuple[Pose, "_Edges | None"]
"""A pose in pixels of the image, and the tile that it was found in."""


def _poses(found: Detections, tile: _Edges | None = None) -> Iterator[_Candidate]:
    """The poses of an image or a tile."""
    corner = np.array(tile[:2] if tile else (0, 0), np.float32)
    for keypoints, scores in zip(found.keypoints_px, found.scores, strict=True):
        yield (keypoints + corner, scores), tile


def _tiles(height: int, width: int) -> list[tuple[int, int, int]]:
    """Left, top and side of each tile, in search order: successive tiles are far apart in the image."""

    def starts(length: int, side: int) -> list[int]:
        step = round(side * (1 - TILE_OVERLAP))
        return [_clamped(i * step, side, length) for i in range(max(-(-(length - side) // step), 0) + 1)]

    tiles = []
    for side in TILE_SIDES_PX:
        corners = [(left, top, side) for top in starts(height, side) for left in starts(width, side)]
        stride = next(n for n in (5, 7, 11, 3, 2, 1) if np.gcd(n, len(corners)) == 1)
        tiles += [corners[i * stride % len(corners)] for i in range(len(corners))]
    return tiles


def _clamped(start: float, side: int, length: int) -> int:
    return int(min(max(start, 0), max(length - side, 0)))


def _each_once(people: list[Pose]) -> list[Pose]:
    """Of two poses on one person, keep the one with the higher score: the other's crop moved to a wrong person."""
    surest = sorted(range(len(people)), key=lambda i: -float(people[i][1].mean()))
    kept: list[int] = []
    for i in surest:
        if not any(_overlap(people[i], people[j]) > SAME_PERSON_IOU for j in kept):
            kept.append(i)
    return [people[i] for i in sorted(kept)]


def _box(pose: Pose) -> np.ndarray:
    keypoints, scores = pose
    seen = keypoints[scores >= SEEN_SCORE]
    points = seen if len(seen) >= 2 else keypoints
    return np.concatenate([points.min(0), points.max(0)])


def _overlap(first: Pose, second: Pose) -> float:
    """Intersection over union of two poses' boxes."""
    a, b = _box(first), _box(second)
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    common = float(sides.prod())
    return common / max(float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - common, 1e-9)


def _is_cut_off(part: Pose, person: Pose, tile: _Edges) -> bool:
    """Whether a pose is what a tile shows of somebody who is known: at its edge, and mostly inside their box."""
    a, b, edges = _box(part), _box(person), np.array(tile, np.float32)
    margin = BODY_MARGIN_SHARE * (b[2:] - b[:2]).max()
    b = b + np.array([-margin, -margin, margin, margin])
    near = TILE_EDGE * (edges[2] - edges[0])
    if (a[:2] > edges[:2] + near).all() and (a[2:] < edges[2:] - near).all():
        return False
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    return bool(sides.prod() > SAME_PERSON_IOU * (a[2:] - a[:2]).prod())


def _holds(pose: Pose, place: tuple[float, float, int]) -> bool:
    box = _box(pose)
    return bool(box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3])
