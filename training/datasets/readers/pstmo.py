"""P-STMO's files of 3DHP (MotionAGFormer, KTPFormer, D3DP and others take them): data_{train,test}_3dhp.npz.

Their 3D is at the universal height; joints are in the test set's order.
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
from training.datasets.about import TEST_FRAMES_3DHP
from training.datasets.joints import MPI17_TO_H36M17
from training.datasets.readers.archives import archives_with, object_in, poses, table
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.readers.mpi_inf_3dhp import DEFINITION
from training.datasets.sequence import PreparedSequence

_TRAINING = re.compile(r"(S[1-8]) (Seq[12])")


def find_pstmo(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there is no such file in it."""
    units, splits = [], set()
    for path in archives_with(folder, ("data",)):
        content = object_in(path, "data")
        if not isinstance(content, dict) or not content:
            continue
        first = next(iter(content))
        if isinstance(first, str) and (_TRAINING.fullmatch(first) or first in TEST_FRAMES_3DHP):
            units.append(Unit(path.stem, (path,), partial(_read, path, table(path, "data", content))))
            splits.add("test" if first in TEST_FRAMES_3DHP else "train")
    if not units:
        return None
    missing = [f"data_{split}_3dhp.npz" for split in ("train", "test") if split not in splits]
    return Layout("3dhp", "P-STMO's npz", "h36m17", DEFINITION, tuple(units), tuple(missing))


def _read(path: Path, content: dict[str, Any], done: Collection[str]) -> Iterator[PreparedSequence]:
    note = "its 3D is at the universal height: there is none in the camera"
    for key, entry in content.items():
        found = _TRAINING.fullmatch(key)
        if found:
            if not isinstance(entry, list) or len(entry) != 2:
                raise BadDataset(f"{shown(path)}: {key} is not cameras and a frame rate.")
            views, rate = table(path, key, entry[0]), _rate(path, entry[1])
        elif key in TEST_FRAMES_3DHP:
            views, rate = {"": entry}, None
        else:
            raise BadDataset(f"{shown(path)}: {key[:40]!r} is no sequence of 3DHP.")
        for camera, arrays in views.items():
            names = [*(found.groups() if found else (key,)), *([camera] if camera else [])]
            facts = new_facts(
                "_".join(names), names[0], found[2] if found else "", "train" if found else "test", camera,
                frame_rate_hz=rate, root_known=False, notes=(note,),
            )  # fmt: skip
            if facts.name not in done:
                yield _sequence(path, facts, table(path, " ".join(names)[:60], arrays))


def _sequence(path: Path, facts: Any, arrays: dict[str, Any]) -> PreparedSequence:
    order = list(MPI17_TO_H36M17)
    keypoints = poses(path, "data_2d", arrays.get("data_2d"), (17,), 2)[:, order]
    joints = poses(path, "data_3d", arrays.get("data_3d"), (17,), 3)[:, order]
    valid = arrays.get("valid")
    if valid is not None and not isinstance(valid, np.ndarray):
        raise BadDataset(f"{shown(path)}: valid of {facts.name} is no array.")
    return make_sequence(facts, "h36m17", keypoints, None, universal_m=joints / 1000, valid=valid)


def _rate(path: Path, value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = 0.0
    if not 0 < rate < 1e4:
        raise BadDataset(f"{shown(path)}: a frame rate is {str(value)[:40]!r}.")
    return rate
