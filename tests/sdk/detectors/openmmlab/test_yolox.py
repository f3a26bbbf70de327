import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.onnx_models import OnnxModel, is_rtmo, is_rtmpose, is_yolox
from sdk.detectors.openmmlab.yolox import YOLOX
from sdk.errors import BadBoxes, BadModelFile

pytest.importorskip("onnx")
from tests.sdk.detectors import toy_graphs

BLACK = np.zeros((240, 320, 3), np.uint8)
"""Scaled by 2 into 640 x 640, with 160 rows of 114 below it."""
MEAN = 114 / 255 / 4
"""What the toy adds for the grey below a black image."""


def test_boxes_in_pixels_of_the_image_and_people_only(tmp_path):
    """By hand: half of what the graph says; a kind that is no person and a score below 0.3 are left out."""
    dets = np.float32([[20, 40, 60, 80, 0.4], [0, 0, 10, 10, 0.9], [100, 0, 300, 200, 0.6], [0, 0, 9, 9, 0.1]])
    path = toy_graphs.with_answers(tmp_path / "toy.onnx", {"dets": dets - MEAN, "labels": np.int64([0, 1, 0, 0])})
    model = OnnxModel(path)
    assert (is_yolox(model), is_rtmo(model), is_rtmpose(model)) == (True, False, False)
    found = YOLOX(model)(BLACK)
    np.testing.assert_allclose(found.boxes, [[50, 0, 150, 100], [10, 20, 30, 40]], atol=1e-3)
    np.testing.assert_allclose(found.box_scores, [0.6, 0.4], atol=1e-3)
    np.testing.assert_allclose(found.keypoints[0], np.tile([100, 50], (17, 1)), atol=1e-3)
    assert (found.scores == 0).all()


def cells(answers: dict[int, list[float]], input_px: int = 640) -> np.ndarray:
    """A raw answer: nothing anywhere, but for some cells, by their place in the order of all."""
    count = sum((input_px // stride) ** 2 for stride in (8, 16, 32))
    raw = np.zeros((count, 7), np.float32)
    for place, values in answers.items():
        raw[place] = values
    return raw


def test_raw_cells_by_hand(tmp_path):
    """Without mean (a black image of the input's size): cell (column 3, row 1) of stride 8, of 16, and another kind."""
    raw = cells(
        {
            80 + 3: [0.5, 0.25, np.log(4), np.log(2), 0.9, 0.8, 0.1],  # centre 28, 10; 32 wide, 16 high; 0.72
            80 * 80 + 40 + 2: [0.0, 0.0, 0.0, 0.0, 0.5, 0.9, 0.2],  # centre 32, 16; 16 wide and high; 0.45
            80 + 4: [-0.5, 0.25, np.log(4), np.log(2), 0.9, 0.5, 0.1],  # the first one's box, 0.45: suppressed
            6: [0, 0, 0, 0, 0.9, 0.5, 0.8],  # another kind
            7: [0, 0, 90, 90, 0.9, 0.3, 0.1],  # 0.27: not sure, and far too large
        }
    )
    model = OnnxModel(toy_graphs.with_answers(tmp_path / "raw.onnx", {"output": raw}, (640, 640)))
    assert is_yolox(model)
    found = YOLOX(model)(np.zeros((640, 640, 3), np.uint8))
    np.testing.assert_allclose(found.boxes, [[12, 2, 44, 18], [24, 8, 40, 24]], rtol=1e-5)
    np.testing.assert_allclose(found.box_scores, [0.72, 0.45], rtol=1e-5)


def test_cells_that_do_not_fit_the_input_are_refused(tmp_path):
    path = toy_graphs.with_answers(tmp_path / "raw.onnx", {"output": cells({}, 416)}, (640, 640))
    with pytest.raises(BadModelFile, match=r"3549 cells.*640x640 has 8400"):
        YOLOX(OnnxModel(path))


def test_a_detector_that_begins_with_a_convolution_is_not_taken_for_yolox(tmp_path):
    """RTMDet's graph has the same ports, but its images are normalised."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Conv", ["input", "weights"], ["features"]),
        helper.make_node("Reshape", ["features", "shape"], ["dets"]),
        helper.make_node("ReduceMax", ["dets"], ["labels"], axes=[2], keepdims=0),
    ]
    ports = [
        helper.make_tensor_value_info("dets", TensorProto.FLOAT, [1, "n", 5]),
        helper.make_tensor_value_info("labels", TensorProto.FLOAT, [1, "n"]),
    ]
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])
    constants = {"weights": np.zeros((1, 3, 1, 1), np.float32), "shape": np.array([1, -1, 5])}
    path = toy_graphs.save_graph(tmp_path / "rtmdet.onnx", nodes, [image], ports, constants)
    assert not is_yolox(OnnxModel(path))
    with pytest.raises(BadModelFile, match="no known detector"):
        open_detector(f"onnx:{path}")


def test_it_finds_boxes_for_others_and_is_no_detector_of_joints(tmp_path):
    dets = np.float32([[20, 40, 60, 80, 0.9]])
    path = toy_graphs.with_answers(tmp_path / "toy.onnx", {"dets": dets, "labels": np.int64([0])})
    with pytest.raises(BadBoxes, match="no joints: name it as boxes"):
        open_detector(f"onnx:{path}")
    with pytest.raises(BadBoxes, match="yolox-m finds boxes"):
        open_detector("yolox-m")
    pose = toy_graphs.rtmpose(tmp_path / "pose.onnx", 26)
    assert len(open_detector(f"onnx:{pose}", boxes=f"onnx:{path}")(BLACK)) == 1


def test_nan_is_no_box(tmp_path):
    path = toy_graphs.with_answers(
        tmp_path / "toy.onnx", {"dets": np.full((1, 5), np.nan, np.float32), "labels": np.int64([0])}
    )
    with pytest.raises(BadModelFile, match="not finite"):
        YOLOX(OnnxModel(path))(BLACK)
