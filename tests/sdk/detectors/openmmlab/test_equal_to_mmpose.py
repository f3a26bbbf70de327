"""Preparing and decoding against mmpose's own, on models with random weights that are exported here."""

import warnings

import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.detectors.onnx_models import OnnxModel
from sdk.detectors.openmmlab.rtmo import RTMO
from sdk.detectors.openmmlab.rtmpose import RTMPose

pytest.importorskip("mmpose")
pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from tests.sdk.detectors.mmpose.test_detector import keep_the_surest, random_model  # noqa: E402
from tests.sdk.detectors.openmmlab.exported import DecodedRTMO, SimCCRows, export, random_image  # noqa: E402
from tests.sdk.detectors.openmmlab.test_rtmpose import FixedBoxes  # noqa: E402

BOXES = np.float32([[64, 48, 256, 432], [320, 96, 576, 336], [-40, 200, 90, 470], [500, 10, 560, 30]])
"""Tall, wide, over the edge, and small, in an image of 640 x 480."""


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mmpose's and torch's, of each other
        yield


def test_rtmpose_halpe26_as_inference_topdown(tmp_path, quiet):
    model = random_model("rtmpose-t_8xb1024-700e_body8-halpe26-256x192", flip_test=False)
    from mmpose.apis import inference_topdown

    image = random_image(0, 480, 640)
    path = export(SimCCRows(model), torch.zeros(2, 3, 256, 192), tmp_path / "rtmpose.onnx", ["simcc_x", "simcc_y"])
    found = RTMPose(OnnxModel(path), FixedBoxes(*BOXES))(image)
    expected = [sample.pred_instances for sample in inference_topdown(model, image, BOXES)]
    keypoints = np.concatenate([person.keypoints for person in expected])
    scores = np.concatenate([person.keypoint_scores for person in expected])
    # A class of a random network may tip by one where two are nearly alike: half a network pixel.
    apart = np.abs(found.keypoints - keypoints).max(-1)
    assert np.median(apart) < 1e-3
    assert (apart < 2).all()
    np.testing.assert_allclose(found.scores, scores.clip(0, 1), atol=1e-3)


def test_rtmo_as_inference_bottomup_and_in_batches_as_alone(tmp_path, quiet):
    model = random_model("rtmo-t_8xb32-600e_body7-416x416", score_thr=0.1, nms_thr=0.65)
    from mmpose.apis import inference_bottomup

    with torch.no_grad():
        model.backbone.stem.conv.conv.weight.div_(255)  # else random weights blow images up to NaN
    images = [random_image(1, 300, 500), random_image(2, 416, 416), random_image(3, 700, 200)]
    keep_the_surest(model, images[0])
    expected = [inference_bottomup(model, image)[0].pred_instances for image in images]
    graph = DecodedRTMO(model, 100, 0.65, 0.1)
    path = export(graph, torch.zeros(2, 3, 416, 416), tmp_path / "rtmo.onnx", ["dets", "keypoints"])
    detector = RTMO(OnnxModel(path))
    together = detector.batches().look(images)
    assert [len(people) for people in together] == [len(people) for people in expected]
    assert len(together[0]) > 1
    for image, whole, theirs in zip(images, together, expected, strict=True):
        alone: Detections = detector(image)
        for found in (alone, whole):
            np.testing.assert_allclose(found.keypoints, theirs.keypoints, atol=0.05)
            np.testing.assert_allclose(found.boxes, theirs.bboxes, atol=0.05)
            np.testing.assert_allclose(found.scores, theirs.keypoint_scores, atol=1e-4)
            np.testing.assert_allclose(found.box_scores, theirs.bbox_scores, atol=1e-4)
