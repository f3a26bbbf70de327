"""Models of mmpose with random weights, exported as OpenMMLab's published ONNX files are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch


def export(module: torch.nn.Module, image: torch.Tensor, path: Path, outputs: list[str]) -> Path:
    """An ONNX file that takes any number of images; the second axes of its outputs are open too."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (image,),
            str(path),
            input_names=["input"],
            output_names=outputs,
            dynamic_axes={"input": {0: "batch"}} | {name: {0: "batch", 1: "num_dets"} for name in outputs},
            opset_version=17,
            dynamo=False,
        )
    return path


class SimCCRows(torch.nn.Module):
    """RTMPose and RTMW: simcc_x and simcc_y of normalised crops."""

    def __init__(self, model) -> None:
        super().__init__()
        self.model = model

    def forward(self, image):
        return self.model.head(self.model.extract_feat(image))


class NonMaxSuppression(torch.autograd.Function):
    """ONNX's operator, so that a traced graph holds it."""

    @staticmethod
    def forward(ctx, boxes, scores, iou, score):
        return torch.zeros((1, 3), dtype=torch.int64)

    @staticmethod
    def symbolic(g, boxes, scores, iou, score):
        most = g.op("Constant", value_t=torch.tensor([200]))
        limits = [g.op("Constant", value_t=torch.tensor([value], dtype=torch.float32)) for value in (iou, score)]
        return g.op("NonMaxSuppression", boxes, scores, most, *limits)


class DecodedRTMO(torch.nn.Module):
    """RTMO with its coordinates decoded: dets and keypoints of the surest places of each image.

    As in the published graphs, overlaps are suppressed inside, and places left over are filled with suppressed ones.
    """

    def __init__(self, model, count: int, iou: float, score: float) -> None:
        super().__init__()
        self.model, self.count, self.iou, self.score = model, count, iou, score
        model.switch_to_deploy()

    def forward(self, image):
        from mmpose.structures.bbox import bbox_xyxy2cs

        head = self.model.head
        cls_scores, bbox_preds, _, kpt_vis, pose_vecs = head.head_module(self.model.extract_feat(image))[:5]
        scores = head._flatten_predictions(cls_scores).sigmoid()
        boxes = head.decode_bbox(head._flatten_predictions(bbox_preds), head.flatten_priors, head.flatten_stride)
        chosen = NonMaxSuppression.apply(boxes, scores.permute(0, 2, 1), self.iou, self.score)
        kept = torch.zeros_like(scores[..., 0]).index_put(
            (chosen[:, 0], chosen[:, 2]), torch.ones_like(chosen[:, 0]).float()
        )
        places = (scores[..., 0] + kept).topk(self.count, dim=1).indices[..., None]
        boxes, scores = boxes.gather(1, places.expand(-1, -1, 4)), scores.gather(1, places)
        vecs = head._flatten_predictions(pose_vecs)
        vecs = vecs.gather(1, places.expand(-1, -1, vecs.shape[2]))
        seen = head._flatten_predictions(kpt_vis).sigmoid()
        seen = seen.gather(1, places.expand(-1, -1, seen.shape[2]))
        grids = head.flatten_priors[places[..., 0]]
        keypoints = head.dcc.forward_test(vecs, torch.cat(bbox_xyxy2cs(boxes, head.bbox_padding), dim=-1), grids)
        return torch.cat([boxes, scores], 2), torch.cat([keypoints, seen[..., None]], -1)


def random_image(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
