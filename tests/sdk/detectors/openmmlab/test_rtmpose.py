import cv2
import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.detectors.onnx_models import OnnxModel, is_rtmpose
from sdk.detectors.openmmlab.rtmpose import PersonCrop, RTMPose, decode_simcc
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17

pytest.importorskip("onnx")
from tests.sdk.detectors import toy_graphs

LEVEL = 150
SCORES = [(150 - 123.675) / 58.395, (150 - 116.28) / 57.12, (150 - 103.53) / 57.375]
"""What ImageNet's normalisation makes of a red, a green and a blue of 150."""


class FixedBoxes:
    """A detector that finds the same boxes in every image."""

    skeleton = COCO17
    identity = "fixed"

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        count = len(boxes)
        self.resets = 0
        self.found = Detections(
            np.zeros((count, 17, 2), np.float32),
            np.zeros((count, 17), np.float32),
            np.array(boxes, np.float32).reshape(count, 4),
            np.linspace(0.9, 0.5, count, dtype=np.float32),
        )

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        return self.found

    def reset(self) -> None:
        self.resets += 1


def paint_person(image: np.ndarray, corners: list[tuple[int, int]]) -> None:
    """A red, a green and a blue square of 12 pixels, by their upper left corners (x, y)."""
    for channel, (x, y) in zip((2, 1, 0), corners, strict=True):
        image[y : y + 12, x : x + 12, channel] = LEVEL


def test_simcc_by_hand():
    """The class of the maximum over two; the lower of the two maxima, held in [0, 1]."""
    x, y = np.zeros((2, 17, 384)), np.zeros((2, 17, 512))
    x[0, 3, 101], y[0, 3, 300] = 0.8, 0.6
    x[1, 16, 383], y[1, 16, 511] = 7.0, 9.0
    x[0, 5, 10], y[0, 5, :] = 0.9, -0.5
    positions, scores = decode_simcc(x, y)
    assert positions.shape == (2, 17, 2)
    np.testing.assert_allclose(positions[0, 3], [50.5, 150.0])
    np.testing.assert_allclose(positions[1, 16], [191.5, 255.5])
    np.testing.assert_allclose([scores[0, 3], scores[1, 16], scores[0, 5]], [0.6, 1.0, 0.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("box", "centre", "width", "height"),
    [
        ((100, 50, 140, 210), (120, 130), 150, 200),  # tall: 160 * 1.25 high, 3/4 of it wide
        ((100, 50, 300, 90), (200, 70), 250, 250 * 4 / 3),  # wide: 200 * 1.25
        ((10, 10, 10, 10), (10, 10), 1.25, 1.25 * 4 / 3),  # nothing: one pixel
    ],
)
def test_the_crop_is_the_widened_box_in_the_networks_aspect(box, centre, width, height):
    crop = PersonCrop.around_box(np.array(box), aspect=192 / 256)
    np.testing.assert_allclose([*crop.centre, crop.width, crop.height], [*centre, width, height])


def test_cut_and_to_pixels_are_inverse():
    """A smooth spot, found again by its centre of mass."""
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(image, (211, 143), 9, (255, 255, 255), -1)
    crop = PersonCrop.around_box(np.array([150, 60, 260, 250]), aspect=192 / 256)
    cut = crop.cut(image, 192, 256).astype(float)[..., 0]
    rows, columns = np.mgrid[:256, :192]
    centre = np.array([(columns * cut).sum(), (rows * cut).sum()]) / cut.sum()
    np.testing.assert_allclose(crop.to_pixels(centre, 192), [211, 143], atol=0.1)


@pytest.mark.parametrize("joints", [17, 26, 133])
@pytest.mark.parametrize("batch", ["N", 1, 2, 4])
@pytest.mark.parametrize("named", [True, False])
def test_three_people_in_one_call(tmp_path, joints, batch, named):
    """The toy puts joint j on the square of colour j % 3: position, colour order and normalisation are worked out."""
    corners = [
        [(60, 80), (90, 150), (100, 220)],
        [(300, 60), (350, 100), (320, 260)],
        [(480, 100), (500, 180), (520, 300)],
    ]
    image = np.zeros((400, 640, 3), np.uint8)
    for person in corners:
        paint_person(image, person)
    boxes = FixedBoxes((50, 70, 120, 250), (290, 50, 380, 290), (470, 90, 540, 320))
    model = OnnxModel(toy_graphs.rtmpose(tmp_path / "toy.onnx", joints, batch, named=named))
    assert is_rtmpose(model)
    detector = RTMPose(model, boxes)
    found = detector(image)
    joints = 23 if joints == 133 else joints  # of a whole body, COCO's joints and the feet
    assert (":feet" in detector.identity) == (joints == 23)
    assert len(detector.skeleton) == joints
    assert found.keypoints.shape == (3, joints, 2)
    for joint in range(joints):
        expected = [person[joint % 3] for person in corners]
        np.testing.assert_allclose(found.keypoints[:, joint], expected, atol=2)  # 1.2 pixels to a network pixel
        np.testing.assert_allclose(found.scores[:, joint], SCORES[joint % 3], rtol=1e-5)
    np.testing.assert_array_equal(found.boxes, boxes.found.boxes)
    np.testing.assert_array_equal(found.box_scores, boxes.found.box_scores)


def test_without_people_nothing_is_looked_at(tmp_path):
    detector = RTMPose(OnnxModel(toy_graphs.rtmpose(tmp_path / "toy.onnx", 26)), FixedBoxes())
    found = detector(np.zeros((50, 50, 3), np.uint8))
    assert found.keypoints.shape == (0, 26, 2)


def test_reset_reaches_the_boxes(tmp_path):
    boxes = FixedBoxes()
    RTMPose(OnnxModel(toy_graphs.rtmpose(tmp_path / "toy.onnx", 17)), boxes).reset()
    assert boxes.resets == 1


def test_other_joint_counts_are_refused_by_number(tmp_path):
    with pytest.raises(BadModelFile, match=r"21.*17 joints \(coco17\), 26 \(halpe26\) or 133"):
        RTMPose(OnnxModel(toy_graphs.rtmpose(tmp_path / "hand.onnx", 21)), FixedBoxes())


def test_another_split_ratio_is_no_rtmpose(tmp_path):
    assert not is_rtmpose(OnnxModel(toy_graphs.rtmpose(tmp_path / "toy.onnx", 17, classes_per_pixel=3)))
