"""YOLOX in both of its forms against mmdet's own, on a model with random weights that is exported here."""

import warnings

import numpy as np
import pytest

from sdk.detectors.mmpose.rtmdet import mmdet_config, mmdet_is_installed
from sdk.detectors.onnx_models import OnnxModel, is_yolox
from sdk.detectors.openmmlab.letterbox import in_the_corner
from sdk.detectors.openmmlab.yolox import YOLOX

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnx")
pytestmark = pytest.mark.skipif(not mmdet_is_installed(), reason="needs mmdet")

from tests.sdk.detectors.openmmlab.exported import NonMaxSuppression, export, random_image  # noqa: E402

INPUT_PX = 416


class Answers(torch.nn.Module):
    """The answers of all cells, (N, A, 5 + K), as Megvii's export gives them."""

    def __init__(self, model) -> None:
        super().__init__()
        self.model = model

    def forward(self, image):
        levels = zip(*self.model.bbox_head(self.model.extract_feat(image)), strict=True)
        rows = [torch.cat([box, objectness.sigmoid(), kinds.sigmoid()], 1) for kinds, box, objectness in levels]
        cells = sum((INPUT_PX // stride) ** 2 for stride in (8, 16, 32))
        return torch.cat([row.flatten(2) for row in rows], 2).permute(0, 2, 1).reshape(-1, cells, 6)


class Suppressed(Answers):
    """Boxes in pixels of the input with their scores, and labels, as OpenMMLab's export gives them."""

    def forward(self, image):
        answers = super().forward(image)
        sizes = [(INPUT_PX // stride, INPUT_PX // stride) for stride in (8, 16, 32)]
        priors = torch.cat(self.model.bbox_head.prior_generator.grid_priors(sizes, device="cpu", with_stride=True))
        boxes = self.model.bbox_head._bbox_decode(priors, answers[..., :4])
        scores = answers[..., 4:5] * answers[..., 5:]
        chosen = NonMaxSuppression.apply(boxes, scores.permute(0, 2, 1), 0.65, 0.01)
        ones = torch.ones_like(chosen[:, 0]).float()
        kept = torch.zeros_like(scores[..., 0]).index_put((chosen[:, 0], chosen[:, 2]), ones)
        best = (scores[..., 0] * kept).topk(200, dim=1)
        boxes = boxes.gather(1, best.indices[..., None].expand(-1, -1, 4))
        return torch.cat([boxes, best.values[..., None]], 2), torch.zeros_like(best.indices)


@pytest.mark.filterwarnings("ignore")  # of mmdet, of mmpose and of torch
def test_both_forms_as_inference_detector(tmp_path):
    from sdk.detectors.mmpose.import_shims import import_mmpose

    import_mmpose()
    from mmdet.apis import inference_detector, init_detector

    config = mmdet_config().parents[1] / "yolox" / "yolox_tiny_8xb8-300e_coco.py"
    torch.manual_seed(0)
    model = init_detector(
        str(config), None, palette="coco", device="cpu", cfg_options={"model.bbox_head.num_classes": 1}
    )
    images = [random_image(1, 300, 500), random_image(2, 416, 416), random_image(3, 700, 233)]
    with torch.no_grad():
        model.backbone.stem.conv.conv.weight.div_(255)
        content = torch.from_numpy(in_the_corner(images[0], INPUT_PX, INPUT_PX)[0])[None]
        logits = torch.cat([level.flatten() for level in model.bbox_head(model.extract_feat(content))[2]])
        ranked = (logits - model.bbox_head.multi_level_conv_obj[0].bias).sort(descending=True).values
        for kind, thing in zip(model.bbox_head.multi_level_conv_cls, model.bbox_head.multi_level_conv_obj, strict=True):
            kind.bias.fill_(6)  # every cell is sure of its kind; twelve, in the first image, of there being anything
            thing.weight.div_(ranked[0] - ranked[12])
            thing.bias.fill_(float(np.log(0.3 / 0.7) - ranked[12] / (ranked[0] - ranked[12])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [inference_detector(model, image).pred_instances for image in images]
        expected = [people[people.scores >= 0.3] for people in expected]
    assert len(expected[0]) > 1
    for form, outputs in ((Suppressed, ["dets", "labels"]), (Answers, ["output"])):
        image = torch.zeros(2, 3, INPUT_PX, INPUT_PX)
        onnx_model = OnnxModel(export(form(model), image, tmp_path / f"{form.__name__}.onnx", outputs))
        assert is_yolox(onnx_model)
        detector = YOLOX(onnx_model)
        for whole, picture, theirs in zip(detector.batches().look(images), images, expected, strict=True):
            for found in (detector(picture), whole):
                np.testing.assert_allclose(found.boxes, theirs.bboxes.numpy(), atol=0.05)
                np.testing.assert_allclose(found.box_scores, theirs.scores.numpy(), atol=1e-4)
