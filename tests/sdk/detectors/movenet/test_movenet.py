import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.movenet.crop import SquareCrop, next_crop
from sdk.skeletons.skeleton import COCO17
from tests.sdk.detectors.conftest import SKIER_COCO, SKIER_HEIGHT, read_frames, shared_file

pytest.importorskip("onnx")
from tests.sdk.detectors import toy_graphs

SINGLE = ("movenet-lightning", "movenet-thunder")


def upright_pose(centre_x: float, hip_y: float, unit: float) -> np.ndarray:
    """A stick figure: shoulders 2 units above the hips, ankles 4 below, everything on one line."""
    heights = {"shoulder": -2, "elbow": -1.5, "wrist": -1, "hip": 0, "knee": 2, "ankle": 4}
    y = [hip_y + unit * heights.get(name.rpartition("_")[2], -3) for name in COCO17.joints]
    return np.stack([np.full(17, centre_x), y], -1).astype(np.float32)


def test_the_next_crop_is_centred_on_the_hips_and_holds_the_body():
    """By hand: the ankles are farthest, 4 units of 10: half = max(1.9 * 20, 1.2 * 40) = 48."""
    crop = next_crop(upright_pose(300, 200, 10), np.full(17, 0.9), height=500, width=800)
    assert crop == SquareCrop(left=252, top=152, side=96)


def test_joints_that_are_not_seen_do_not_widen_the_crop():
    """By hand: without the legs the eyes are farthest, 30 px: half = max(38, 36)."""
    scores = np.full(17, 0.9)
    scores[[COCO17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]] = 0.1
    assert next_crop(upright_pose(300, 200, 10), scores, 500, 800) == SquareCrop(left=262, top=162, side=76)


@pytest.mark.parametrize("hidden", ["hip", "shoulder"])
def test_without_a_torso_the_whole_image_is_next(hidden):
    scores = np.full(17, 0.9)
    scores[[COCO17.index(f"left_{hidden}"), COCO17.index(f"right_{hidden}")]] = 0.1
    assert next_crop(upright_pose(300, 200, 10), scores, 500, 800) == SquareCrop.around_image(500, 800)


def test_a_body_that_fills_the_image_is_looked_at_whole():
    assert next_crop(upright_pose(400, 250, 120), np.full(17, 0.9), 500, 800) == SquareCrop.around_image(500, 800)


@pytest.fixture
def toy_single(tmp_path):
    """Joint j at x = 0.5, y = (j + 1) / 20 of what it sees; hips and shoulders score with the others."""
    fractions_yx = np.stack([(np.arange(17) + 1) / 20, np.full(17, 0.5)], -1)
    return open_detector(f"onnx:{toy_graphs.movenet_single(tmp_path / 'toy.onnx', fractions_yx)}")


def test_single_pose_in_a_square_image_by_hand(toy_single):
    """The body fills the image, so it is looked at once, whole: y = 100 (j + 1) / 20."""
    found = toy_single(np.full((100, 100, 3), (0, 0, 204), np.uint8))  # red 204 = score 0.8
    expected = np.stack([np.full(17, 50.0), 5 * np.arange(1, 18)], -1)
    np.testing.assert_allclose(found.keypoints, expected[None], rtol=1e-6)
    np.testing.assert_allclose(found.scores, np.full((1, 17), 0.8), rtol=1e-6)
    np.testing.assert_allclose(found.boxes, [[50, 5, 50, 85]], rtol=1e-6)
    assert found.keypoints.dtype == found.scores.dtype == found.boxes.dtype == np.float32


def test_single_pose_reads_red_not_blue(toy_single):
    assert len(toy_single(np.full((100, 100, 3), (204, 204, 0), np.uint8))) == 0


def test_single_pose_is_looked_at_again_where_the_body_is(toy_single):
    """By hand: a 200 x 100 image is padded by 50 rows, so the first look puts the hips at 200 * 12.5 / 20 - 50 = 75,
    and the second, as wide as the image, is centred there: its top is at 75 - 100, and y = 200 (j + 1) / 20 - 25.
    """
    found = toy_single(np.full((100, 200, 3), (0, 0, 255), np.uint8))  # half of it is padding: score 0.5
    np.testing.assert_allclose(found.keypoints[0, :, 1], 10 * np.arange(1, 18) - 25, rtol=1e-5)
    np.testing.assert_allclose(found.keypoints[0, :, 0], 100, rtol=1e-6)
    np.testing.assert_allclose(found.scores, 0.5, atol=0.01)


def test_multipose_by_hand(tmp_path):
    """People above the score in falling order; a 100 x 200 image becomes 192 x 384 without padding."""
    people = np.zeros((6, 56))
    for row, score in ((0, 0.15), (2, 0.5), (4, 0.9)):
        people[row, 0:51:3] = 0.25  # y
        people[row, 1:51:3] = 0.1 * row  # x
        people[row, 2:51:3] = 0.7
        people[row, 51:56] = [0.1, 0.2, 0.6, 0.4, score]
    path = toy_graphs.movenet_multi(tmp_path / "multi.onnx", people)
    found = open_detector(f"onnx:{path}")(np.zeros((100, 200, 3), np.uint8))
    np.testing.assert_allclose(found.box_scores, [0.9, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.keypoints[:, 3], [[80, 25], [40, 25]], rtol=1e-5)
    np.testing.assert_allclose(found.boxes, [[40, 10, 80, 60]] * 2, rtol=1e-5)
    np.testing.assert_allclose(found.scores, 0.7, rtol=1e-6)


def test_multipose_input_is_a_multiple_of_32_and_padding_is_no_part_of_the_image(tmp_path):
    """150 x 300 becomes 192 x 384; 90 x 300 becomes 115 x 384, padded to 128 rows. The toy reports the sizes it saw."""
    people = np.zeros((6, 56))
    people[5, 55] = 1
    detector = open_detector(f"onnx:{toy_graphs.movenet_multi(tmp_path / 'multi.onnx', people)}")
    found = detector(np.zeros((150, 300, 3), np.uint8))
    np.testing.assert_allclose(found.boxes[0, 1::-1], [0.192 * 150, 0.384 * 300], rtol=1e-5)
    found = detector(np.zeros((90, 300, 3), np.uint8))
    np.testing.assert_allclose(found.boxes[0, 1::-1], [0.128 * 90 * 128 / 115, 0.384 * 300], rtol=1e-5)


def test_multipose_of_a_fixed_size(tmp_path):
    """A 100 x 200 image in a 192 x 192 input: scaled by 0.96, the lower half is padding."""
    people = np.zeros((6, 56))
    people[5, 55] = 1
    path = toy_graphs.movenet_multi(tmp_path / "multi.onnx", people, size=(192, 192))
    found = open_detector(f"onnx:{path}")(np.zeros((100, 200, 3), np.uint8))
    np.testing.assert_allclose(found.boxes[0, 1::-1], [0.192 * 200, 0.192 * 200], rtol=1e-5)


@pytest.mark.parametrize("name", [*SINGLE, "movenet-multipose"])
def test_the_skier_is_where_the_annotators_saw_her(skier, name):
    """Sides included: her left is to our right."""
    found = open_detector(f"onnx:{shared_file(f'models/{name}.onnx')}")(skier)
    assert len(found) == 1
    error = np.linalg.norm(found.keypoints[0] - SKIER_COCO, axis=-1)
    assert np.median(error) < 0.03 * SKIER_HEIGHT
    swapped = np.linalg.norm(found.keypoints[0][list(COCO17.mirror)] - SKIER_COCO, axis=-1)
    assert np.median(error) < 0.5 * np.median(swapped)


@pytest.mark.parametrize("name", SINGLE)
def test_the_crop_follows_and_reset_forgets(name):
    detector = open_detector(f"onnx:{shared_file(f'models/{name}.onnx')}")
    frames = read_frames("pose2sim_cam01.mp4", count=12)
    first_run = [detector(frame) for frame in frames]
    assert [len(found) for found in first_run] == [1] * 12
    tracked = first_run[-1]
    detector.reset()
    afresh = detector(frames[-1])
    assert not np.array_equal(tracked.keypoints, afresh.keypoints)
    detector.reset()
    for before, after in zip(first_run, [detector(frame) for frame in frames], strict=True):
        np.testing.assert_array_equal(before.keypoints, after.keypoints)


@pytest.fixture(scope="module")
def empty_scene():
    """The scene of sports2d_demo.mp4 without its people: the median over time."""
    return np.median(read_frames("sports2d_demo.mp4", count=230)[::23], axis=0).astype(np.uint8)


@pytest.mark.parametrize("name", [*SINGLE, "movenet-multipose"])
def test_nobody_in_an_empty_scene(name, empty_scene):
    detector = open_detector(f"onnx:{shared_file(f'models/{name}.onnx')}")
    noise = np.random.default_rng(0).integers(0, 256, empty_scene.shape, np.uint8)
    for image in (empty_scene, noise, np.zeros_like(empty_scene)):
        detector.reset()
        assert len(detector(image)) == 0


def test_a_person_who_leaves_is_lost_and_one_who_comes_is_found(skier):
    detector = open_detector(f"onnx:{shared_file('models/movenet-thunder.onnx')}")
    empty = np.full_like(skier, 200)
    assert [len(detector(image)) for image in (empty, skier, skier, empty, empty, skier)] == [0, 1, 1, 0, 0, 1]


def test_multipose_sees_both_people():
    detector = open_detector(f"onnx:{shared_file('models/movenet-multipose.onnx')}")
    counts = [len(detector(frame)) for frame in read_frames("sports2d_demo.mp4", start=68, count=4)]
    assert counts == [2, 2, 2, 2]
