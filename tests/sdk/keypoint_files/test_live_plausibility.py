"""Facts that live keypoints contradict are told once, with cause and way out; nothing stops; the cost is bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sdk import Lifter, PoseStream
from sdk.commands.live_summary import LiveSummary
from sdk.keypoint_files import live_plausibility
from sdk.keypoint_files.live_plausibility import LiveDoubts, with_scores
from sdk.video.source import open_video
from tests.sdk.stick_figures import SIZE, KnowingDetector, walk, write_video

RATE = 25.0
WALK = walk(300, (60, 60), (0.5, 0))
UPSIDE_DOWN = WALK * (1, -1) + np.array((0, SIZE[1]))
WIDE = np.array(SIZE)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter("fast", threads=1)


def notes(lifter: Lifter, keypoints: np.ndarray, size: tuple[int, int] = SIZE, skeleton: str = "coco17") -> Any:
    stream = lifter.stream(size, skeleton)
    for i, frame in enumerate(keypoints):
        stream.push(frame, i / RATE)
    return stream.notes


def test_right_facts_raise_no_doubt(lifter: Lifter) -> None:
    away = WALK.copy()
    away[40:90] = np.nan
    away[5:9, 9] = np.nan
    assert notes(lifter, away) == ()


@pytest.mark.parametrize(
    ("keypoints", "size", "skeleton", "words"),
    [
        (WALK / WIDE, SIZE, "coco17", "no pixels of an image of 320x240.*Convert"),
        (WALK - WIDE / 2, SIZE, "coco17", "outside the image.*are they no pixels"),
        (WALK + np.array((115, 0)), (240, 320), "coco17", "fit an image of 320x240.*width and height exchanged"),
        (WALK, SIZE, "h36m17", "but in that of coco17"),
        (UPSIDE_DOWN, SIZE, "coco17", "heads are below hips.*y = height - y"),
    ],
)
def test_wrong_facts_are_told_once(
    lifter: Lifter, keypoints: np.ndarray, size: Any, skeleton: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    (note,) = notes(lifter, keypoints, size, skeleton)
    with pytest.raises(AssertionError, match=f"(?s){words}"):
        raise AssertionError(note)
    assert caplog.text.count(note) == 1


def test_somebody_may_lie_down_later(lifter: Lifter) -> None:
    assert notes(lifter, np.concatenate([WALK, UPSIDE_DOWN, UPSIDE_DOWN])) == ()


def test_another_person_is_looked_at_anew(lifter: Lifter) -> None:
    stream = lifter.stream(SIZE, "coco17")
    for _ in range(2):
        for i, frame in enumerate(WALK[:40] / WIDE):
            stream.push(frame, i / RATE)
        assert len(stream.notes) == 1
        stream.flush()
        assert stream.notes == ()


def test_hours_cost_few_looks_and_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look(people: list[np.ndarray], *_: Any, **__: Any) -> list[Any]:
        looks.append(len(people[0]))
        return []

    monkeypatch.setattr(live_plausibility, "find_doubts", look)
    doubts, person = LiveDoubts("coco17", SIZE), with_scores(WALK[0])
    for i in range(50_000):  # 33 minutes
        doubts.push([person] * 3, i / RATE)
    assert 8 <= len(looks) <= 14
    assert max(looks) <= 130


def test_a_stream_of_images_says_so_and_goes_on(lifter: Lifter, tmp_path: Any) -> None:
    path = tmp_path / "a.mp4"
    people = [[frame] for frame in WALK[:60]]
    write_video(path, people)

    class Fractions(KnowingDetector):
        def __call__(self, image_bgr: np.ndarray) -> Any:
            found = super().__call__(image_bgr)
            return type(found)(
                found.keypoints_px / WIDE, found.scores, found.boxes / np.tile(WIDE, 2), found.box_scores
            )

    with PoseStream(open_video(path), Fractions(people), lifter) as stream:
        summary = LiveSummary(stream)
        frames = list(stream)
        for frame in frames:
            summary.add(frame, 0.0)
        assert len(frames) == 60
        assert [len(frame.notes) for frame in frames if frame.notes] == [1]
        assert "Note: all coordinates are below 2" in summary.text([])
        assert frames[40].people[0].joints_m is not None
    with PoseStream(open_video(path), KnowingDetector(people), lifter) as stream:
        assert all(frame.notes == () for frame in stream)
