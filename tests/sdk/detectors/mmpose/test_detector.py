import pickle
import warnings

import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.mmpose.configs import UnknownConfig, find_config, skeleton_of
from sdk.errors import BadBoxes, BadModelFile, DeviceUnavailable
from sdk.skeletons.skeleton import COCO17

pytest.importorskip("mmpose")
pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from sdk.detectors.mmpose.checkpoint import read_weights  # noqa: E402
from sdk.detectors.mmpose.import_shims import import_mmpose, suppress_overlaps  # noqa: E402
from tests.sdk.detectors import toy_graphs  # noqa: E402

RTMPOSE = "rtmpose-t_8xb256-420e_coco-256x192"
RTMPOSE_HALPE = "rtmpose-t_8xb1024-700e_body8-halpe26-256x192"
RTMO = "rtmo-s_8xb32-600e_coco-640x640"
WHOLEBODY = "rtmpose-t_8xb64-270e_coco-ubody-wholebody-256x192"


def random_model(name: str, **test_cfg):
    """A model as mmpose itself builds it, its random weights from a fixed seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_mmpose()
        from mmpose.apis import init_model

        torch.manual_seed(0)
        return init_model(str(find_config(name)), device="cpu", cfg_options={"model.test_cfg": test_cfg})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mmpose")


@pytest.fixture(scope="module")
def rtmpose(folder):
    """The model, and its checkpoint as mmpose's training leaves it: weights, metadata with arrays, logs."""
    model = random_model(RTMPOSE, flip_test=False)
    from mmengine.logging import HistoryBuffer

    history = HistoryBuffer([0.5], [1])
    checkpoint = {"state_dict": model.state_dict(), "meta": {"dataset_meta": model.dataset_meta, "epoch": np.int64(3)}}
    torch.save(checkpoint | {"message_hub": {"log_scalars": {"loss": history}}}, folder / "rtmpose.pth")
    return model, folder / "rtmpose.pth"


@pytest.fixture(scope="module")
def boxes(folder):
    """Two people, at (64, 48, 256, 432) and (320, 96, 576, 336) of a 640 x 480 image."""
    people = np.zeros((6, 56))
    people[0, 51:] = [0.1, 0.1, 0.9, 0.4, 0.9]
    people[1, 51:] = [0.2, 0.5, 0.7, 0.9, 0.8]
    return f"onnx:{toy_graphs.movenet_multi(folder / 'boxes.onnx', people, size=(192, 256))}"


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def test_rtmpose_equals_mmpose_called_directly(rtmpose, boxes, image):
    model, checkpoint = rtmpose
    detector = open_detector(f"mmpose:{RTMPOSE}:{checkpoint}", boxes=boxes, device="auto")
    found = detector(image)

    from mmpose.apis import inference_topdown

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = inference_topdown(model, image, np.float32([[64, 48, 256, 432], [320, 96, 576, 336]]))
    assert detector.skeleton is COCO17
    assert found.keypoints.shape == (2, 17, 2)
    for person, sample in enumerate(expected):
        # The boxes differ by float rounding; a class of a random network may tip by one, half a network pixel.
        np.testing.assert_allclose(found.keypoints[person], sample.pred_instances.keypoints[0], atol=1.5)
        np.testing.assert_allclose(
            found.scores[person], np.clip(sample.pred_instances.keypoint_scores[0], 0, 1), atol=1e-3
        )
    np.testing.assert_allclose(found.boxes, [[64, 48, 256, 432], [320, 96, 576, 336]], rtol=1e-4)
    np.testing.assert_allclose(found.box_scores, [0.9, 0.8], rtol=1e-6)


def test_without_people_mmpose_is_not_given_the_whole_image(rtmpose, image, folder):
    nobody = toy_graphs.movenet_multi(folder / "nobody.onnx", np.zeros((6, 56)), size=(192, 256))
    found = open_detector(f"mmpose:{RTMPOSE}:{rtmpose[1]}", boxes=f"onnx:{nobody}")(image)
    assert found.keypoints.shape == (0, 17, 2)


def test_halpe26_is_known_by_its_joint_names(boxes, image, folder):
    torch.save({"state_dict": random_model(RTMPOSE_HALPE).state_dict()}, folder / "halpe.pth")
    detector = open_detector(f"mmpose:{RTMPOSE_HALPE}:{folder / 'halpe.pth'}", boxes=boxes)
    assert detector.skeleton.name == "halpe26"
    assert detector(image).keypoints.shape == (2, 26, 2)


def keep_the_surest(model, image, count=12):
    """Shift an RTMO's person logits so that only so many places of this image pass its threshold of 0.1.

    Random weights see a person everywhere.
    """
    from mmpose.apis import inference_bottomup

    layers, logits = list(model.head.head_module.out_cls), []
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in layers:
            layer.bias.fill_(-1e6)
        hooks = [layer.register_forward_hook(lambda _, __, output: logits.append(output.flatten())) for layer in layers]
        inference_bottomup(model, image)
        for hook in hooks:
            hook.remove()
        ranked = torch.cat(logits).sort(descending=True).values + 1e6
        spread = ranked[0] - ranked[count]
        for layer in layers:
            layer.weight.div_(spread)
            layer.bias.fill_(float(np.log(0.1 / 0.9) - ranked[count] / spread))


def test_rtmo_needs_no_boxes_and_equals_mmpose_called_directly(boxes, image, folder):
    model = random_model(RTMO)
    with torch.no_grad():
        model.backbone.stem.conv.conv.weight.div_(255)  # images come as 0 to 255, which random weights blow up to NaN
    keep_the_surest(model, image)
    torch.save(model.state_dict(), folder / "rtmo.pth")
    spec = f"mmpose:{RTMO}:{folder / 'rtmo.pth'}"
    with pytest.raises(BadBoxes, match="finds people by itself"):
        open_detector(spec, boxes=boxes)
    found = open_detector(spec)(image)

    from mmpose.apis import inference_bottomup

    model = random_model(RTMO, input_size=(640, 640), score_thr=0.1, nms_thr=0.65)
    model.load_state_dict(torch.load(folder / "rtmo.pth", weights_only=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = inference_bottomup(model, image)[0].pred_instances
    assert 2 <= len(found) <= 12
    np.testing.assert_allclose(found.keypoints, expected.keypoints, rtol=1e-5)
    np.testing.assert_allclose(found.scores, expected.keypoint_scores, rtol=1e-5)
    np.testing.assert_allclose(found.boxes, expected.bboxes, rtol=1e-5)
    np.testing.assert_allclose(found.box_scores, expected.bbox_scores, rtol=1e-5)


def test_nan_is_no_keypoint(rtmpose, boxes, image, tmp_path):
    weights = read_weights(rtmpose[1])
    weights["head.final_layer.weight"] = weights["head.final_layer.weight"] * float("nan")
    torch.save(weights, tmp_path / "nan.pth")
    with pytest.raises(BadModelFile, match="not finite"):
        open_detector(f"mmpose:{RTMPOSE}:{tmp_path / 'nan.pth'}", boxes=boxes)(image)


def test_a_top_down_model_without_boxes_is_refused(rtmpose):
    with pytest.raises(BadBoxes, match="boxes='movenet'"):
        open_detector(f"mmpose:{RTMPOSE}:{rtmpose[1]}")


def test_without_a_checkpoint_it_is_refused(boxes):
    with pytest.raises(BadModelFile, match="random"):
        open_detector(f"mmpose:{RTMPOSE}", boxes=boxes)


def test_an_unknown_config_lists_the_closest():
    with pytest.raises(UnknownConfig, match=f"{RTMPOSE}.*408|{RTMPOSE}.*closest"):
        open_detector("mmpose:rtmpose-t_coco:weights.pth")
    with pytest.raises(UnknownConfig, match=r"Known: \w.*, \w.*\. These are the closest"):
        open_detector("mmpose:xyz:weights.pth")


def test_a_config_may_be_a_path_with_or_without_its_ending(tmp_path):
    path = find_config(RTMPOSE)
    assert find_config(f"{RTMPOSE}.py") == path == find_config(str(path))
    broken = tmp_path / "broken.py"
    broken.write_text("model = dict(")
    with pytest.raises(BadModelFile, match=r"broken\.py"):
        open_detector(f"mmpose:{broken}:weights.pth")
    empty = tmp_path / "empty.py"
    empty.write_text("lr = 1\n")
    with pytest.raises(BadModelFile, match="describes no model"):
        open_detector(f"mmpose:{empty}:weights.pth")


def test_other_joints_are_refused_by_number(boxes):
    with pytest.raises(BadModelFile, match=r"133 joints.*coco17 \(17 joints\) and halpe26 \(26 joints\)"):
        open_detector(f"mmpose:{WHOLEBODY}:weights.pth", boxes=boxes)


def test_joints_in_another_order_are_no_known_skeleton(tmp_path):
    names = dict(enumerate(COCO17.joints))
    meta = {"keypoint_id2name": names, "num_keypoints": 17, "dataset_name": "mine"}
    assert skeleton_of(meta, tmp_path) is COCO17
    names[5], names[6] = names[6], names[5]
    with pytest.raises(BadModelFile, match="'mine'"):
        skeleton_of(meta, tmp_path)


def test_cuda_without_cuda_is_refused(rtmpose, boxes):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(DeviceUnavailable, match="0 CUDA devices"):
        open_detector(f"mmpose:{RTMPOSE}:{rtmpose[1]}", boxes=boxes, device="cuda")


class Attack:
    """Unpickled in full, it writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_checkpoint_runs_no_code(tmp_path):
    """mmengine's loader would, after a warning."""
    torch.save({"state_dict": {}, "meta": Attack(str(tmp_path / "harm"))}, tmp_path / "attack.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Attack(str(tmp_path / "harm"))))
    for name in ("attack.pth", "plain.pth"):
        with pytest.raises(BadModelFile, match=name):
            read_weights(tmp_path / name)
    assert not (tmp_path / "harm").exists()


def test_checkpoints_that_do_not_fit_are_refused(rtmpose, boxes, tmp_path):
    weights = read_weights(rtmpose[1])
    name = "head.final_layer.weight"
    cases = {
        "missing.pth": ({key: value for key, value in weights.items() if key != name}, name),
        "shape.pth": (weights | {name: torch.zeros(26, 3)}, "size mismatch"),
        "nothing.pth": ({}, "no state_dict"),
    }
    for file, (content, words) in cases.items():
        torch.save({"state_dict": content}, tmp_path / file)
        with pytest.raises(BadModelFile, match=words):
            open_detector(f"mmpose:{RTMPOSE}:{tmp_path / file}", boxes=boxes)
    (tmp_path / "text.pth").write_text("no weights")
    for file in ("text.pth", "nowhere.pth"):
        with pytest.raises(BadModelFile, match=file):
            open_detector(f"mmpose:{RTMPOSE}:{tmp_path / file}", boxes=boxes)


def test_weights_of_data_parallel_training_are_the_same(rtmpose, tmp_path):
    weights = read_weights(rtmpose[1])
    torch.save({f"module.{name}": value for name, value in weights.items()}, tmp_path / "parallel.pth")
    assert read_weights(tmp_path / "parallel.pth").keys() == weights.keys()


def test_identity_follows_config_weights_and_boxes(rtmpose, boxes, tmp_path):
    _, checkpoint = rtmpose
    weights = read_weights(checkpoint)
    weights["head.final_layer.bias"] = weights["head.final_layer.bias"] + 1
    torch.save(weights, tmp_path / "other.pth")
    config = tmp_path / "wider.py"
    config.write_text(f"_base_ = [{str(find_config(RTMPOSE))!r}]\nmodel = dict(test_cfg=dict(flip_test=True, x=1))\n")
    people = np.full((6, 56), 0.5)
    other_boxes = f"onnx:{toy_graphs.movenet_multi(tmp_path / 'other.onnx', people)}"
    identities = [
        open_detector(f"mmpose:{RTMPOSE}:{checkpoint}", boxes=boxes).identity,
        open_detector(f"mmpose:{RTMPOSE}:{tmp_path / 'other.pth'}", boxes=boxes).identity,
        open_detector(f"mmpose:{config}:{checkpoint}", boxes=boxes).identity,
        open_detector(f"mmpose:{RTMPOSE}:{checkpoint}", boxes=other_boxes).identity,
    ]
    assert len(set(identities)) == 4
    assert open_detector(f"mmpose:{find_config(RTMPOSE)}:{checkpoint}", boxes=boxes).identity == identities[0]


def test_overlaps_are_suppressed_by_hand():
    """The second box shares 60 of 140 square pixels with the first; the third stands alone."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [50.0, 50, 60, 60]])
    scores = torch.tensor([0.5, 0.9, 0.7])
    assert suppress_overlaps(boxes, scores, 60 / 140 - 0.01).tolist() == [1, 2]
    assert suppress_overlaps(boxes, scores, 60 / 140 + 0.01).tolist() == [1, 2, 0]
    assert suppress_overlaps(boxes[:0], scores[:0], 0.5).tolist() == []
    # Inclusive pixels: 7 * 11 of 2 * 121 - 77
    assert suppress_overlaps(boxes, scores, 77 / 165 - 0.01, offset=1).tolist() == [1, 2]
    assert suppress_overlaps(boxes, scores, 77 / 165 + 0.01, offset=1).tolist() == [1, 2, 0]
