from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sdk.errors import BadKeypoints
from sdk.keypoint_files.parsing.restricted_pickle import read_pickle


class Calls:
    def __reduce__(self) -> Any:
        return eval, ("1 / 0",)


def write(folder: Path, content: object, protocol: int = 2) -> Path:
    path = folder / "a.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_in_containers(tmp_path: Path, protocol: int) -> None:
    camera = {"R": np.arange(9.0).reshape(3, 3), "w": 1000, "name": "a"}
    read = read_pickle(write(tmp_path, {("S1", "54138969"): camera, "frames": [np.arange(3)]}, protocol))
    assert_array_equal(read["S1", "54138969"]["R"], camera["R"])
    assert_array_equal(read["frames"][0], [0, 1, 2])


@pytest.mark.parametrize("content", [Calls(), {((("a",),),): 1}, {tuple(range(5)): 1}, {frozenset("a"): 1}, {1, 2}])
def test_what_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(BadKeypoints, match="refused"):
        read_pickle(write(tmp_path, content))


def test_cut_off_or_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": np.arange(100)})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(BadKeypoints, match=r"can't be read|refused"):
        read_pickle(path)
    with pytest.raises(BadKeypoints, match="can't be read"):
        read_pickle(tmp_path / "nowhere.pkl")
