"""Whether an ONNX file keeps tensors in other files, told from its bytes.

Such a file names the others by a path. Older versions of ONNX Runtime, which Python 3.10 gets, do not check where it
leads and read any file of the user's. Lifters and detectors are single files, so external data is refused.

The file is walked as protobuf's wire format, by the field numbers of onnx.proto; payloads are skipped.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

_MOST_FIELDS = 5_000_000
"""A transformer of some thousand nodes has a hundred thousand."""
_DEEPEST = 50
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
}
"""Of each kind of message, the fields that hold messages with tensors in them."""
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
"""Fields of a tensor."""


def keeps_external_data(path: Path) -> bool:
    """Whether an ONNX file keeps some of its tensors elsewhere.

    Raises:
        ValueError: it is no ONNX file.
    """
    if path.stat().st_size == 0:
        raise ValueError("it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _Walk(content).has_external_data()


class _Walk:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._left = _MOST_FIELDS

    def has_external_data(self) -> bool:
        waiting = [("model", 0, len(self._content), 0)]
        while waiting:
            kind, start, end, depth = waiting.pop()
            if depth > _DEEPEST:
                raise ValueError("it is no ONNX file: nested too deeply")
            for field, value, inside in self._fields(start, end):
                if kind == "tensor":
                    if field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value != 0):
                        return True
                elif field in _INSIDE[kind] and inside is not None:
                    waiting.append((_INSIDE[kind][field], *inside, depth + 1))
        return False

    def _fields(self, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
        """Number, value and, of what has a length, where its content lies, of each field of a message."""
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError("it is no ONNX file: more fields than a model has")
            key, at = self._number(at, end)
            field, wire = key >> 3, key & 7
            value, inside = 0, None
            if wire == 0:
                value, at = self._number(at, end)
            elif wire == 2:
                length, at = self._number(at, end)
                inside, at = (at, at + length), at + length
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            else:
                raise ValueError(f"it is no ONNX file: field {field} has the wire type {wire}")
            if at > end or field == 0:
                raise ValueError("it is no ONNX file: a field does not fit into its message")
            yield field, value, inside

    def _number(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                raise ValueError("it is no ONNX file: it is cut off")
            byte = self._content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        raise ValueError("it is no ONNX file: a number is too long")
