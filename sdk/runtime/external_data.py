"""Where an ONNX file keeps its tensors, told from its bytes before ONNX Runtime opens it.

Such a file can name other files by paths. Older versions of ONNX Runtime, which Python 3.10 gets, do not check where a
path leads and read any file of the user's. So external data is refused, with one exception: a graph may take its
weights from one file in its own folder whose SHA-256 it states. The shipped streaming graphs take them from their
window graph (adaptpose-export --share-weights).

The file is walked as protobuf's wire format, by the field numbers of onnx.proto; payloads are skipped.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from pathlib import Path

from sdk.errors import BadModelFile
from sdk.files.content_hash import file_sha256
from sdk.runtime.metadata_entry import load_entry

WEIGHTS_KEY = "adaptpose_weights"
"""The ONNX metadata entry that says where shared weights are: JSON with `file`, a name, and `sha256` of its content."""

_MOST_FIELDS = 5_000_000
"""A transformer of some thousand nodes has a hundred thousand."""
_DEEPEST = 50
_LONGEST_WORD = 10_000
"""Bytes of a key or value that is read. ONNX Runtime takes no longer path."""
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 14: "metadata", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "outside"},
    "function": {7: "node", 11: "attribute"},
    "metadata": {},
    "outside": {},
}
"""Of each kind of message, the fields that hold messages with tensors in them, or pairs of a key and a value: metadata,
and what a tensor says of its external data."""
_DATA_LOCATION = 14
"""Field of a tensor: 0 if it holds its numbers."""


def weights_entry(file: Path) -> dict[str, str]:
    """The metadata entry of a graph that takes its weights from a file in the same folder."""
    return {WEIGHTS_KEY: json.dumps({"file": file.name, "sha256": file_sha256(file)}, sort_keys=True)}


def checked_model(path: Path) -> Path:
    """The ONNX file to open, if it holds its tensors, or takes them from a file beside it with the stated content.

    Returns:
        The path. Of a link to a file that takes its weights from beside it, where the link leads: ONNX Runtime 1.24
        refuses weights that are a link.

    Raises:
        ValueError: it is no ONNX file.
        BadModelFile: it takes them from elsewhere, or that file is missing or another one.
    """
    if path.stat().st_size == 0:
        raise ValueError("it is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        walk = _Walk(content)
    if not walk.keeps_external_data:
        return path
    name, sha256 = _stated(walk.weights, path)
    if not name or walk.locations != {name}:
        raise BadModelFile(
            f"{path} keeps weights in other files, by paths that it names. Only files that hold their own are "
            "opened: save it as one with onnx.save(onnx.load(path), new_path)."
        )
    if path.resolve().with_name(name).is_file():
        path = path.resolve()
    beside = path.with_name(name)
    if not beside.is_file():
        raise BadModelFile(
            f"{path} takes its weights from {beside}, which is not there. Keep both files in one folder under their "
            "names, or make files that each hold their weights: adaptpose-export without --share-weights."
        )
    if file_sha256(beside) != sha256:
        raise BadModelFile(
            f"{path} takes its weights from {beside}, and that is another file than it was exported with. Take both "
            "files from one export; if they are a shipped lifter's, install adaptpose again."
        )
    return path


def _stated(entry: str | None, path: Path) -> tuple[str, str]:
    """Name and SHA-256 of the file with the weights; empty if nothing, or no plain name, is stated."""
    values = {} if entry is None else load_entry({WEIGHTS_KEY: entry}, WEIGHTS_KEY, str(path))
    name, sha256 = (values.get(key) for key in ("file", "sha256")) if isinstance(values, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(sha256, str):
        return "", ""
    return ("", "") if name in (".", "..") or set(name) & set("/\\:\0") else (name, sha256)


class _Walk:
    """Reads a model.

    Attributes:
        keeps_external_data: Whether a tensor is elsewhere.
        locations: The paths that tensors name.
        weights: The metadata entry `WEIGHTS_KEY`.
    """

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._left = _MOST_FIELDS
        self.keeps_external_data = False
        self.weights: str | None = None
        self.locations: set[str] = set()
        waiting = [("model", 0, len(self._content), 0)]
        while waiting:
            kind, start, end, depth = waiting.pop()
            if depth > _DEEPEST:
                raise ValueError("it is no ONNX file: nested too deeply")
            if not _INSIDE[kind]:
                self._take_pair(kind, start, end)
                continue
            for field, value, inside in self._fields(start, end):
                if kind == "tensor" and field == _DATA_LOCATION and value != 0:
                    self.keeps_external_data = True
                elif field in _INSIDE[kind] and inside is not None:
                    waiting.append((_INSIDE[kind][field], *inside, depth + 1))

    def _take_pair(self, kind: str, start: int, end: int) -> None:
        words = {field: self._text(*inside) for field, _, inside in self._fields(start, end) if inside is not None}
        if kind == "outside":
            self.keeps_external_data = True
            if words.get(1) == "location":
                self.locations.add(words.get(2, ""))
        elif words.get(1) == WEIGHTS_KEY:
            self.weights = words.get(2, "")

    def _text(self, start: int, end: int) -> str:
        return self._content[start : min(end, start + _LONGEST_WORD)].decode("utf-8", "replace")

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
