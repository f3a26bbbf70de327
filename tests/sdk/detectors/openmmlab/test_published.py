"""Words for OpenMMLab's ONNX files: a server of the test's own has archives with small graphs of the same ports."""

import io
import subprocess
import sys
import zipfile
from typing import ClassVar

import numpy as np
import pytest

from sdk.detectors import DETECTOR_SPECS, open_detector
from sdk.detectors.openmmlab.published import BOXES, POSES, PUBLISHED, SERVER_VARIABLE
from sdk.errors import BadBoxes, BadDownload, BadModelFile
from sdk.files.downloads import CACHE_VARIABLE

pytest.importorskip("onnx")
from tests.local_server import Quiet, serving
from tests.sdk.detectors import toy_graphs

PERSON = {"dets": np.float32([[20, 40, 60, 80, 0.9]]), "labels": np.int64([0])}
SEEN = {"dets": np.float32([[20, 40, 60, 80, 0.9]]), "keypoints": np.full((1, 17, 3), 0.4, np.float32)}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Where archives are laid by their address below the server, and the addresses that were asked for."""

    class Handler(Quiet):
        archives: ClassVar[dict[str, bytes]] = {}
        asked: ClassVar[list[str]] = []

        def do_GET(self):
            self.asked.append(self.path)
            content = self.archives.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with serving(Handler) as server:
        monkeypatch.setenv(SERVER_VARIABLE, f"{server}/projects/")
        yield Handler


def lay(served, word, model):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("20230831/x/pipeline.json", "{}")
        archive.write(model, "20230831/x/end2end.onnx")
    served.archives[f"/projects/{PUBLISHED[word].archive}"] = file.getvalue()


@pytest.mark.parametrize(
    ("word", "boxes", "joints", "skeleton"),
    [
        ("rtmpose-t", "yolox-tiny", 26, "halpe26"),
        ("rtmpose-m", "yolox-m", 26, "halpe26"),
        ("rtmpose-m-coco17", "yolox-m", 17, "coco17"),
        ("rtmw-m", "yolox-m", 133, "coco23"),
    ],
)
def test_a_top_down_word_brings_its_detector_of_people(served, tmp_path, word, boxes, joints, skeleton):
    lay(served, word, toy_graphs.rtmpose(tmp_path / "pose.onnx", joints))
    lay(served, boxes, toy_graphs.with_answers(tmp_path / "boxes.onnx", PERSON))
    detector = open_detector(word)
    assert detector.skeleton.name == skeleton
    found = detector(np.zeros((100, 100, 3), np.uint8))
    assert found.keypoints.shape == (1, len(detector.skeleton), 2)
    size = PUBLISHED[boxes].input_px
    assert f"{size}x{size}" in detector.identity
    np.testing.assert_allclose(found.boxes[0], np.float32([20, 40, 60, 80]) * 100 / size, atol=0.5)
    assert served.asked == [f"/projects/{PUBLISHED[each].archive}" for each in (word, boxes)]
    assert open_detector(word).identity == detector.identity
    assert len(served.asked) == 2


def test_rtmo_needs_none_and_others_may_be_named(served, tmp_path):
    lay(served, "rtmo-s", toy_graphs.with_answers(tmp_path / "rtmo.onnx", SEEN))
    lay(served, "rtmpose-s", toy_graphs.rtmpose(tmp_path / "pose.onnx", 26))
    lay(served, "yolox-nano", toy_graphs.with_answers(tmp_path / "boxes.onnx", PERSON))
    image = np.zeros((100, 100, 3), np.uint8)
    assert len(open_detector("rtmo-s")(image)) == 1
    assert "rtmo:" in open_detector("rtmpose-s", boxes="rtmo-s", det_every=3).identity
    assert "yolox:" in open_detector("rtmpose-s", boxes="yolox-nano").identity
    asked = len(served.asked)
    for options in ({"boxes": "yolox-m"}, {"det_every": 2}):
        with pytest.raises(BadBoxes, match="rtmo-m finds people by itself"):
            open_detector("rtmo-m", **options)
    with pytest.raises(BadBoxes, match="yolox-m finds boxes"):
        open_detector("yolox-m")
    assert len(served.asked) == asked  # refused before anything is fetched


def test_offline_the_message_names_address_file_and_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(SERVER_VARIABLE, "http://127.0.0.1:9/projects")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(BadDownload) as error:
        open_detector("rtmpose-m")
    name = "rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605.zip"
    for words in (f"http://127.0.0.1:9/projects/rtmposev1/onnx_sdk/{name}", str(tmp_path / "weights" / name)):
        assert words in str(error.value)


def test_a_model_that_keeps_weights_in_other_files_is_refused(served, tmp_path):
    """Its path leads out of the cache; ONNX Runtime never sees it."""
    import onnx

    path = toy_graphs.with_answers(tmp_path / "rtmo.onnx", SEEN)
    model = onnx.load(path)
    (tensor,) = (one for one in model.graph.initializer if one.name == "keypoints_one")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    lay(served, "rtmo-s", path)
    with pytest.raises(BadModelFile, match="keeps weights in other files"):
        open_detector("rtmo-s")


def test_every_word_has_an_address_of_its_own_and_is_listed():
    assert len({model.archive for model in PUBLISHED.values()}) == len(PUBLISHED)
    for word, model in PUBLISHED.items():
        kind, size = word.split("-")[:2]
        file = model.archive.rpartition("/")[2]
        assert model.kind == {"rtmw": "rtmpose"}.get(kind, kind)
        assert file.startswith(kind)
        assert f"-{size}_" in file or file.startswith(f"yolox_{size}_")  # RTMW-m is distilled from l: dw-l-m
        assert ("halpe26" in file) == (kind == "rtmpose" and "coco17" not in word)
        assert ("384" in file) == ("384" in word or word.startswith("rtmpose-x"))
        assert model.boxes in BOXES or (not model.boxes and kind in ("rtmo", "yolox"))
    assert set(POSES) <= set(DETECTOR_SPECS)
    assert not set(BOXES) & set(DETECTOR_SPECS)


def test_neither_torch_nor_mmpose_is_loaded(served, tmp_path):
    lay(served, "rtmpose-t", toy_graphs.rtmpose(tmp_path / "pose.onnx", 26))
    lay(served, "yolox-tiny", toy_graphs.with_answers(tmp_path / "boxes.onnx", PERSON))
    program = """
import sys
sys.modules.update(dict.fromkeys(("torch", "mmpose", "mmengine", "mmcv", "pooch", "requests")))
import numpy as np
from sdk import open_detector
print(len(open_detector("rtmpose-t")(np.zeros((100, 100, 3), np.uint8))))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "1", run.stderr
