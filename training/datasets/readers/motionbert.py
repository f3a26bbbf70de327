"""MotionBERT's and LCN's pickles of Human3.6M (h36m_*_cam_source*.pkl): their 2D.

Their 3D is in pixels with a depth in the scale of pixels (2.5D): there are no joints in metres in the camera to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.readers.archives import poses
from training.datasets.readers.files import files_in, numbered, read_objects
from training.datasets.readers.human36m import DEFINITION, RATE_HZ, SPLIT_OF
from training.datasets.readers.human36m_metadata import SIZES
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import PreparedSequence

_NOTE = "2D only: the file's 3D is 2.5D, in pixels"


def find_motionbert(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there is no such pickle in it."""
    units = []
    for path in files_in(folder, "*.pkl"):
        if path.name.startswith("cameras"):
            continue
        content = read_objects(path)
        if isinstance(content, dict) and {"train", "test"} <= set(content) and isinstance(content["test"], dict):
            for split in ("train", "test"):
                units.append(Unit(f"{path.stem} {split}", (path,), partial(_read, path, split, content[split])))
    return Layout("h36m", "MotionBERT's pickle (2D)", "h36m17", DEFINITION, tuple(units)) if units else None


def _read(path: Path, split: str, content: Any, done: Collection[str]) -> Iterator[PreparedSequence]:
    if not isinstance(content, dict):
        raise BadDataset(f"{shown(path)}: {split} is no table.")
    keypoints = poses(path, f"{split} joint_2d", content.get("joint_2d"), (17,), 2)
    sources, cameras = (
        _texts(path, split, name, content.get(name), len(keypoints)) for name in ("source", "camera_name")
    )
    for take, rows in numbered([f"{source}\0{camera}" for source, camera in zip(sources, cameras, strict=True)]):
        source, _, camera = take.partition("\0")
        found = re.search(r"S_?0*(\d+)", source, re.IGNORECASE)
        subject = f"S{found[1]}" if found else ""
        if SPLIT_OF.get(subject) != split or camera not in SIZES:
            raise BadDataset(
                f"{shown(path)}: {source[:60]!r} before {camera[:20]!r} is no take of Human3.6M's {split} subjects."
            )
        name = f"{source}_{camera}"
        facts = new_facts(name, subject, source, split, camera, frame_rate_hz=RATE_HZ, root_known=False, notes=(_NOTE,))
        if facts.name not in done:
            yield make_sequence(facts, "h36m17", keypoints[rows], None)


def _texts(path: Path, split: str, name: str, value: Any, count: int) -> list[str]:
    texts = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(text, str) for text in texts):
        raise BadDataset(f"{shown(path)}: {split} {name} is not a text for each of {count} frames.")
    return texts
