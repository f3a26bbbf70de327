"""Pickled numpy containers read without running what a pickle may ask for.

A pickle is a program: loading one calls whatever it names. VideoPose3D keeps its keypoints as a pickled dict of arrays
inside .npz files, and people exchange such files. Here a pickle can name nothing but what rebuilds an array, and even
that is not numpy's own: numpy trusts the state that a pickle gives its arrays and types, and a damaged one ends the
process. What stands in takes the state as values, checks it, and only then makes an array of it.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from sdk.errors import BadKeypoints

_NUMBER = re.compile(r"[fiu][1248]|b1")
_LONGEST_REASON = 300


class _Type:
    """`numpy.dtype`: of numbers, or of objects."""

    def __init__(self, code: object = None, *_: object) -> None:
        if not isinstance(code, str) or not (_NUMBER.fullmatch(code) or code in ("O", "O8")):
            raise pickle.UnpicklingError(f"it has values of type {str(code)[:20]!r}")
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        """Version, byte order and what only structured types have."""
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "=", "|") or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("it has a structured type")
        self.order = order

    @property
    def is_object(self) -> bool:
        return self.code.startswith("O")

    def numbers(self, content: Any, shape: Any, fortran: object) -> np.ndarray:
        """Bytes as an array of that shape."""
        content = content.encode("latin1") if isinstance(content, str) else content
        if self.is_object or not isinstance(content, bytes | bytearray | memoryview):
            raise pickle.UnpicklingError("it has an array without bytes")
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise pickle.UnpicklingError("it has an array without a shape")
        kind = np.dtype(("=" if self.order == "|" else self.order) + self.code)
        content = bytes(content)
        if math.prod(shape) * kind.itemsize != len(content):
            raise pickle.UnpicklingError(f"it has an array of {len(content)} bytes and another shape")
        return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C").copy()


class _Array:
    """`numpy.ndarray`: a name to hand on, and what its state becomes."""

    def __init__(self, *arguments: object) -> None:
        if arguments:
            raise pickle.UnpicklingError("it calls ndarray")
        self.value: Any = None

    def __setstate__(self, state: Any) -> None:
        """Version, shape, type, order, and bytes or a list of objects."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Type):
            raise pickle.UnpicklingError("it has an array without a type")
        _, shape, kind, fortran, content = state
        if not kind.is_object:
            self.value = kind.numbers(content, shape, fortran)
        elif isinstance(content, list) and shape in ((), (len(content),)) and (shape or len(content) == 1):
            self.value = content if shape else content[0]
        else:
            raise pickle.UnpicklingError("it has an array of objects that is no list")


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    """How pickles begin an array; its state comes after."""
    return _Array()


def _from_buffer(content: object, kind: object, shape: object, order: object) -> _Array:
    """How pickles of protocol 5 write an array."""
    if not isinstance(kind, _Type):
        raise pickle.UnpicklingError("it has an array without a type")
    array = _Array()
    array.value = kind.numbers(content, shape, order == "F")
    return array


def _scalar(kind: object, content: object = b"") -> Any:
    """A single number of numpy."""
    if not isinstance(kind, _Type):
        raise pickle.UnpicklingError("it has a number without a type")
    return kind.numbers(content, (), False)[()]


def _latin1(text: str, encoding: str) -> bytes:
    """How pickles of protocol 2 write bytes; `_codecs.encode` itself would accept any codec."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _latin1,
}
for _package in ("numpy.core", "numpy._core"):  # numpy 2 moved it; pickles name either
    _ALLOWED[f"{_package}.multiarray", "_reconstruct"] = _reconstruct
    _ALLOWED[f"{_package}.multiarray", "scalar"] = _scalar
    _ALLOWED[f"{_package}.numeric", "_frombuffer"] = _from_buffer


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which keypoints do not need")
        return _ALLOWED[module, name]


def read_npz(path: Path) -> dict[str, Any]:
    """All arrays of an .npz file; an object array of no dimensions becomes the object inside, of one a list.

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
        raise BadKeypoints(f"{path} holds a pickle that is refused: {str(error)[:_LONGEST_REASON]}.") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes run into
        reason = str(error)[:_LONGEST_REASON]
        raise BadKeypoints(f"{path} can't be read as .npz: {type(error).__name__}: {reason}") from error


def _read_array(stream: io.BytesIO) -> Any:
    version = npy_format.read_magic(stream)
    read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    _, _, dtype = read_header(stream)
    if not dtype.hasobject:
        stream.seek(0)
        return npy_format.read_array(stream, allow_pickle=False)
    return _plain(_ArraysOnly(stream, encoding="latin1").load())


def _plain(value: Any) -> Any:
    """A pickle's tree with arrays in the place of what stood in for them."""
    if isinstance(value, _Array):
        return value.value if isinstance(value.value, np.ndarray) else _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, _Type):
        raise pickle.UnpicklingError("it has a type in the place of a value")
    return value
