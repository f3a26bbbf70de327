"""Words for mmpose's own models: each has a config, weights with a hash in their name, and opens with them."""

import hashlib
import re
import warnings

import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.mmpose.configs import PEOPLE_FINDER, ZOO, find_config, read_config, skeleton_of, weights_address
from sdk.errors import BadBoxes, BadDownload
from sdk.files.downloads import CACHE_VARIABLE

pytest.importorskip("mmpose")
torch = pytest.importorskip("torch")

from tests.sdk.detectors.mmpose.test_detector import keep_the_surest, random_model  # noqa: E402

SKELETON = {word: "halpe26" for word in ZOO} | {word: "coco17" for word in ZOO if "coco17" in word or "rtmo" in word}


@pytest.mark.parametrize("word", ZOO)
def test_every_word_has_weights_of_its_joints(word):
    address = weights_address(ZOO[word])
    assert re.fullmatch(r"https://download\.openmmlab\.com/mmpose/.*-[0-9a-f]{8}_\d{8}\.pth", address)
    assert ("halpe26" in address) == (SKELETON[word] == "halpe26")
    assert f"/{word.removesuffix('-coco17')}_" in address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdk.detectors.mmpose.import_shims import import_mmpose

        import_mmpose()
        from mmpose.apis.inference import dataset_meta_from_config

        path = find_config(ZOO[word])
        assert skeleton_of(dataset_meta_from_config(read_config(path)), path).name == SKELETON[word]


def test_offline_names_file_and_place(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    address = "http://127.0.0.1:9/rtmpose-m-00000000_20230605.pth"
    monkeypatch.setattr("sdk.detectors.mmpose.configs.weights_address", lambda _: address)
    with pytest.raises(BadDownload, match=re.escape(str(tmp_path / "weights" / "rtmpose-m-00000000_20230605.pth"))):
        open_detector("mmpose:rtmpose-m")


def test_a_word_opens_rtmpose_inside_rtmos_boxes(monkeypatch, tmp_path):
    """With random weights under the names of the real ones, each with its own hash."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    (tmp_path / "weights").mkdir()
    names, image = {}, np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    for word in ("rtmpose-t", PEOPLE_FINDER):
        model = random_model(ZOO[word])
        if word == PEOPLE_FINDER:
            with torch.no_grad():
                model.backbone.stem.conv.conv.weight.div_(255)  # else random weights blow images up to NaN
            keep_the_surest(model, image)
        file = tmp_path / "weights" / "new.pth"
        torch.save({"state_dict": model.state_dict()}, file)
        names[word] = f"{word}_x-{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}_20230605.pth"
        file.rename(file.with_name(names[word]))
    monkeypatch.setattr(
        "sdk.detectors.mmpose.configs.weights_address",
        lambda config: f"http://127.0.0.1:9/{names[config.partition('_')[0]]}",
    )
    detector = open_detector("mmpose:rtmpose-t", det_every=2)
    assert detector.skeleton.name == "halpe26"
    assert ":every=2" in detector.identity
    found = detector(image)
    assert 0 < len(found) <= 12
    assert found.keypoints.shape == (len(found), 26, 2)
    with pytest.raises(BadBoxes, match="finds people by itself"):
        open_detector("mmpose:rtmo-s", det_every=2)
