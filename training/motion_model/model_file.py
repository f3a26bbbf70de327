"""A motion model on disk: weights of 11 and 8 bits, and metadata."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from sdk.errors import BadModelFile
from sdk.version import __version__
from training.files.tensor_file import load_tensors, save_atomically
from training.motion_model.bodies import BodyStatistics
from training.motion_model.motion_model import MotionModel, SegmentShape

SHIPPED_MOTION_MODEL = Path(__file__).parents[1] / "weights" / "motion.pt"
FORMAT = 1
_COARSE = ("basis.vectors", "start_basis.vectors", "starts")
"""Weights kept in 8 bits, with one scale per column: orthogonal vectors, and values in units of standard deviation."""
_LARGEST_NUMBER = 4096
"""Limit for points, components, width and blocks: a file must not ask for more memory than a model needs."""


def save_motion_model(model: MotionModel, path: Path, *, name: str) -> None:
    """Write the file whole or not at all.

    Args:
        model: Model to save.
        path: The file.
        name: Name of the model in its metadata.
    """
    weights = _packed({key: value.detach().cpu() for key, value in model.state_dict().items()})
    bodies = {
        field: value.tolist() if isinstance(value, Tensor) else value
        for field, value in dataclasses.asdict(model.bodies).items()
    }
    metadata = {"format": FORMAT, "name": name, "project_version": __version__, "weights_sha256": weights_hash(weights)}
    architecture = {
        **dataclasses.asdict(model.shape), "width": model.network.width, "blocks": len(model.network.blocks),
        "flow_steps": model.flow_steps,
    }  # fmt: skip
    save_atomically({"card": metadata, "architecture": architecture, "bodies": bodies, "weights": weights}, path)


def load_motion_model(path: Path = SHIPPED_MOTION_MODEL) -> MotionModel:
    """Read a model, in evaluation mode; no code in the file is run.

    Raises:
        BadModelFile: missing, damaged, changed since it was written, not a motion model, or of another format.
    """
    content = load_tensors(path)
    parts = ("card", "architecture", "bodies", "weights")
    if not all(isinstance(content.get(part), dict) for part in parts):
        raise BadModelFile(f"{path} is not a motion model: it lacks one of {', '.join(parts)}.")
    metadata, weights = content["card"], content["weights"]
    if metadata.get("format") != FORMAT:
        raise BadModelFile(
            f"{path} is a motion model of format {metadata.get('format')!r}; this version reads {FORMAT}."
        )
    if not all(isinstance(value, Tensor) for value in weights.values()):
        raise BadModelFile(f"{path}: its weights are not all tensors.")
    if weights_hash(weights) != metadata.get("weights_sha256"):
        raise BadModelFile(f"{path}: its weights are not those that its metadata was written for. Get the file anew.")
    try:
        model = _build(content["architecture"], content["bodies"])
        model.load_state_dict(_unpacked(weights))
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        raise BadModelFile(f"{path}: architecture and weights do not fit: {error}") from error
    if not all(bool(torch.isfinite(value).all()) for value in model.state_dict().values()):
        raise BadModelFile(f"{path}: its weights are not all finite numbers.")
    return model.eval()


def weights_hash(weights: dict[str, Tensor]) -> str:
    """SHA-256 over names and values, in the order of the names."""
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode())
        digest.update(weights[key].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    packed = {key: value.half() for key, value in weights.items() if key not in _COARSE}
    for key in _COARSE:
        scale = weights[key].abs().amax(0).clamp(min=1e-12) / 127
        packed[key] = (weights[key] / scale).round().to(torch.int8)
        packed[f"{key}.scale"] = scale.float()
    return packed


def _unpacked(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    scales = {f"{key}.scale" for key in _COARSE}
    weights = {key: value.float() for key, value in packed.items() if key not in scales}
    return weights | {key: weights[key] * packed[f"{key}.scale"] for key in _COARSE}


def _build(architecture: dict, bodies: dict) -> MotionModel:
    sizes = {name: int(value) for name, value in architecture.items()}
    outside = [name for name, value in sizes.items() if not 1 <= value <= _LARGEST_NUMBER]
    if outside:
        raise ValueError(f"{', '.join(outside)} must lie between 1 and {_LARGEST_NUMBER}")
    statistics = BodyStatistics(
        torch.tensor(bodies["proportions"]),
        torch.tensor(bodies["proportion_deviation"]),
        float(bodies["height_m"]),
        float(bodies["height_deviation_m"]),
        float(bodies["child_share"]),
        (float(bodies["child_heights_m"][0]), float(bodies["child_heights_m"][1])),
    )
    shape = SegmentShape(**{field.name: sizes.pop(field.name) for field in dataclasses.fields(SegmentShape)})
    return MotionModel(shape, statistics, **sizes)
