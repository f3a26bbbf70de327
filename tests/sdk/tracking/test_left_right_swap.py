"""Exchanges that a detector makes are undone; people who cross their legs, or turn round, are left as they are."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.skeletons.skeleton import COCO17, MEDIAPIPE33
from sdk.tracking.left_right_swap import LONGEST_SWAP_S, SideSwapRepair, repair_together
from tests.sdk.stick_figures import walk

LEGS = [COCO17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
ARMS = [COCO17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")]
SCORES = np.linspace(0.3, 0.9, 17).astype(np.float32)


def exchange(keypoints: np.ndarray, limb: list[int]) -> np.ndarray:
    exchanged = keypoints.copy()
    exchanged[limb] = keypoints[limb[3:] + limb[:3]]
    return exchanged


@pytest.mark.parametrize(("name", "limb"), [("legs", LEGS), ("arms", ARMS)])
def test_exchanged_limbs_are_put_right(name: str, limb: list[int]) -> None:
    track = walk(60, (100, 60), (1.5, 0))
    repair = SideSwapRepair(COCO17)
    wrong = {10, 11, 12, 30, 45, 46}
    for t, keypoints in enumerate(track):
        seen = exchange(keypoints, limb) if t in wrong else keypoints
        scores = exchange(SCORES, limb) if t in wrong else SCORES
        repaired = repair(seen, scores, t / 25)
        np.testing.assert_array_equal(repaired.keypoints_px, keypoints)
        np.testing.assert_array_equal(repaired.scores, SCORES)
        assert repaired.exchanged == ((name,) if t in wrong else ())


def test_legs_that_cross_are_left_alone() -> None:
    """From the side, the feet swing through each other in opposite phase."""
    track = walk(100, (100, 60), (2, 0))
    swing = 20 * np.sin(2 * np.pi * np.arange(100) / 25)[:, None] * np.array([0.2, 0.6, 1.0])
    middle = track[:, LEGS[:3], 0] / 2 + track[:, LEGS[3:], 0] / 2
    track[:, LEGS[:3], 0], track[:, LEGS[3:], 0] = middle + swing, middle - swing
    repair = SideSwapRepair(COCO17)
    for t, keypoints in enumerate(track):
        repaired = repair(keypoints, SCORES, t / 25)
        assert repaired.exchanged == ()
        np.testing.assert_array_equal(repaired.keypoints_px, keypoints)


def test_detector_that_insists_is_believed_in_the_end() -> None:
    track = walk(60, (100, 60), (0.5, 0))
    repair = SideSwapRepair(COCO17)
    exchanged = []
    for t, keypoints in enumerate(track):
        seen = exchange(keypoints, LEGS) if t >= 20 else keypoints
        exchanged.append(bool(repair(seen, SCORES, t / 25).exchanged))
    until = 20 + int(LONGEST_SWAP_S * 25)
    assert exchanged == [False] * 20 + [True] * (until - 20 + 1) + [False] * (60 - until - 1)


def test_noise_is_no_exchange() -> None:
    track = walk(200, (100, 60), (0.5, 0)) + np.random.default_rng(0).normal(0, 2, (200, 17, 2)).astype(np.float32)
    repair = SideSwapRepair(COCO17)
    assert not any(repair(keypoints, SCORES, t / 25).exchanged for t, keypoints in enumerate(track))


def test_first_image_is_believed_also_after_a_reset() -> None:
    (keypoints,) = walk(1, (100, 60), (0, 0))
    repair = SideSwapRepair(COCO17)
    repair(keypoints, SCORES, 0.0)
    assert repair(exchange(keypoints, LEGS), SCORES, 0.04).exchanged == ("legs",)
    repair.reset()
    assert repair(exchange(keypoints, LEGS), SCORES, 0.08).exchanged == ()


def test_every_layout_has_the_limbs() -> None:
    SideSwapRepair(MEDIAPIPE33)(np.zeros((33, 2), np.float32), np.ones(33, np.float32), 0.0)


def test_people_together_are_people_alone() -> None:
    """Each with exchanges of their own, one of them from the tenth image on."""
    tracks = [walk(40, (100 * i, 60), (1.5 - i, 0), phase=float(i)) for i in range(3)]
    wrong = [({12, 13}, LEGS), ({20}, ARMS), (set(), LEGS)]
    together, alone = ([SideSwapRepair(COCO17) for _ in range(3)] for _ in range(2))
    found = []
    for t in range(40):
        here = [0, 1, 2] if t >= 10 else [0, 2]
        seen = np.stack([exchange(tracks[i][t], wrong[i][1]) if t in wrong[i][0] else tracks[i][t] for i in here])
        repaired = repair_together([together[i] for i in here], seen, np.stack([SCORES] * len(here)), t / 25)
        for i, keypoints, one in zip(here, seen, repaired, strict=True):
            same = alone[i](keypoints, SCORES, t / 25)
            np.testing.assert_array_equal(one.keypoints_px, same.keypoints_px)
            np.testing.assert_array_equal(one.keypoints_px, tracks[i][t])
            assert one.exchanged == same.exchanged
            found += [(i, t, limb) for limb in one.exchanged]
    assert found == [(0, 12, "legs"), (0, 13, "legs"), (1, 20, "arms")]
