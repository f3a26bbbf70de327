"""Reads pickled numpy arrays without running the code that a pickle can name.

A pickle is a program: loading it calls whatever it names. VideoPose3D keeps its keypoints as a pickled dict of arrays
inside .npz files, and people exchange such files. Here a pickle can name only what rebuilds an array. And it gets our
own classes, not numpy's: numpy trusts the state in a pickle, and a damaged state ends the process. Our classes check
the state first, and then make an array of it.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as npy_format

from sdk.errors import BadKeypoints

_NUMBER = re.compile(r"[fiu][1248]|b1")
_KEYS = {str, int, float, bool, bytes, type(None)}
_LONGEST_REASON = 300
_FREE_BYTES = 16 << 20
_COPIES = 4
"""A pickle of protocol 2 keeps an array's bytes as text, which is encoded, then copied into the array."""
_MOST_NODES = 2_000_000
"""Containers, arrays and values in one member, counted each time they are reached. Enough for hours of a video."""


class _Type:
    """Stands for `numpy.dtype`, of numbers or of objects."""

    def __init__(self, code: object = None, *_: object) -> None:
        if not isinstance(code, str) or not (_NUMBER.fullmatch(code) or code in ("O", "O8")):
            raise pickle.UnpicklingError(f"it has values of type {str(code)[:20]!r}")
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        """Take version, byte order, and fields that only structured types have."""
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
    """Stands for `numpy.ndarray`. `value` is the array that its state describes."""

    def __init__(self, *arguments: object) -> None:
        if arguments:
            raise pickle.UnpicklingError("it calls ndarray")
        self.value: Any = None

    def __setstate__(self, state: Any) -> None:
        """Take version, shape, type, order, and bytes or a list of objects."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Type):
            raise pickle.UnpicklingError("it has an array without a type")
        if self.value is not None:
            raise pickle.UnpicklingError("it has an array with two states")
        _, shape, kind, fortran, content = state
        if not kind.is_object:
            self.value = kind.numbers(content, shape, fortran)
        elif isinstance(content, list) and _holds(shape, len(content)) and not (fortran and len(shape) > 1):
            self.value = _nested(content, shape)
        else:
            raise pickle.UnpicklingError("it has an array of objects that is no list")


def _holds(shape: Any, count: int) -> bool:
    """Whether a shape of up to three dimensions has `count` elements."""
    return (
        isinstance(shape, tuple)
        and len(shape) <= 3
        and all(type(side) is int and side >= 0 for side in shape)
        and math.prod(shape) == count
        and (count > 0 or len(shape) <= 1)
    )


def _nested(content: list[Any], shape: tuple[int, ...]) -> Any:
    """Objects as nested lists of that shape. Without dimensions, the one object."""
    if not shape:
        return content[0]
    for side in shape[:0:-1]:
        content = [content[start : start + side] for start in range(0, len(content), side)]
    return content


class _Calls:
    """The functions that one pickle may call. The bytes that they make have a limit.

    Without it, a small pickle could pass the same long text to a thousand calls.
    """

    def __init__(self, size: int) -> None:
        self._left = _FREE_BYTES + _COPIES * size
        self.known: dict[tuple[str, str], Any] = {
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Type,
            ("_codecs", "encode"): self.latin1,
        }
        for package in ("numpy.core", "numpy._core"):  # numpy 2 moved it; pickles name either
            self.known[f"{package}.multiarray", "_reconstruct"] = self.reconstruct
            self.known[f"{package}.multiarray", "scalar"] = self.scalar
            self.known[f"{package}.numeric", "_frombuffer"] = self.from_buffer

    def reconstruct(self, kind: object, shape: object, code: object) -> _Array:
        """Begin an array. Its state comes later in the pickle."""
        return _Array()

    def from_buffer(self, content: object, kind: object, shape: object, order: object) -> _Array:
        """Make an array, as pickles of protocol 5 do."""
        if not isinstance(kind, _Type):
            raise pickle.UnpicklingError("it has an array without a type")
        self._take(content)
        array = _Array()
        array.value = kind.numbers(content, shape, order == "F")
        return array

    def scalar(self, kind: object, content: object = b"") -> Any:
        """Make a single number of numpy."""
        if not isinstance(kind, _Type):
            raise pickle.UnpicklingError("it has a number without a type")
        self._take(content)
        return kind.numbers(content, (), False)[()]

    def latin1(self, text: str, encoding: str) -> bytes:
        """Make bytes, as pickles of protocol 2 do. `_codecs.encode` itself would accept any codec."""
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
        self._take(text)
        return text.encode("latin1")

    def _take(self, content: Any) -> None:
        self._left -= len(content)
        if self._left < 0:
            raise pickle.UnpicklingError("it makes much more than it holds")


class _ArraysOnly(pickle._Unpickler):
    """Python's unpickler in Python, not in C. It lets us check keys before they are hashed.

    The hash of nested tuples that share their parts would take for ever.
    """

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, stream: io.BytesIO, size: int) -> None:
        super().__init__(stream, encoding="latin1")
        self._known = _Calls(size).known

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which keypoints do not need")
        return self._known[module, name]


def _with_plain_keys(opcode: bytes) -> Callable[[_ArraysOnly], None]:
    """The opcode that puts entries into a dict, for keys that are fast to hash only."""
    put = pickle._Unpickler.dispatch[opcode[0]]

    def put_checked(unpickler: Any) -> None:
        keys = unpickler.stack[-2:-1] if opcode == pickle.SETITEM else unpickler.stack[::2]
        if not all(map(_hashed_at_once, keys)):
            raise pickle.UnpicklingError("it has a key that is neither text nor a number")
        put(unpickler)

    return put_checked


def _hashed_at_once(key: object) -> bool:
    """Text, a number, or a short tuple of these, as mmpose's cameras have (subject and camera)."""
    return type(key) in _KEYS or (type(key) is tuple and len(key) <= 4 and all(type(part) in _KEYS for part in key))


def _refuse_set(unpickler: _ArraysOnly) -> None:
    raise pickle.UnpicklingError("it has a set, which keypoints do not need")


def _bytes_that_are_there(unpickler: Any) -> None:
    """The opcode of a bytearray. Python's own allocates the memory that the file claims, before it reads."""
    (length,) = struct.unpack("<Q", unpickler.read(8))
    content = unpickler.read(length)
    if len(content) != length:
        raise pickle.UnpicklingError("it ends within an array of bytes")
    unpickler.append(bytearray(content))


for _opcode in (pickle.SETITEM, pickle.SETITEMS, pickle.DICT):
    _ArraysOnly.dispatch[_opcode[0]] = _with_plain_keys(_opcode)
for _opcode in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
    _ArraysOnly.dispatch[_opcode[0]] = _refuse_set
_ArraysOnly.dispatch[pickle.BYTEARRAY8[0]] = _bytes_that_are_there


def read_npz(path: Path) -> dict[str, Any]:
    """All arrays of an .npz file. An object array without dimensions becomes its object; with one, a list.

    Objects can hold Python's containers, numbers and text, and numpy arrays. No code of the file runs.

    Raises:
        BadKeypoints: the file is damaged, or a pickle in it names anything else.
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
    except Exception as error:  # a damaged pickle can raise anything
        reason = str(error)[:_LONGEST_REASON]
        raise BadKeypoints(f"{path} can't be read as .npz: {type(error).__name__}: {reason}") from error


def read_pickle(path: Path) -> Any:
    """What a pickle holds, of Python's own containers, numbers and text, and of numpy arrays: no code of it runs.

    Raises:
        BadKeypoints: if the file is damaged, or names anything else.
    """
    try:
        content = path.read_bytes()
        return _Plain(len(content)).of(_ArraysOnly(io.BytesIO(content), len(content)).load())
    except pickle.UnpicklingError as error:
        raise BadKeypoints(f"{path} is a pickle that is refused: {str(error)[:_LONGEST_REASON]}.") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes run into
        reason = str(error)[:_LONGEST_REASON]
        raise BadKeypoints(f"{path} can't be read as a pickle: {type(error).__name__}: {reason}") from error


def _read_array(stream: io.BytesIO) -> Any:
    version = npy_format.read_magic(stream)
    read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    _, _, dtype = read_header(stream)
    if not dtype.hasobject:
        stream.seek(0)
        return npy_format.read_array(stream, allow_pickle=False)
    size = stream.getbuffer().nbytes
    return _Plain(size).of(_ArraysOnly(stream, size).load())


class _Plain:
    """Replaces our stand-ins in a pickle's content by arrays.

    Pickles can share: a few hundred bytes can reach one array a million times. Shared parts are made once. The total,
    counting each part as often as it is reached, has a limit.
    """

    def __init__(self, size: int) -> None:
        self._most_bytes = _FREE_BYTES + _COPIES * size
        self._made: dict[int, tuple[Any, int, int]] = {}
        self._kept: list[object] = []

    def of(self, value: Any) -> Any:
        """The value, checked."""
        return self._made_of(value)[0]

    def _made_of(self, value: Any) -> tuple[Any, int, int]:
        """The value, and the number of nodes and bytes that it reaches."""
        if id(value) in self._made:
            made = self._made[id(value)]
            if made[1] < 0:
                raise pickle.UnpicklingError("it holds something that holds itself")
            return made
        if isinstance(value, _Type):
            raise pickle.UnpicklingError("it has a type in the place of a value")
        if isinstance(value, np.ndarray):
            return value, 1, value.nbytes
        if not isinstance(value, _Array | dict | list | tuple):
            return value, 1, len(value) if isinstance(value, str | bytes | bytearray) else 8
        self._kept.append(value)  # so that its id stays its own
        self._made[id(value)] = None, -1, 0
        if isinstance(value, _Array):
            result, nodes, size = self._made_of(value.value)
        elif isinstance(value, dict):
            parts = {key: self._made_of(entry) for key, entry in value.items()}
            result = {key: part[0] for key, part in parts.items()}
            nodes, size = self._sum(parts.values())
        else:
            listed = [self._made_of(entry) for entry in value]
            result = [part[0] for part in listed]
            nodes, size = self._sum(listed)
        self._made[id(value)] = result, nodes, size
        return result, nodes, size

    def _sum(self, parts: Iterable[tuple[Any, int, int]]) -> tuple[int, int]:
        nodes, size = 1, 0
        for _, more_nodes, more_bytes in parts:
            nodes += more_nodes
            size += more_bytes
        if nodes > _MOST_NODES or size > self._most_bytes:
            raise pickle.UnpicklingError("it unfolds to much more than it holds")
        return nodes, size
