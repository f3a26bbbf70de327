"""Other programs' people: values by hand, and there and back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import supervision as sv

from sdk import Detections, FunctionDetector, Lifter, PoseStream, from_supervision, from_ultralytics, to_supervision
from sdk.errors import BadKeypoints, UnknownSkeleton
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import walk, write_video

XY = np.array([[[10, 20], [30, 60], [0, 0]], [[100, 120], [140, 100], [120, 180]]], np.float32)
SURE = np.array([[0.9, 0.8, 0.4], [0.7, 0.2, 0.9]], np.float32)
BOXES = np.array([[5, 15, 35, 65], [95, 95, 145, 185]], np.float32)


def test_supervisions_people_with_their_boxes() -> None:
    boxes = sv.Detections(xyxy=BOXES, confidence=np.array([0.6, 0.5]))
    found = from_supervision(sv.KeyPoints(xy=XY, confidence=SURE), boxes)
    np.testing.assert_array_equal(found.keypoints, XY)
    np.testing.assert_array_equal(found.scores, [[np.float32(0.9), np.float32(0.8), 0], SURE[1]])  # (0, 0): not found
    np.testing.assert_array_equal(found.boxes, BOXES)
    np.testing.assert_allclose(found.box_scores, [0.6, 0.5])


def test_supervisions_people_without_boxes_get_the_extent_of_their_joints() -> None:
    found = from_supervision(sv.KeyPoints(xy=XY, confidence=SURE))
    np.testing.assert_array_equal(found.boxes, [[10, 20, 30, 60], [100, 120, 120, 180]])  # 0.2 shapes no box


def test_there_and_back() -> None:
    found = Detections(XY, SURE, BOXES, np.array([0.6, 0.5], np.float32))
    again = from_supervision(*to_supervision(found))
    np.testing.assert_array_equal(again.keypoints, XY)
    np.testing.assert_array_equal(again.boxes, BOXES)
    np.testing.assert_array_equal(again.box_scores, found.box_scores)


def test_boxes_of_other_people_are_refused() -> None:
    with pytest.raises(BadKeypoints, match="2 people and 1 boxes"):
        from_supervision(sv.KeyPoints(xy=XY, confidence=SURE), sv.Detections(xyxy=BOXES[:1]))


def result(people: int = 2, **changes: object) -> SimpleNamespace:
    """What Ultralytics returns of an image, as far as it is read."""
    keypoints = SimpleNamespace(xy=XY[:people], conf=SURE[:people])
    values = {"keypoints": keypoints, "boxes": SimpleNamespace(xyxy=BOXES[:people], conf=np.array([0.6, 0.5])[:people])}
    return SimpleNamespace(**(values | changes))


def test_ultralytics_results() -> None:
    found = from_ultralytics(result())
    np.testing.assert_array_equal(found.keypoints, XY)
    np.testing.assert_allclose(found.scores, [[0.9, 0.8, 0], [0.7, 0.2, 0.9]])
    np.testing.assert_array_equal(found.boxes, BOXES)
    assert len(from_ultralytics(result(0))) == 0


def test_ultralytics_tensors() -> None:
    torch = pytest.importorskip("torch")
    tensors = result(
        keypoints=SimpleNamespace(xy=torch.from_numpy(XY), conf=None),
        boxes=SimpleNamespace(xyxy=torch.from_numpy(BOXES), conf=torch.tensor([0.6, 0.5])),
    )
    np.testing.assert_array_equal(from_ultralytics(tensors).scores, [[1, 1, 0], [1, 1, 1]])


def test_ultralytics_models_without_poses_are_refused() -> None:
    with pytest.raises(BadKeypoints, match="take a pose model"):
        from_ultralytics(result(keypoints=None))


class TestFunctions:
    @pytest.mark.parametrize("found", [None, [], np.zeros((0, 17, 3))])
    def test_nobody(self, found: object) -> None:
        people = FunctionDetector(lambda image: found, "coco17", identity="x")(np.zeros((9, 9, 3), np.uint8))
        assert people.keypoints.shape == (0, 17, 2)

    def test_what_is_no_answer_is_named(self) -> None:
        image = np.zeros((9, 9, 3), np.uint8)
        with pytest.raises(BadKeypoints, match=r"returned str\. It must return Detections, supervision"):
            FunctionDetector(lambda image: "people", "coco17", identity="x")(image)
        with pytest.raises(BadKeypoints, match=r"an array of shape \(2, 3, 2\)"):
            FunctionDetector(lambda image: XY, "coco17", identity="x")(image)
        with pytest.raises(BadKeypoints, match="returned 3 joints; coco17 has 17"):
            FunctionDetector(lambda image: sv.KeyPoints(xy=XY, confidence=SURE), "coco17", identity="x")(image)

    def test_an_unknown_skeleton_is_refused_at_once(self) -> None:
        with pytest.raises(UnknownSkeleton, match="coco19"):
            FunctionDetector(lambda image: None, "coco19", identity="x")

    def test_a_stream_takes_one(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        people = walk(20, (100, 60), (1, 0))
        write_video(tmp_path / "walk.mp4", [(one,) for one in people])
        write_linear_lifter(tmp_path / "linear.onnx")
        images = iter(people)

        def detect(image_bgr: np.ndarray) -> np.ndarray:
            return np.concatenate([next(images), np.ones((17, 1))], 1)[None]

        detector = FunctionDetector(detect, "coco17", identity="the truth")
        with PoseStream(tmp_path / "walk.mp4", detector, Lifter(tmp_path / "linear.onnx"), smoothing=None) as stream:
            frames = list(stream)
        assert [len(frame.people) for frame in frames] == [1] * 20
        assert all(np.isfinite(frame.people[0].joints_m).all() for frame in frames)
