"""Makes MoveNet an mmpose model, with its real weights: config, checkpoint, and a comparison with the plain ONNX run.

mmpose's own weights are on a server. Where that can't be reached, this tests `--detector mmpose:CONFIG:CHECKPOINT` with
a real model. The state dict of the checkpoint contains the graph, which ONNX Runtime runs inside mmpose's backbone.
Images, crops, batches and the conversion to pixels are mmpose's.

    python -m benchmarks.movenet_in_mmpose movenet-thunder.onnx movenet-multipose.onnx --out movenet --videos FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from torch import Tensor, nn

from sdk.detectors.factory import open_detector
from sdk.detectors.mmpose.import_shims import import_mmpose
from sdk.detectors.movenet.crop import resample
from sdk.detectors.movenet.multi_person import LONG_SIDE, PERSON_SCORE, MoveNetMulti
from sdk.detectors.onnx_models import OnnxModel
from sdk.detectors.openmmlab.rtmpose import PersonCrop
from sdk.video.source import find_videos, open_video

import_mmpose()

from mmcv.transforms import BaseTransform  # noqa: E402  # only after the stand-ins
from mmengine.structures import InstanceData  # noqa: E402
from mmpose.models.heads.base_head import BaseHead  # noqa: E402
from mmpose.registry import MODELS, TRANSFORMS  # noqa: E402

CONFIG = """
custom_imports = dict(imports=["benchmarks.movenet_in_mmpose"])
default_scope = "mmpose"
model = dict(
    type="{kind}",
    data_preprocessor=dict(type="PoseDataPreprocessor", bgr_to_rgb=True),
    backbone=dict(type="MoveNetGraph", size={size}),
    head=dict(type="{head}"),
    test_cfg=dict(),
)
dataset = dict(
    type="CocoDataset", metainfo=dict(from_file="configs/_base_/datasets/coco.py"),
    pipeline=[dict(type="LoadImage"), {pipeline}],
)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
"""
TOP_DOWN = """dict(type="GetBBoxCenterScale"), dict(type="TopdownAffine", input_size=({side}, {side})),
        dict(type="PackPoseInputs")"""
BOTTOM_UP = """dict(type="PadToStride"), dict(type="PackPoseInputs", meta_keys=(
            "id", "img_id", "img_path", "ori_shape", "img_shape", "input_size", "input_center", "input_scale"))"""


@MODELS.register_module(force=True)
class MoveNetGraph(nn.Module):
    """A MoveNet graph, kept in the state dict. RGB (N, 3, H, W) to the graph's output for each, (N, ...)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("graph", torch.zeros(size, dtype=torch.uint8))
        self._session: Any = None

    def init_weights(self) -> None:
        """Does nothing: the graph comes from the checkpoint."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Run the graph on each image."""
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            graph = self.graph.cpu().numpy().tobytes()
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        name = self._session.get_inputs()[0].name
        rgb = images.round().to(torch.int32).permute(0, 2, 3, 1).cpu().numpy()
        found = [self._session.run(None, {name: np.ascontiguousarray(image[None])})[0] for image in rgb]
        return (torch.from_numpy(np.concatenate(found)),)


class _MoveNetHead(BaseHead):
    def forward(self, feats: tuple[Tensor]) -> Tensor:
        return feats[-1]

    def loss(self, feats: Any, batch_data_samples: Any, train_cfg: Any = None) -> dict[str, Tensor]:
        raise RuntimeError("MoveNet is not trained here.")


@MODELS.register_module(force=True)
class MoveNetSingleHead(_MoveNetHead):
    """Converts y, x (fractions) and score to network pixels."""

    def predict(self, feats: tuple[Tensor], batch_data_samples: Any, test_cfg: Any = None) -> list[InstanceData]:
        """The people of each image, keypoints in network pixels."""
        people = feats[-1].numpy().reshape(-1, 1, 17, 3)
        sizes = [np.array(sample.metainfo["input_size"]) for sample in batch_data_samples]
        return [
            InstanceData(keypoints=person[..., 1::-1] * size, keypoint_scores=person[..., 2])
            for person, size in zip(people, sizes, strict=True)
        ]


@MODELS.register_module(force=True)
class MoveNetMultiHead(_MoveNetHead):
    """Reads up to six people: 17 times y, x and score, then box and score."""

    def predict(self, feats: tuple[Tensor], batch_data_samples: Any, test_cfg: Any = None) -> list[InstanceData]:
        """The people of each image, keypoints in network pixels."""
        return [
            self._people(people, np.array(sample.metainfo["input_size"]))
            for people, sample in zip(feats[-1].numpy(), batch_data_samples, strict=True)
        ]

    def _people(self, people: np.ndarray, size: np.ndarray) -> InstanceData:
        people = people[people[:, 55] >= PERSON_SCORE]
        people = people[np.argsort(-people[:, 55], kind="stable")]
        joints, corners = people[:, :51].reshape(-1, 17, 3), people[:, 51:55].reshape(-1, 2, 2)[..., ::-1]
        return InstanceData(
            keypoints=joints[..., 1::-1] * size,
            keypoint_scores=joints[..., 2],
            bboxes=(corners * size).reshape(-1, 4),
            bbox_scores=people[:, 55],
        )


@TRANSFORMS.register_module(force=True)
class PadToStride(BaseTransform):
    """Prepares the image for MoveNet multipose: 384 pixels long, padded at the right and the bottom."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace the image, and store how its pixels map to the original."""
        height, width = results["img"].shape[:2]
        scale = LONG_SIDE / max(height, width)
        inner = max(round(width * scale), 1), max(round(height * scale), 1)
        columns, rows = (-(-side // 32) * 32 for side in inner)
        padded = np.zeros((rows, columns, 3), np.uint8)
        padded[: inner[1], : inner[0]] = resample(results["img"], 0, 0, (width / inner[0], height / inner[1]), inner)
        size = np.array([columns * width / inner[0], rows * height / inner[1]], np.float32)
        results |= {"img": padded, "img_shape": padded.shape[:2], "input_size": (columns, rows)}
        return results | {"input_scale": size, "input_center": size / 2}


def write_model(graph: Path, folder: Path) -> tuple[Path, Path]:
    """Write config and checkpoint of a MoveNet graph.

    Args:
        graph: lightning, thunder or multipose, as ONNX.
        folder: Folder for `<name>.py` and `<name>.pth`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = np.frombuffer(graph.read_bytes(), np.uint8).copy()
    side = OnnxModel(graph).inputs[0].shape[1]
    multi = not isinstance(side, int)
    text = CONFIG.format(
        kind="BottomupPoseEstimator" if multi else "TopdownPoseEstimator",
        size=len(content),
        head="MoveNetMultiHead" if multi else "MoveNetSingleHead",
        pipeline=BOTTOM_UP if multi else TOP_DOWN.format(side=side),
    )
    config, checkpoint = folder / f"{graph.stem}.py", folder / f"{graph.stem}.pth"
    config.write_text(text)
    torch.save({"state_dict": {"backbone.graph": torch.from_numpy(content)}}, checkpoint)
    return config, checkpoint


def plain_top_down(model: OnnxModel, image_bgr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(P, 17, 2) pixels from the graph without mmpose, inside boxes (P, 4)."""
    side = model.inputs[0].shape[1]
    assert isinstance(side, int)
    crops = [PersonCrop.around_box(box, 1.0) for box in boxes]
    found = [model.run(crop.cut(image_bgr, side, side)[None, ..., ::-1].astype(np.int32))[0] for crop in crops]
    return np.stack(
        [crop.to_pixels(f[0, 0, :, 1::-1] * side, side) for crop, f in zip(crops, found, strict=True)]
    ).reshape(-1, 17, 2)


@dataclass(frozen=True)
class MoveNetInMMPose:
    """Write MoveNet's graphs as mmpose models, and compare them with their plain runs on videos."""

    thunder: Annotated[Path, tyro.conf.Positional]
    """movenet-thunder.onnx, or lightning."""
    multipose: Annotated[Path, tyro.conf.Positional]
    """movenet-multipose.onnx."""
    out: Path = Path("movenet")
    """Folder for configs and checkpoints."""
    videos: Path | None = None
    """Videos to compare on."""
    every: int = 10
    """Compare in every n-th frame."""


def compare(options: MoveNetInMMPose, models: list[tuple[Path, Path]]) -> None:
    assert options.videos is not None
    (thunder, thunder_weights), (multi, multi_weights) = models
    single, finder = OnnxModel(options.thunder), MoveNetMulti(OnnxModel(options.multipose))
    whole = open_detector(f"mmpose:{multi}:{multi_weights}")
    inside = open_detector(f"mmpose:{thunder}:{thunder_weights}", boxes=f"onnx:{options.multipose}")
    print("| video | frames | people | top-down, largest difference | one-stage, largest difference | ms a frame |")
    print("|---|---|---|---|---|---|")
    for file in find_videos(options.videos):
        top_down, one_stage, spent, people, frames = [0.0], [0.0], 0.0, 0, 0
        with open_video(file) as video:
            for frame in video:
                if frame.index % options.every:
                    continue
                expected = finder(frame.image)
                started = time.process_time()
                found = inside(frame.image)
                spent += time.process_time() - started
                seen = whole(frame.image)
                assert len(seen) == len(expected) == len(found)
                frames, people = frames + 1, people + len(found)
                if people and len(found):
                    plain = plain_top_down(single, frame.image, expected.boxes)
                    top_down.append(float(np.abs(found.keypoints - plain).max()))
                    one_stage.append(float(np.abs(seen.keypoints - expected.keypoints).max()))
        print(
            f"| {file.name} | {frames} | {people} | {max(top_down):.3f} px | {max(one_stage):.3f} px "
            f"| {1000 * spent / max(frames, 1):.0f} |",
            flush=True,
        )


def main(options: MoveNetInMMPose) -> None:
    models = [write_model(graph, options.out) for graph in (options.thunder, options.multipose)]
    for config, checkpoint in models:
        print(f"mmpose:{config}:{checkpoint}")
    if options.videos is not None:
        compare(options, models)


if __name__ == "__main__":
    # Imported by its package name, as configs do. Otherwise the classes would be registered twice.
    from benchmarks import movenet_in_mmpose

    movenet_in_mmpose.main(tyro.cli(movenet_in_mmpose.MoveNetInMMPose))
