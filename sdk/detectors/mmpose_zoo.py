"""mmpose's own models by one word: RTMPose and RTMO, with the weights that mmpose's model zoo has for them."""

from __future__ import annotations

from pathlib import Path

from sdk.detectors.mmpose_config import find_config
from sdk.detectors.weight_download import fetch_weights
from sdk.errors import BadModelFile

_RTMPOSE = {"t": "8xb1024", "s": "8xb1024", "m": "8xb512", "l": "8xb512"}
_RTMO = {"s": "8xb32-600e_body7-640x640", "m": "16xb16-600e_body7-640x640", "l": "16xb16-600e_body7-640x640"}

ZOO = {
    # Halpe-26 by default: AlphaPose's layout has the pelvis, the neck and the head's top, which COCO's lacks.
    **{f"rtmpose-{size}": f"rtmpose-{size}_{batch}-700e_body8-halpe26-256x192" for size, batch in _RTMPOSE.items()},
    **{f"rtmpose-{size}-coco17": f"rtmpose-{size}_8xb256-420e_body8-256x192" for size in _RTMPOSE},
    **{f"rtmo-{size}": f"rtmo-{size}_{rest}" for size, rest in _RTMO.items()},
}
"""The config behind each word. Top-down models look inside boxes; RTMO finds people by itself."""
PEOPLE_FINDER = "rtmo-s"
"""Whose boxes a top-down model of the zoo looks at, where the caller names no other and mmdet is not installed."""


def find_zoo_model(word: str) -> tuple[str, Path]:
    """The config's name and the checkpoint of a word, downloaded when it is first asked for.

    Raises:
        MissingDependency: mmpose or pooch is not installed.
        BadDownload: the checkpoint is not here and can't be fetched; says where to put it.
        BadModelFile: this mmpose has no such model.
    """
    return ZOO[word], fetch_weights(weights_address(ZOO[word]))


def weights_address(config_name: str) -> str:
    """Where mmpose's zoo keeps the checkpoint of a config, from the metadata files beside the configs in its wheel.

    Raises:
        BadModelFile: no metadata names that config.
    """
    return metadata_address(find_config(config_name))


def metadata_address(config: Path) -> str:
    """The address of a config's checkpoint in OpenMMLab's metadata files (*.yml) beside it.

    Raises:
        BadModelFile: none names that config.
    """
    import yaml

    for file in sorted(config.parent.glob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("Models", []):
            if Path(model.get("Config", "")).stem == config.stem and "Weights" in model:
                return model["Weights"]
    raise BadModelFile(f"the metadata beside {config} names no weights for it. Give a checkpoint of your own.")
