from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadMotion
from training.files.array_file import read_arrays


@pytest.mark.parametrize(
    "damage", [(b"'shape'", b"'sha(('"), (b"(3,)", b"((3,"), (b"<f8", b"<\x00\x00"), (b"NUMPY", b"NUMP?")]
)
def test_a_damaged_header_is_one_error(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    with io.BytesIO() as file:
        np.save(file, np.zeros(3))
        whole = file.getvalue()
    assert damage[0] in whole
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", whole.replace(*damage))
    with pytest.raises(BadMotion, match=r"a\.npz"):
        read_arrays(path, ("x",), BadMotion)


def test_a_header_of_python_2_is_read_without_a_warning(tmp_path: Path) -> None:
    with io.BytesIO() as file:
        np.save(file, np.arange(12.0).reshape(3, 2, 2))
        whole = file.getvalue().replace(b"(3, 2, 2)", b"(3L,2,2L)")
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", whole)
    np.testing.assert_array_equal(read_arrays(path, ("x",), BadMotion)["x"].ravel(), np.arange(12.0))
