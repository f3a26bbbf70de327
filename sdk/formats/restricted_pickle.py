"""Pickled numpy containers read without running what a pickle may ask for.

A pickle is a program: loading one calls whatever it names. VideoPose3D keeps its keypoints as a pickled dict of arrays
inside .npz files, and people exchange such files; this reader lets a pickle name nothing but what rebuilds an array.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from sdk.errors import BadKeypoints

# numpy 2 moved it; pickles name either.
_CORE = "numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core"
_multiarray, _numeric = import_module(f"{_CORE}.multiarray"), import_module(f"{_CORE}.numeric")


def _latin1(text: str, encoding: str) -> bytes:
    """How pickles of protocol 2 write bytes; `_codecs.encode` itself would accept any codec."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


class _ArrayClass:
    """What `numpy.ndarray` is to a pickle: a name to hand on, that can't be called for an array of any size."""


def _empty_array(kind: object, shape: object, code: object) -> np.ndarray:
    """How pickles begin an array; its shape and bytes come after."""
    return _multiarray._reconstruct(np.ndarray, (0,), b"b")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
}
for _package in ("numpy.core", "numpy._core"):
    _ALLOWED[f"{_package}.multiarray", "_reconstruct"] = _empty_array
    _ALLOWED[f"{_package}.multiarray", "scalar"] = _multiarray.scalar
    _ALLOWED[f"{_package}.numeric", "_frombuffer"] = _numeric._frombuffer


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which keypoints do not need")
        return _ALLOWED[module, name]


def read_npz(path: Path) -> dict[str, Any]:
    """All arrays of an .npz file; an object array of no dimensions becomes the object inside.

    Objects can be built of Python's own containers, numbers and text, and of numpy arrays: no code of the file runs.

    Raises:
        BadKeypoints: if the file is damaged, or a pickle in it names anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                member.removesuffix(".npy"): _read_array(io.BytesIO(archive.read(member)))
                for member in archive.namelist()
                if member.endswith(".npy")
            }
    except pickle.UnpicklingError as error:
        raise BadKeypoints(f"{path} holds a pickle that is refused: {error}.") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes run into
        raise BadKeypoints(f"{path} can't be read as .npz: {type(error).__name__}: {error}") from error


def _read_array(stream: io.BytesIO) -> Any:
    version = npy_format.read_magic(stream)
    read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    _, _, dtype = read_header(stream)
    if not dtype.hasobject:
        stream.seek(0)
        return npy_format.read_array(stream, allow_pickle=False)
    array = _ArraysOnly(stream, encoding="latin1").load()
    return array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array
