"""With `mirrored`, a mirrored input gives the mirrored pose: of recordings, of streams, of any graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk import Lifter
from sdk.lifting.mirrored import mirror
from sdk.skeletons.skeleton import COCO17, H36M16
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import SIZE, walk

FRAMES = 60
SEEN = np.concatenate([walk(FRAMES, (60, 60), (1.0, 0)), np.full((FRAMES, 17, 1), 0.9, np.float32)], 2)
SEEN[20:40, 9, 2] = 0  # a wrist that is not seen for a while
SEEN[50, 11:] = np.nan


@pytest.fixture(scope="module")
def plain() -> Lifter:
    return Lifter("fast", threads=1)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter("fast", threads=1, mirrored=True)


def filmed_in_a_mirror(keypoints: np.ndarray) -> np.ndarray:
    other = keypoints[:, list(COCO17.mirror)].copy()
    other[..., 0] = SIZE[0] - other[..., 0]
    return other


def streamed(lifter: Lifter, keypoints: np.ndarray, rate: float) -> np.ndarray:
    stream = lifter.stream(SIZE, "coco17")
    poses = [pose for i, frame in enumerate(keypoints) for pose in stream.push(frame, i / rate)] + stream.flush()
    return np.array([pose.joints_m for pose in poses])


def test_a_mirror_is_by_hand() -> None:
    pose = np.arange(48, dtype=np.float32).reshape(16, 3)
    found, wrist = mirror(pose), (H36M16.index("left_wrist"), H36M16.index("right_wrist"))
    assert found[wrist[0]].tolist() == [-pose[wrist[1], 0], *pose[wrist[1], 1:]]
    assert found[0].tolist() == [-pose[0, 0], *pose[0, 1:]]
    np.testing.assert_array_equal(mirror(found), pose)


def test_a_mirrored_recording_gives_the_mirrored_poses(plain: Lifter, lifter: Lifter) -> None:
    for one, agrees in ((lifter, True), (plain, False)):
        poses = one(SEEN, SIZE, "coco17", fps=25)
        off_m = np.abs(one(filmed_in_a_mirror(SEEN), SIZE, "coco17", fps=25) - mirror(poses)).max()
        assert bool(off_m < 1e-6) is agrees


def test_it_is_the_mean_of_both_answers(plain: Lifter, lifter: Lifter) -> None:
    direct = plain(SEEN, SIZE, "coco17", fps=25)
    of_mirrored = mirror(plain(filmed_in_a_mirror(SEEN), SIZE, "coco17", fps=25))
    np.testing.assert_allclose(lifter(SEEN, SIZE, "coco17", fps=25), (direct + of_mirrored) / 2, atol=1e-5)


@pytest.mark.parametrize("rate", [25.0, 30.0])
def test_a_stream_gives_the_same(lifter: Lifter, rate: float) -> None:
    """At the lifter's rate by the streaming graph, with two states; at another by windows."""
    assert lifter.stream(SIZE, "coco17").graph == "streaming"
    np.testing.assert_allclose(streamed(lifter, SEEN, rate), lifter(SEEN, SIZE, "coco17", fps=rate), atol=2e-5)
    off_m = np.abs(streamed(lifter, filmed_in_a_mirror(SEEN), rate) - mirror(streamed(lifter, SEEN, rate)))
    assert off_m.max() < 1e-6


def test_nobody_stays_nobody(lifter: Lifter) -> None:
    assert np.isnan(lifter(SEEN * np.nan, SIZE, "coco17", fps=25)).all()


def test_a_lifter_of_joints_that_must_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "lifter.onnx"
    write_linear_lifter(path)
    one = Lifter(path, mirrored=True)
    keypoints = SEEN[:40, :, :2]
    np.testing.assert_allclose(
        one(filmed_in_a_mirror(keypoints), SIZE, "coco17", fps=25),
        mirror(one(keypoints, SIZE, "coco17", fps=25)),
        atol=1e-6,
    )
