"""A MoveNet graph as an mmpose model gives what the plain run gives; here with graphs that need no download."""

import numpy as np
import pytest

pytest.importorskip("mmpose")
pytest.importorskip("onnx")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def movenet():
    from benchmarks import movenet_in_mmpose

    return movenet_in_mmpose


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def test_several_people_without_boxes(movenet, image, tmp_path):
    from sdk.detectors import open_detector
    from tests.sdk.detectors import toy_graphs

    people = np.random.default_rng(1).uniform(0.1, 0.9, (6, 56))
    people[:, 55] = [0.9, 0.1, 0.5, 0.05, 0.7, 0.3]
    graph = toy_graphs.movenet_multi(tmp_path / "multi.onnx", people)
    config, checkpoint = movenet.write_model(graph, tmp_path / "model")
    found = open_detector(f"mmpose:{config}:{checkpoint}")(image)
    expected = open_detector(f"onnx:{graph}")(image)
    assert len(found) == 4
    for name in ("keypoints", "scores", "boxes", "box_scores"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-3)


def test_one_person_inside_a_box(movenet, image, tmp_path):
    from sdk.detectors import open_detector
    from sdk.detectors.onnx_models import OnnxModel
    from tests.sdk.detectors import toy_graphs

    people = np.zeros((6, 56))
    people[0, 51:] = [0.1, 0.1, 0.9, 0.4, 0.9]
    boxes = toy_graphs.movenet_multi(tmp_path / "boxes.onnx", people, size=(192, 256))
    pose = np.random.default_rng(2).uniform(0.1, 0.9, (17, 2))
    graph = toy_graphs.movenet_single(tmp_path / "single.onnx", pose)
    config, checkpoint = movenet.write_model(graph, tmp_path / "model")
    found = open_detector(f"mmpose:{config}:{checkpoint}", boxes=f"onnx:{boxes}")(image)
    expected = movenet.plain_top_down(OnnxModel(graph), image, found.boxes)
    np.testing.assert_allclose(found.keypoints, expected, atol=1)
    assert found.scores.shape == (1, 17)
    assert 0.2 < found.scores.min() < 0.8
