"""Files of arrays: what is wrong with them is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadMotion, BadTarget
from training.files.array_file import read_arrays

NUMBERS = np.arange(5000.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.savez(tmp_path / "a.npz", numbers=NUMBERS, objects=np.array([{"code": print}, None]), word="hello")
    return tmp_path / "a.npz"


def test_what_is_wanted_is_read_and_the_rest_left_alone(path: Path) -> None:
    arrays = read_arrays(path, ("word", "numbers"), BadTarget)
    assert set(arrays) == {"numbers", "word"}
    np.testing.assert_array_equal(arrays["numbers"], NUMBERS)
    assert str(arrays["word"]) == "hello"


def test_missing_arrays_are_named_with_those_there_are(path: Path) -> None:
    with pytest.raises(BadTarget, match=r"a\.npz lacks 'start', 'end'; it holds 'numbers', 'objects', 'word'\."):
        read_arrays(path, ("start", "numbers", "end"), BadTarget)


def test_objects_are_not_read(path: Path) -> None:
    with pytest.raises(BadTarget, match=r"a\.npz: the array 'objects' can't be read: Object arrays"):
        read_arrays(path, ("objects",), BadTarget)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_a_file_that_is_cut_off(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadMotion, match=r"a\.npz is not an \.npz file, or it is cut off\."):
        read_arrays(path, ("numbers",), BadMotion)


def test_damage_in_the_middle(path: Path) -> None:
    """The table of contents at the end is whole, an array is not."""
    damaged = bytearray(path.read_bytes())
    damaged[1000:1100] = bytes(100)
    path.write_bytes(damaged)
    with pytest.raises(BadTarget, match=r"a\.npz: the array 'numbers' can't be read: Bad CRC-32"):
        read_arrays(path, ("numbers",), BadTarget)


@pytest.mark.parametrize(("content", "says"), [(b"", "is not an .npz file."), (b"text", "is not an .npz file.")])
def test_another_kind_of_file(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(BadTarget, match=says):
        read_arrays(path, (), BadTarget)


def test_a_single_array_a_folder_and_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "b.npy", NUMBERS)
    for name, says in (("b.npy", "single array"), (".", "is a folder"), ("none.npz", "there is no file")):
        with pytest.raises(BadTarget, match=says):
            read_arrays(tmp_path / name, ("numbers",), BadTarget)
