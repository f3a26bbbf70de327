"""RTMDet finds people where mmdet is really installed; here with random weights, as mmdet called directly does."""

import numpy as np
import pytest

from sdk.detectors.mmpose.rtmdet import RTMDetPeople, mmdet_config, mmdet_is_installed

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytestmark = pytest.mark.filterwarnings("ignore")  # of mmdet and of mmpose, at import


def test_what_stands_in_is_not_mmdet():
    from importlib.metadata import packages_distributions

    from sdk.detectors.mmpose.import_shims import import_mmpose

    installed = "mmdet" in packages_distributions()
    assert mmdet_is_installed() == installed
    import_mmpose()
    assert mmdet_is_installed() == installed


@pytest.mark.skipif(not mmdet_is_installed(), reason="needs mmdet")
def test_rtmdet_equals_mmdet_called_directly(tmp_path):
    from sdk.detectors.mmpose.import_shims import import_mmpose

    import_mmpose()
    from mmdet.apis import inference_detector, init_detector

    torch.manual_seed(0)
    model = init_detector(str(mmdet_config()), None, palette="coco", device="cpu")
    with torch.no_grad():
        for layer in model.bbox_head.rtm_cls:
            layer.bias[:] = -9
            layer.bias[0] = -0.5  # of eighty kinds, people only
    torch.save({"state_dict": model.state_dict()}, tmp_path / "random.pth")
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    found = RTMDetPeople(tmp_path / "random.pth")(image)
    expected = inference_detector(model, image).pred_instances
    sure = (expected.labels == 0) & (expected.scores >= 0.3)
    assert 0 < len(found) == int(sure.sum())
    np.testing.assert_allclose(found.boxes, expected.bboxes[sure].numpy(), atol=1e-3)
    np.testing.assert_allclose(found.box_scores, expected.scores[sure].numpy(), atol=1e-5)
