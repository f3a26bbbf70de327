"""Finds, reads and hashes mmpose's configs: those of its own models, by one word, or files."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sdk.detectors.mmpose.import_shims import find_mmpose
from sdk.errors import BadModelFile, MissingDependency, UnknownDetector
from sdk.files.downloads import fetch_weights
from sdk.skeletons.skeleton import COCO17, HALPE26, Skeleton

_RTMPOSE = {"t": "8xb1024", "s": "8xb1024", "m": "8xb512", "l": "8xb512"}
_RTMO = {"s": "8xb32-600e_body7-640x640", "m": "16xb16-600e_body7-640x640", "l": "16xb16-600e_body7-640x640"}

ZOO = {
    # Halpe-26 by default: it has the pelvis, the neck and the top of the head, which COCO lacks.
    **{f"rtmpose-{size}": f"rtmpose-{size}_{batch}-700e_body8-halpe26-256x192" for size, batch in _RTMPOSE.items()},
    **{f"rtmpose-{size}-coco17": f"rtmpose-{size}_8xb256-420e_body8-256x192" for size in _RTMPOSE},
    **{f"rtmo-{size}": f"rtmo-{size}_{rest}" for size, rest in _RTMO.items()},
}
"""The config of each word. Top-down models need boxes; RTMO finds people itself."""
PEOPLE_FINDER = "rtmo-s"
"""Default detector of boxes for a top-down model of the zoo, if mmdet is not installed."""


def find_zoo_model(word: str) -> tuple[str, Path]:
    """The config name and the checkpoint of a word. The checkpoint is downloaded at first use.

    Raises:
        MissingDependency: mmpose is not installed.
        BadDownload: the checkpoint is not in the cache and can't be downloaded; the message says where to put it.
        BadModelFile: this mmpose has no such model.
    """
    return ZOO[word], fetch_weights(weights_address(ZOO[word]))


def weights_address(config_name: str) -> str:
    """The address of a config's checkpoint in mmpose's zoo, from the metadata files in mmpose's wheel.

    Raises:
        BadModelFile: no metadata names this config.
    """
    return metadata_address(find_config(config_name))


def metadata_address(config: Path) -> str:
    """The address of a config's checkpoint, from OpenMMLab's metadata files (*.yml) in its folder.

    Raises:
        BadModelFile: no metadata names this config.
    """
    import yaml

    for file in sorted(config.parent.glob("*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("Models", []):
            if Path(model.get("Config", "")).stem == config.stem and "Weights" in model:
                return model["Weights"]
    raise BadModelFile(f"the metadata beside {config} names no weights for it. Give a checkpoint of your own.")


class UnknownConfig(UnknownDetector):
    """A config name that mmpose does not ship. The message lists the closest names."""

    kind = "mmpose config"


def find_config(name: str) -> Path:
    """The file of a config.

    Args:
        name: A path, or the name of a config in mmpose's wheel, such as `rtmpose-t_8xb256-420e_coco-256x192`.

    Raises:
        UnknownConfig: there is no such config; lists mmpose's closest names.
        MissingDependency: the name is no path, and mmpose is not installed.
        BadDownload: see `find_mmpose`.
    """
    if Path(name).is_file():
        return Path(name)
    package = find_mmpose()
    if package is None:
        raise MissingDependency("mmpose", "mmpose", f"the config {name!r}, which is no file,")
    folder = Path(package).parent / ".mim" / "configs"
    shipped = {path.stem: path for path in folder.rglob("*.py") if "_base_" not in path.parts}
    stem = name.removesuffix(".py")
    if stem not in shipped:
        close = get_close_matches(Path(stem).name, shipped, n=5, cutoff=0)
        raise UnknownConfig(
            name,
            close,
            f"These are the closest of the {len(shipped)} in mmpose; a path to a config file works as well.",
        )
    return shipped[stem]


def read_config(path: Path) -> Any:
    """Read a config as an mmengine Config, with test-time flipping off: it doubles the time for a fraction of a pixel.

    Raises:
        BadModelFile: the file is no config, or has no model.
    """
    from mmengine.config import Config

    try:
        config = Config.fromfile(str(path))
    except Exception as error:  # a config is a Python program and can raise anything
        raise BadModelFile(f"{path} is not a config that mmengine can read: {error}") from error
    if "model" not in config or "type" not in config.model:
        raise BadModelFile(f"{path} describes no model (model = dict(type=...)).")
    if config.model.get("test_cfg"):
        config.model.test_cfg.flip_test = False
    return config


def hash_config(config: Any) -> str:
    """Hash of all values of the config, with its bases; 16 hexadecimal digits."""
    return hashlib.sha256(repr(config.to_dict()).encode()).hexdigest()[:16]


def skeleton_of(dataset_meta: dict[str, Any] | None, path: Path) -> Skeleton:
    """The skeleton with the same joints, in the same order, as mmpose's dataset.

    Raises:
        BadModelFile: no skeleton has these joints; the message says how many there are.
    """
    if dataset_meta is None:
        raise BadModelFile(f"{path} names no dataset (train_dataloader.dataset), so its joints are unknown.")
    names = tuple(dataset_meta["keypoint_id2name"][index] for index in range(dataset_meta["num_keypoints"]))
    for skeleton in (COCO17, HALPE26):
        if names == skeleton.joints:
            return skeleton
    raise BadModelFile(
        f"{path} predicts {len(names)} joints of dataset {dataset_meta['dataset_name']!r}: {', '.join(names[:5])}... "
        f"Known are coco17 ({len(COCO17)} joints) and halpe26 ({len(HALPE26)} joints)."
    )
