"""MoveNet for all people in the image: multipose finds people, then thunder or lightning refines each in a crop.

The last pose of a person gives the next crop, so people of any size are followed. While people are followed, new ones
are searched in every n-th image at most, in one call for an image: where the scene has changed, and by turns all over
it (`SearchPlan`). While nobody is followed, every image is searched, whole and in several tiles.
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
from sdk.detectors.movenet.search_plan import (
    FIND_COST,
    LARGE_PX,
    MISSED_IMAGES,
    QUIET_SHARE,
    SEARCH_EVERY,
    SEARCH_SHARE,
    TILE_OVERLAP,
    TILE_PX,
    TILE_SIDES_PX,
    SearchPlan,
    Square,
)
from sdk.detectors.movenet.single_person import PERSON_SCORE, Pose
from sdk.detectors.parallel import ParallelDetector
from sdk.detectors.person_boxes import check_detection_interval
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

LOOK_COST = {192: 0.3}
"""Work of a look at one person by the refiner's input size, in units of thunder's. One thread: lightning 9 ms, thunder
32 ms, multipose 36, 47 and 85 ms for 256 x 256, 224 x 384 and 384 x 384 pixels."""
FOLLOWED_SCORE = 0.3
"""A followed person with a lower mean joint score is lost. A new person needs `PERSON_SCORE`, one who was just lost
near their place no more than this."""
LOST_REACH = 3.0
"""How far from where somebody was lost they may be found again as the same, as a share of the longer side of their box.
Of a man 48 pixels tall in a panned image, who was lost while he leaned, 92% of the images in place of 43%."""
TILE_EDGE = 0.05
"""Share of a tile's side: a body so near to its edge may be cut off by it."""
BODY_MARGIN_SHARE = 0.15
"""How far a body reaches beyond the box of its joints, as a share of the box's longer side."""
TILES_WHILE_NOBODY = 3
"""Tiles searched in each image while nobody is followed. 1080p has 73 tiles of both sizes."""
SAME_PERSON_IOU = 0.6
"""Two poses whose boxes overlap more are one person's."""
MOST_PEOPLE = 20
_BEGINNING = SearchPlan()


@dataclass(frozen=True)
class Followed:
    """The state between one image and the next.

    Attributes:
        people: Last pose of each person.
        search: State of the search for new ones.
    """

    people: tuple[Pose, ...] = ()
    search: SearchPlan = _BEGINNING


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
            f"movenet-people-5:{finder.identity}:{refiner.identity}:every={search_every}:new={PERSON_SCORE}:"
            f"followed={FOLLOWED_SCORE}/{LOST_REACH}:tile={TILE_SIDES_PX}/{TILE_OVERLAP}:"
            f"share={SEARCH_SHARE:.3f}/{QUIET_SHARE:.3f}:{METHOD}"
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
        search, number = kept.search, kept.search.number
        lost = [place for place in search.lost if number - place[2] < MISSED_IMAGES]
        newly_lost = False
        for pose in kept.people:
            now = self._look(image_bgr, next_crop(*pose, height, width))
            if now[1].mean() >= FOLLOWED_SCORE:
                people.append(now)
            else:
                middle = pose[0][pose[1] >= SEEN_SCORE].mean(0)
                lost.append((float(middle[0]), float(middle[1]), number))
                newly_lost = True
        people = _each_once(people)
        search = replace(search, lost=tuple(lost))
        if not people:
            people, search = self._search_all(image_bgr, search)
        else:
            bodies = np.array([_body(pose) for pose in people])
            search = search.after(image_bgr, bodies, self._look_cost * len(kept.people), newly_lost)
            if number - search.searched >= self._search_every:
                people, search = self._search_once(image_bgr, people, search)
        lost = [place for place in lost if not any(_holds(person, place) for person in people)]
        keypoints = np.array([pose for pose, _ in people], np.float32).reshape(-1, len(COCO17), 2)
        scores = np.array([score for _, score in people], np.float32).reshape(-1, len(COCO17))
        found = Detections.from_keypoints(keypoints, scores, SEEN_SCORE)
        return found, Followed(tuple(people), replace(search, number=number + 1, lost=tuple(lost)))

    def _search_all(self, image_bgr: np.ndarray, search: SearchPlan) -> tuple[list[Pose], SearchPlan]:
        """Nobody is followed: look in the whole image and in several tiles."""
        height, width = image_bgr.shape[:2]
        candidates = [*_poses(self._finder(image_bgr))]
        tile = search.tile
        if max(height, width) > LARGE_PX:
            for turn in range(TILES_WHILE_NOBODY):
                square, tile = replace(search, tile=tile, lost=() if turn else search.lost).next_tile(height, width)
                candidates += self._in_square(image_bgr, square)
        people, _ = self._with_newcomers(image_bgr, [], candidates, search.lost)
        return people, SearchPlan(search.number, searched=search.number, tile=tile, lost=search.lost)

    def _search_once(
        self, image_bgr: np.ndarray, people: list[Pose], search: SearchPlan
    ) -> tuple[list[Pose], SearchPlan]:
        """One call of the finder, if the work for it is saved up."""
        height, width = image_bgr.shape[:2]
        square, searched = search.next_look(height, width)
        cost = FIND_COST * (self._finder.pixels_seen(height, width) if square is None else TILE_PX**2)
        if search.credit < cost:
            return people, search
        found = [*_poses(self._finder(image_bgr))] if square is None else self._in_square(image_bgr, square)
        people, looks = self._with_newcomers(image_bgr, people, found, search.lost)
        return people, replace(searched, credit=search.credit - cost - looks * self._look_cost)

    def _in_square(self, image_bgr: np.ndarray, square: Square) -> list[_Candidate]:
        """People in a part of the image."""
        left, top, side = square
        part = np.ascontiguousarray(image_bgr[top : top + side, left : left + side])
        return [*_poses(self._tile_finder(part), (left, top, left + side, top + side))]

    def _with_newcomers(
        self,
        image_bgr: np.ndarray,
        people: list[Pose],
        candidates: list[_Candidate],
        lost: tuple[tuple[float, float, int], ...],
    ) -> tuple[list[Pose], int]:
        """Everybody, with those of the candidates who are persons of their own; and how many looks that took.

        Near where somebody was `lost`, a candidate needs no higher score than somebody who is followed.
        """
        height, width = image_bgr.shape[:2]
        looks = 0
        for candidate, tile in candidates:
            if len(people) >= MOST_PEOPLE:
                break
            if any(_overlap(candidate, one) > 0.3 or (tile and _is_cut_off(candidate, one, tile)) for one in people):
                continue
            looks += 1
            pose = self._look(image_bgr, next_crop(*candidate, height, width))
            score = FOLLOWED_SCORE if any(_is_near(pose, place) for place in lost) else PERSON_SCORE
            if pose[1].mean() >= score and not any(_overlap(pose, one) > SAME_PERSON_IOU for one in people):
                people = [*people, pose]
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


def _body(pose: Pose) -> np.ndarray:
    """The box of a whole body, which reaches beyond its joints."""
    box = _box(pose)
    margin = BODY_MARGIN_SHARE * (box[2:] - box[:2]).max()
    return box + np.array([-margin, -margin, margin, margin])


def _overlap(first: Pose, second: Pose) -> float:
    """Intersection over union of two poses' boxes."""
    a, b = _box(first), _box(second)
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    common = float(sides.prod())
    return common / max(float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - common, 1e-9)


def _is_cut_off(part: Pose, person: Pose, tile: _Edges) -> bool:
    """Whether a pose is what a tile shows of somebody who is known: at its edge, and mostly inside their box."""
    a, b, edges = _box(part), _body(person), np.array(tile, np.float32)
    near = TILE_EDGE * (edges[2] - edges[0])
    if (a[:2] > edges[:2] + near).all() and (a[2:] < edges[2:] - near).all():
        return False
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    return bool(sides.prod() > SAME_PERSON_IOU * (a[2:] - a[:2]).prod())


def _is_near(pose: Pose, place: tuple[float, float, int]) -> bool:
    """Whether somebody who was lost at a place (x, y, image) may be here now."""
    box = _box(pose)
    return bool(np.linalg.norm((box[:2] + box[2:]) / 2 - place[:2]) < LOST_REACH * (box[2:] - box[:2]).max())


def _holds(pose: Pose, place: tuple[float, float, int]) -> bool:
    box = _box(pose)
    return bool(box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3])
