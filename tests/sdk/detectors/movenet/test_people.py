"""Everybody in the image, followed: on a made-up model whose people are bright squares, and on the real ones."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from sdk.detectors.movenet.people import (
    FOLLOWED_SCORE,
    PERSON_SCORE,
    TILES_WHILE_NOBODY,
    Followed,
    MoveNetPeople,
    _each_once,
)
from sdk.detectors.movenet.search_plan import (
    LARGE_PX,
    MISSED_IMAGES,
    QUIET_SHARE,
    SEARCH_EVERY,
    SEARCH_SHARE,
    tiles_of,
)
from sdk.detectors.onnx_models import OnnxModel, Port
from sdk.errors import BadBoxes
from sdk.tracking.person_tracker import PersonTracker
from tests.sdk.detectors.conftest import read_frames, shared_file
from tests.sdk.openvino_at_hand import needs_openvino

LAYOUT = np.random.default_rng(0).uniform(0.1, 0.9, (17, 2)).astype(np.float32)
LAYOUT[5:7], LAYOUT[11:13] = [[0.6, 0.3], [0.4, 0.3]], [[0.55, 0.6], [0.45, 0.6]]
LAYOUT[[0, 15]] = [[0.5, 0.02], [0.5, 0.98]]
"""Joints of a made-up person, as fractions of the square it stands in: x, y."""


class Squares:
    """Both models in one: white squares on black are people, who are seen if they are `least` network pixels high."""

    path, device, identity = "squares", "cpu", "0" * 16
    for_two_threads = None

    def __init__(self, size: int | None, least: int) -> None:
        self.inputs = [Port("image", (1, size, size, 3), "tensor(int32)")]
        self.size, self.least = size, least
        self.seen: list[tuple[int, int]] = []
        self.score = 0.9

    @property
    def runs(self) -> int:
        return len(self.seen)

    def run(self, image: np.ndarray) -> list[np.ndarray]:
        height, width = image.shape[1:3]
        self.seen.append((height, width))
        grey = (image[0, ..., 0] > 127).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(grey)
        found = [stats[i] for i in range(1, count) if stats[i][3] >= self.least]
        if self.size is None:
            people = np.zeros((1, 6, 56), np.float32)
            for person, (x, y, w, h, _) in zip(people[0], found, strict=False):
                joints = (LAYOUT * (w, h) + (x, y)) / (width, height)
                person[:51] = np.concatenate([joints[:, ::-1], np.full((17, 1), 0.9)], 1).ravel()
                person[51:] = [y / height, x / width, (y + h) / height, (x + w) / width, 0.8]
            return [people]
        pose = np.zeros((1, 1, 17, 3), np.float32)
        if found:
            middle = [abs(x + w / 2 - width / 2) + abs(y + h / 2 - height / 2) for x, y, w, h, _ in found]
            x, y, w, h, _ = found[int(np.argmin(middle))]
            pose[0, 0] = np.concatenate(
                [((LAYOUT * (w, h) + (x, y)) / (width, height))[:, ::-1], np.full((17, 1), self.score)], 1
            )
        return [pose]


def scene(*squares: tuple[int, int, int], size: tuple[int, int] = (480, 640)) -> np.ndarray:
    """Black, with white squares: left, top, side."""
    image = np.zeros((*size, 3), np.uint8)
    for left, top, side in squares:
        image[top : top + side, left : left + side] = 255
    return image


def detector(size: int = 256, **options: int) -> MoveNetPeople:
    finder, refiner = Squares(None, 20), Squares(size, 20)
    return MoveNetPeople(finder, refiner, **options)  # type: ignore[arg-type]  # a stand-in for OnnxModel


def middles(found) -> list[tuple[int, int]]:  # type: ignore[no-untyped-def]
    return sorted((round(float(b[0] + b[2]) / 2), round(float(b[1] + b[3]) / 2)) for b in found.boxes)


def test_everybody_is_found_and_refined() -> None:
    found = detector()(scene((100, 100, 120), (400, 200, 150)))
    assert len(found) == 2
    for keypoints, (left, top, side) in zip(found.keypoints, ((100, 100, 120), (400, 200, 150)), strict=True):
        expected = LAYOUT * side + (left, top)
        assert min(np.abs(keypoints - expected).max(), np.abs(found.keypoints[::-1][0] - expected).max()) < 4


def test_people_are_followed_without_the_finder_and_keep_their_order() -> None:
    people = detector()
    first = people(scene((100, 100, 120), (400, 200, 150)))
    searched = people._finder_model.runs
    for t in range(1, SEARCH_EVERY):
        found = people(scene((100 + 8 * t, 100, 120), (400 - 8 * t, 200, 150)))
        assert people._finder_model.runs == searched
        step = found.keypoints.mean(1) - first.keypoints.mean(1)
        np.testing.assert_allclose(np.abs(step[:, 0]), 8 * t, atol=4)
        assert np.sign(step[0, 0]) == -np.sign(step[1, 0])


def test_a_newcomer_is_found_in_the_next_search() -> None:
    people = detector(search_every=4)
    counts = [len(people(scene((100, 100, 120), *([(400, 200, 150)] if t >= 2 else [])))) for t in range(6)]
    assert counts == [1, 1, 1, 1, 2, 2]


def test_who_leaves_is_lost_and_the_others_stay() -> None:
    people = detector()
    people(scene((100, 100, 120), (400, 200, 150)))
    assert middles(people(scene((100, 100, 120)))) == [pytest.approx((160, 160), abs=3)]


@pytest.mark.parametrize(
    ("away", "left", "found"),
    [(3, 150, 1), (3, 330, 1), (3, 480, 0), (MISSED_IMAGES + 2, 150, 0)],
    ids=["there", "near", "far off", "long after"],
)
def test_who_was_just_lost_needs_no_higher_score_near_their_place(away: int, left: int, found: int) -> None:
    """A newcomer with the same score is none: people of whom it is so unsure are mostly furniture."""
    people = detector()
    assert len(people(scene((100, 100, 100)))) == 1
    for _ in range(away):
        assert len(people(scene())) == 0
    people._refiner.score = (PERSON_SCORE + FOLLOWED_SCORE) / 2  # type: ignore[attr-defined]  # of `Squares`
    assert len(people(scene((left, 100, 100)))) == found


def test_of_two_poses_on_one_person_the_surer_stays() -> None:
    sure, unsure = np.full(17, 0.8, np.float32), np.full(17, 0.5, np.float32)
    person, other = LAYOUT * 100, LAYOUT * 100 + (300, 0)
    kept = _each_once([(person, unsure), (other, unsure), (person + 5, sure)])
    assert [float(keypoints[0, 0]) for keypoints, _ in kept] == [float(other[0, 0]), float(person[0, 0] + 5)]


def test_a_small_person_in_a_large_image_is_found_in_tiles_and_then_followed() -> None:
    """24 pixels of 1920: in the whole image, made five times smaller, nobody; in a tile the person is seen."""
    people = detector()
    place = (1500, 700, 24)
    found_at = next(t for t in range(80) if len(people(scene(place, size=(1080, 1920)))))
    assert 0 < found_at < len(tiles_of(1080, 1920)) / 3
    assert middles(people(scene((1506, 702, 24), size=(1080, 1920)))) == [pytest.approx((1518, 714), abs=3)]


def test_tiles_cover_the_image_with_an_overlap() -> None:
    for height, width in ((1080, 1920), (720, 1280), (2160, 3840), (300, 700)):
        tiles = tiles_of(height, width)
        assert len(set(tiles)) == len(tiles)
        for side in {side for _, _, side in tiles}:
            seen = np.zeros((height, width), bool)
            for left, top, one in tiles:
                if one == side:
                    seen[top : top + side, left : left + side] = True
                    assert left >= 0
                    assert top >= 0
            assert seen.all(), (height, width, side)


def test_images_of_usual_size_have_no_tiles() -> None:
    people = detector()
    people(scene(size=(LARGE_PX * 3 // 4, LARGE_PX)))
    assert people._finder_model.runs == 1


class TestTheSearchIsSpreadOverImages:
    """Counted in calls of the models, and in the work that they are: no clock."""

    CROWD = tuple((60 + 340 * i, 200, 120) for i in range(5))

    def followed(
        self, size: int, people: int, images: int = 120, *, panning: bool = False, **options: int
    ) -> tuple[list[list[tuple[int, int]]], list[int]]:
        """Sizes that the finder saw, and calls of the refiner, of each image after the first one."""
        detecting = detector(size, **options)
        finder, refiner = detecting._finder_model, detecting._refiner
        view = scene(*self.CROWD[:people], size=(1080, 1920))
        blotches = np.random.default_rng(0).integers(0, 100, (27, 148, 1), np.uint8).repeat(40, 0).repeat(40, 1)
        assert len(detecting(view)) == people
        searched, looks = [], []
        for t in range(images):
            before, runs = finder.runs, refiner.runs
            moved = np.maximum(view, blotches[:, 13 * t :][:, :1920]) if panning else view
            assert len(detecting(moved)) == people
            searched.append(finder.seen[before:])
            looks.append(refiner.runs - runs)
        return searched, looks

    def share(self, searched: list[list[tuple[int, int]]], looks: list[int], size: int) -> float:
        """Of the work that is the search's."""
        search = sum(1.15 * height * width / 256**2 for calls in searched for height, width in calls)
        return search / (search + sum(looks) * (0.3 if size == 192 else 1.0))

    @pytest.mark.parametrize("size", [256, 192])
    @pytest.mark.parametrize("people", [1, 5])
    def test_while_the_camera_moves_it_takes_a_third_at_most_and_one_call_an_image(
        self, size: int, people: int
    ) -> None:
        searched, looks = self.followed(size, people, panning=True)
        assert {len(calls) for calls in searched} == {0, 1}
        assert self.share(searched, looks, size) <= SEARCH_SHARE + 1e-6
        # It is not starved either: both the whole image and tiles have their turn.
        kinds = [calls[0] for calls in searched if calls]
        assert kinds.count((224, 384)) == pytest.approx(len(kinds) / 2, abs=2)
        assert kinds.count((384, 384)) >= 3
        assert self.share(searched, looks, size) >= (0.2 if people == 1 else 0.05)

    @pytest.mark.parametrize("size", [256, 192])
    @pytest.mark.parametrize("people", [1, 5])
    def test_while_nothing_changes_it_takes_little(self, size: int, people: int) -> None:
        searched, looks = self.followed(size, people, images=600)
        assert {len(calls) for calls in searched} == {0, 1}
        after_first_sweep = slice(20, None)  # everything is plain
        share = self.share(searched[after_first_sweep], looks[after_first_sweep], size)
        assert QUIET_SHARE / 2 < share < QUIET_SHARE * 1.3  # a search is a large piece of it
        kinds = [calls[0] for calls in searched[after_first_sweep] if calls]
        assert kinds.count((224, 384)) == pytest.approx(len(kinds) / 2, abs=1)

    @pytest.mark.parametrize(("size", "images"), [(256, 10), (192, 20)])
    def test_who_comes_into_view_is_found_soon_however_small(self, size: int, images: int) -> None:
        detecting = detector(size)
        for _ in range(60):
            detecting(scene(self.CROWD[0], size=(1080, 1920)))
        for _ in range(images):
            found = detecting(scene(self.CROWD[0], (1500, 700, 24), size=(1080, 1920)))
        assert middles(found)[1] == pytest.approx((1512, 712), abs=3)

    def test_with_many_people_it_comes_every_nth_image(self) -> None:
        searched, _ = self.followed(256, 5, images=60, panning=True)
        assert [t for t, calls in enumerate(searched, start=1) if calls] == list(range(SEARCH_EVERY, 61, SEARCH_EVERY))
        searched, _ = self.followed(256, 5, images=60, panning=True, search_every=20)
        assert [t for t, calls in enumerate(searched, start=1) if calls] == [20, 40, 60]

    def test_while_nobody_is_followed_every_image_is_searched(self) -> None:
        people = detector()
        empty = scene(size=(1080, 1920))
        for t in range(1, 30):
            assert len(people(empty)) == 0
            assert people._finder_model.runs == (1 + TILES_WHILE_NOBODY) * t
            assert people._refiner.runs == 0


def test_nothing_is_kept_but_what_is_handed_on() -> None:
    """Two images of a pair are looked at by two threads: `find` must not change the detector."""
    people = detector()
    image = scene((100, 100, 120))
    first = people.find(image, Followed())
    again = people.find(image, Followed())
    np.testing.assert_array_equal(first[0].keypoints, again[0].keypoints)
    assert people._kept == Followed()


def test_search_every_is_a_count() -> None:
    with pytest.raises(BadBoxes, match="0"):
        detector(search_every=0)


@pytest.fixture(scope="module")
def people() -> MoveNetPeople:
    models = [OnnxModel(shared_file(f"models/movenet-{name}.onnx")) for name in ("multipose", "thunder")]
    return MoveNetPeople(*models)


class TestRealModels:
    @needs_openvino
    def test_openvino_finds_the_same_people_where_onnx_runtime_does(self, people: MoveNetPeople) -> None:
        names = ("multipose", "thunder")
        other = MoveNetPeople(*(OnnxModel(shared_file(f"models/movenet-{name}.onnx"), "openvino") for name in names))
        people.reset()
        for image in read_frames("pose2sim_cam01.mp4")[:20:5]:
            wanted, found = people(image), other(image)
            assert len(found.boxes) == len(wanted.boxes) == 2
            distance = np.linalg.norm(found.keypoints_px - wanted.keypoints_px, axis=-1)[wanted.scores > 0.3]
            height = np.ptp(wanted.keypoints_px[..., 1], axis=1).min()
            assert np.median(distance) < 0.015 * height
        people.reset()

    def test_both_men_of_the_film_in_every_image(self, people: MoveNetPeople) -> None:
        people.reset()
        assert [len(people(image)) for image in read_frames("pose2sim_cam01.mp4", count=12)] == [2] * 12

    def test_a_person_of_64_pixels_in_1080p(self, people: MoveNetPeople) -> None:
        people.reset()
        film = read_frames("pose2sim_cam01.mp4", count=10)
        scale = 64 / 720
        found = SimpleNamespace(last=0)
        for image in film * 3:
            view = np.full((1080, 1920, 3), 200, np.uint8)
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            view[500 : 500 + small.shape[0], 1200 : 1200 + small.shape[1]] = small
            found.last = len(people(view))
        assert found.last >= 1

    def test_everyone_in_the_film_of_two_people_crossing_is_tracked_under_one_number(
        self, people: MoveNetPeople
    ) -> None:
        """Looked at by eye: who is in full view from when to when, and where in some frames. The man leaps off the roof
        in between, upside down before the sun. Every third frame: ten a second.
        """
        first, step = 30, 3
        film = read_frames("sports2d_demo.mp4", start=first, count=230 - first)[::step]
        people.reset()
        tracker = PersonTracker(30 / step)
        tracked = [tracker.update(people(image)) for image in film]
        in_view = {
            "the man on the roof": {30: (629, 257), 60: (629, 250), 100: (650, 223), 150: (820, 250), 156: (820, 260)},
            "the woman": {48: (1510, 720), 60: (1409, 697), 100: (1022, 710), 140: (629, 700), 170: (338, 720)},
            "the man on the grass": {199: (1140, 830), 210: (1259, 745), 220: (1476, 690)},
        }
        numbers = set()
        for who, marked in in_view.items():
            seen = []
            for t in range(len(film)):
                frame = first + step * t
                if min(marked) <= frame <= max(marked):
                    x, y = (np.interp(frame, list(marked), [place[i] for place in marked.values()]) for i in (0, 1))
                    boxes = {one.track_id: one.box for one in tracked[t]}
                    seen += [k for k, b in boxes.items() if b[0] - 60 <= x <= b[2] + 60 and b[1] - 60 <= y <= b[3] + 60]
            frames = len(range(-(-(min(marked) - first) // step), (max(marked) - first) // step + 1))
            assert len(set(seen)) == 1, f"{who} has the numbers {sorted(set(seen))}"
            assert len(seen) >= 0.95 * frames, f"{who} is tracked in {len(seen)} of {frames} frames"
            numbers |= set(seen)
        assert len(numbers) == 3
        assert max(map(len, tracked)) == 2
        assert len(tracked[-1]) == 0  # frame 228: nobody
