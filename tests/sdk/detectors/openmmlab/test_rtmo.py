import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.onnx_models import OnnxModel, is_rtmo, is_rtmpose, is_yolox
from sdk.detectors.openmmlab.rtmo import RTMO
from sdk.errors import BadBoxes, BadModelFile

pytest.importorskip("onnx")
from tests.sdk.detectors import toy_graphs

BLACK = np.zeros((240, 320, 3), np.uint8)
"""Scaled by 2 into the middle of 640 x 640, 80 rows of 114 above and below."""
MEAN = 114 / 255 / 4


def person(x: float, y: float, score: float) -> tuple[list[float], np.ndarray]:
    """A box of 100 x 200 from x, y, all joints at x + 10, y + 20."""
    return [x, y, x + 100, y + 200, score], np.tile(np.float32([x + 10, y + 20, score]), (17, 1))


def graph(path, people):
    dets, keypoints = zip(*people, strict=True)
    answers = {"dets": np.float32(dets) - np.float32(MEAN), "keypoints": np.float32(keypoints) - np.float32(MEAN)}
    return toy_graphs.with_answers(path, answers)


def test_people_in_pixels_of_the_image_each_once(tmp_path):
    """By hand: the same person again, and one of 0.05, are left out; a box is cut off at the edge of the input."""
    people = [
        person(100, 120, 0.5),
        person(104, 120, 0.4),
        person(400, 300, 0.8),
        person(580, 100, 0.3),
        person(0, 0, 0.05),
    ]
    model = OnnxModel(graph(tmp_path / "toy.onnx", people))
    assert (is_rtmo(model), is_yolox(model), is_rtmpose(model)) == (True, False, False)
    found = RTMO(model)(BLACK)
    np.testing.assert_allclose(found.box_scores, [0.8, 0.5, 0.3], atol=1e-3)
    np.testing.assert_allclose(found.boxes, [[200, 110, 250, 210], [50, 20, 100, 120], [290, 10, 320, 110]], atol=1e-3)
    np.testing.assert_allclose(found.keypoints[1], np.tile([55, 30], (17, 1)), atol=1e-3)
    np.testing.assert_allclose(found.scores[1], 0.5, atol=1e-3)


def test_it_needs_no_boxes(tmp_path):
    path = graph(tmp_path / "toy.onnx", [person(1, 2, 0.5)])
    assert open_detector(f"onnx:{path}").skeleton.name == "coco17"
    with pytest.raises(BadBoxes, match=r"RTMO\) finds people by itself"):
        open_detector(f"onnx:{path}", boxes=f"onnx:{path}")


def test_other_joints_are_refused(tmp_path):
    path = toy_graphs.with_answers(
        tmp_path / "toy.onnx", {"dets": np.zeros((1, 5), np.float32), "keypoints": np.zeros((1, 14, 3), np.float32)}
    )
    with pytest.raises(BadModelFile, match="14 joints"):
        RTMO(OnnxModel(path))


def test_nobody(tmp_path):
    found = RTMO(OnnxModel(graph(tmp_path / "toy.onnx", [person(0, 0, 0.0)])))(BLACK)
    assert found.keypoints.shape == (0, 17, 2)
