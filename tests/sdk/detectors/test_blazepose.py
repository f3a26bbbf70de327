from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.skeletons.skeleton import COCO17, MEDIAPIPE33
from tests.sdk.detectors.conftest import SKIER_COCO, SKIER_HEIGHT, read_frames

pytest.importorskip("mediapipe")
COMMON = [MEDIAPIPE33.index(name) for name in COCO17.joints]


@pytest.fixture(scope="module")
def detector():
    return open_detector("mediapipe")


def portrait() -> np.ndarray:
    """Rear Admiral Grace Hopper, whose image comes with matplotlib."""
    matplotlib = pytest.importorskip("matplotlib")
    return cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))


def test_the_face_and_shoulders_of_a_portrait(detector):
    """The eyes as seen by eye in the 512 x 600 image; the legs are outside and must not be sure."""
    detector.reset()
    found = detector(portrait())
    assert len(found) == 1
    joints = {name: found.keypoints[0, MEDIAPIPE33.index(name)] for name in MEDIAPIPE33.joints}
    scores = {name: found.scores[0, MEDIAPIPE33.index(name)] for name in MEDIAPIPE33.joints}
    np.testing.assert_allclose(joints["left_eye"], [307, 186], atol=15)
    np.testing.assert_allclose(joints["right_eye"], [222, 189], atol=15)
    assert joints["left_shoulder"][0] > joints["nose"][0] > joints["right_shoulder"][0]
    assert min(scores["left_shoulder"], scores["right_shoulder"], scores["nose"]) > 0.9
    assert max(scores["left_ankle"], scores["right_ankle"]) < 0.5


def test_nobody_in_an_empty_image(detector):
    detector.reset()
    assert len(detector(np.full((240, 320, 3), 128, np.uint8))) == 0
    assert detector(np.zeros((240, 320, 3), np.uint8)).keypoints.shape == (0, 33, 2)


def test_reset_starts_another_video(detector):
    """MediaPipe smooths over time: what came before changes the answer, unless it was reset."""
    person = portrait()
    moved = np.roll(person, 40, axis=1)

    def afresh():
        detector.reset()
        return detector(moved).keypoints

    first = afresh()
    detector.reset()
    detector(person)
    assert not np.array_equal(detector(moved).keypoints, first)
    np.testing.assert_array_equal(afresh(), first)


def test_it_writes_nothing_to_stderr(capfd):
    detector = open_detector("mediapipe")
    image = portrait()
    capfd.readouterr()
    for _ in range(3):
        detector(image)
    detector.reset()
    detector(image)
    assert capfd.readouterr().err == ""


def test_identity_names_the_version(detector):
    import mediapipe

    assert detector.identity.startswith(f"mediapipe:{mediapipe.__version__}:")


def test_the_skier_is_where_the_annotators_saw_her(detector, skier):
    """Sides included: her left is to our right."""
    detector.reset()
    found = detector(skier)
    assert len(found) == 1
    error = np.linalg.norm(found.keypoints[0][COMMON] - SKIER_COCO, axis=-1)
    assert np.median(error) < 0.03 * SKIER_HEIGHT


def test_the_man_on_the_beam_is_found_in_every_frame(detector):
    detector.reset()
    assert [len(detector(frame)) for frame in read_frames("pose2sim_cam01.mp4", count=15)] == [1] * 15
