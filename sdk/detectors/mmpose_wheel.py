"""mmpose on Python 3.12: one of its needs has no wheel there, so pip can't install it beside the others.

The extra brings everything else on that Python, and mmpose itself, which is plain Python, is fetched when it is first
asked for, without its needs, into the cache. xtcocotools, which only reads data sets, is stood in for by pycocotools,
whose copy it is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

from sdk.detectors.weight_download import weights_folder
from sdk.errors import BadDownload
from sdk.output_path import naming
from sdk.part_file import part_beside, remove_abandoned_parts

REQUIREMENT = "mmpose==1.3.2"
_COCO_PARTS = ("coco", "cocoeval", "mask")


def find_mmpose() -> str | None:
    """The path of mmpose's `__init__.py`, None where it is not installed; on Python 3.12 it is fetched if need be.

    Raises:
        BadDownload: it has to be fetched, and pip can't.
        BadOutput: the cache can't be written to.
    """
    spec = find_spec("mmpose")
    if spec is None and sys.version_info >= (3, 12) and find_spec("mmengine") is not None:
        _fetch_mmpose()
        spec = find_spec("mmpose")
    return None if spec is None else spec.origin


def stand_in_for_xtcocotools() -> None:
    """Let `xtcocotools` be pycocotools, where only the latter is installed."""
    if find_spec("xtcocotools") is None and find_spec("pycocotools") is not None:
        sys.modules["xtcocotools"] = import_module("pycocotools")
        for part in _COCO_PARTS:
            sys.modules[f"xtcocotools.{part}"] = import_module(f"pycocotools.{part}")


def _fetch_mmpose() -> None:
    folder = weights_folder().parent / f"{REQUIREMENT}.wheel"
    if not folder.is_dir():
        with naming(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned_parts(folder)
            part = part_beside(folder)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
            done = subprocess.run(
                [*command, "--target", str(part), REQUIREMENT], capture_output=True, text=True, check=False
            )
            if done.returncode:
                shutil.rmtree(part, ignore_errors=True)
                reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise BadDownload(
                    f"pip can't fetch {REQUIREMENT}: {reason}. It needs a package index, once; "
                    f"or run: pip install --no-deps {REQUIREMENT}"
                )
            part.replace(folder)
    sys.path.append(str(folder))
