"""Reads what the container of a video file states and OpenCV does not return: frame times, edit lists, mirroring, size.

Layouts: MP4 and MOV, ISO/IEC 14496-12 (6.2 header, 8.5.1 tkhd, 8.6.1 stts and ctts, 8.6.6 elst); AVI, Microsoft RIFF;
Matroska and WebM, RFC 8794 and 9559; WMV, Microsoft's ASF specification, section 3.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_LARGEST_INDEX_BYTES = 1 << 28
_MOST_FRAMES = 20_000_000
_MPEG4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


@dataclass(frozen=True)
class Container:
    """What a container states. The defaults mean that it states nothing.

    Attributes:
        times_s: (N,) float64 times of the frames to show, increasing from 0. None without an index.
        matrix: The display matrix a, b, c, d: a pixel at x, y is shown at a x + c y, b x + d y. None without one.
        missing_bytes: How many bytes shorter the file is than it states. Above 0, it was cut off.
        counts_frames: Whether it states the number of frames. Others state a length, which includes the sound.
    """

    times_s: np.ndarray | None = None
    matrix: tuple[int, int, int, int] | None = None
    missing_bytes: int = 0
    counts_frames: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the display matrix mirrors the image. OpenCV treats that as a rotation."""
        a, b, c, d = self.matrix or (1, 0, 0, 1)
        return a * d - b * c < 0

    def upright(self, image: np.ndarray) -> np.ndarray:
        """An (H, W, C) image as the mirroring display matrix shows it."""
        a, b, c, d = self.matrix or (1, 0, 0, 1)
        if self.turns:
            image, a, d = image.transpose(1, 0, 2), c, b
        return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])

    @property
    def turns(self) -> bool:
        """Whether the display matrix exchanges width and height."""
        a, b, c, d = self.matrix or (1, 0, 0, 1)
        return abs(b) + abs(c) > abs(a) + abs(d)


def read_container(path: Path) -> Container:
    """Read the headers of a file. Of a damaged or unknown file, returns what could be read; never an error."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            head = file.read(16)
            if head[4:8] in _MPEG4_BOXES:
                return _mpeg4(file, size)
            missing, is_avi = 0, head[:4] == b"RIFF" and head[8:12] == b"AVI "
            if is_avi:
                missing = _riff_end(file, size) - size
            elif head[:4] == b"\x1aE\xdf\xa3":
                missing = _matroska_end(file, size) - size
            elif head == _ASF:
                missing = _asf_end(file, size) - size
            return Container(missing_bytes=max(0, missing), counts_frames=is_avi)
    except (OSError, struct.error, ValueError, LookupError, OverflowError):
        return Container()


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, first byte and end of each box from `start` to `end`. The last box may claim a later end."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = start + 8
        if size == 1:
            size, body = struct.unpack(">Q", file.read(8))[0], start + 16
        if size == 0:
            size = end - start
        if size < body - start:
            return
        yield kind, body, start + size
        start += size


def _mpeg4(file: BinaryIO, size: int) -> Container:
    found = Container()
    last = 0
    for kind, start, end in _boxes(file, 0, size):
        last = end
        if kind == b"moov" and end <= size and end - start <= _LARGEST_INDEX_BYTES:
            found = _movie(file, start, end)
    return Container(found.times_s, found.matrix, max(0, last - size))


def _body(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(max(0, min(end - start, _LARGEST_INDEX_BYTES)))


def _movie(file: BinaryIO, start: int, end: int) -> Container:
    header = next((_body(file, a, b) for kind, a, b in _boxes(file, start, end) if kind == b"mvhd"), b"")
    movie_scale, movie_matrix = struct.unpack(">I", header[20:24] if header[0] else header[12:16])[0], _matrix(header)
    for kind, a, b in _boxes(file, start, end):
        if kind != b"trak":
            continue
        parts: dict[bytes, tuple[int, int]] = {}
        for name, first, last in _inside(file, a, b, _DEEPEST):
            parts.setdefault(name, (first, last))  # MOV has a second, inner hdlr
        if b"hdlr" not in parts or _body(file, *parts[b"hdlr"])[8:12] != b"vide":
            continue
        track = _body(file, *parts[b"tkhd"])
        matrix = _product(_matrix(track), movie_matrix)
        return Container(_times(file, parts, movie_scale), matrix)
    return Container()


_FOLDERS = (b"mdia", b"minf", b"stbl", b"edts")
_DEEPEST = 4


def _inside(file: BinaryIO, start: int, end: int, deep: int) -> Iterator[tuple[bytes, int, int]]:
    for kind, a, b in _boxes(file, start, end):
        yield kind, a, b
        if kind in _FOLDERS and deep:
            yield from _inside(file, a, min(b, end), deep - 1)


def _matrix(header: bytes) -> tuple[int, int, int, int]:
    """The 36-byte matrix of a tkhd or mvhd box. In tkhd, width and height follow it; in mvhd, 28 other bytes."""
    at = len(header) - 36 - (8 if len(header) in (84, 96) else 28)
    a, b, _, c, d = struct.unpack(">5i", header[at : at + 20])
    return a, b, c, d


def _product(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    product = np.array(first, object).reshape(2, 2) @ np.array(second, object).reshape(2, 2)
    a, b, c, d = (int(value) for value in product.ravel())
    return a, b, c, d


def _times(file: BinaryIO, parts: dict[bytes, tuple[int, int]], movie_scale: int) -> np.ndarray | None:
    """Presentation times after the edit list, the first shown frame at 0. None for a fragmented file."""
    media = _body(file, *parts[b"mdhd"])
    scale = struct.unpack(">I", media[20:24] if media[0] else media[12:16])[0]
    durations = _runs(_body(file, *parts[b"stts"]))
    if durations is None or scale == 0:
        return None
    shown_at = np.concatenate([[0], np.cumsum(durations)[:-1]])
    if b"ctts" in parts:
        offsets = _runs(_body(file, *parts[b"ctts"]))
        if offsets is None or len(offsets) != len(shown_at):
            return None
        shown_at = shown_at + offsets
    pieces, begins = [], 0.0
    for length, media_time in _edits(file, parts) if b"elst" in parts else [(0, 0)]:
        length_s = length / max(1, movie_scale)
        if media_time >= 0:
            inside = shown_at >= media_time
            if length:
                inside &= shown_at < media_time + length_s * scale
            pieces.append(begins + (shown_at[inside] - media_time) / scale)
        begins += length_s
    times = np.unique(np.concatenate(pieces)) if pieces else np.zeros(0)
    return times - times[0] if len(times) else None


def _runs(body: bytes) -> np.ndarray | None:
    """The values of a run-length table, (N,) int64. None if it is empty or impossibly long."""
    entries = min(struct.unpack(">I", body[4:8])[0], (len(body) - 8) // 8)
    table = np.frombuffer(body, ">i4", 2 * entries, 8).reshape(-1, 2).astype(np.int64)
    counts = table[:, 0] & 0xFFFFFFFF
    return np.repeat(table[:, 1], counts) if 0 < counts.sum() <= _MOST_FRAMES else None


def _edits(file: BinaryIO, parts: dict[bytes, tuple[int, int]]) -> list[tuple[int, int]]:
    """Each edit's length in units of the movie, and its start in units of the track (-1: empty)."""
    body = _body(file, *parts[b"elst"])
    wide = body[0] == 1
    step, form = (20, ">Qq") if wide else (12, ">Ii")
    entries = min(struct.unpack(">I", body[4:8])[0], (len(body) - 8) // step)
    return [struct.unpack_from(form, body, 8 + step * entry) for entry in range(entries)]


def _riff_end(file: BinaryIO, size: int) -> int:
    """The stated end of the last RIFF chunk; long files have several. A length of 0 or all ones: never finished."""
    at, end = 0, 0
    while at + 12 <= size:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or length in (0, 0xFFFFFFFF):
            break
        at = end = at + 8 + length
        at += at % 2
    return end


def _matroska_end(file: BinaryIO, size: int) -> int:
    """The stated end of the segment. 0 if the length is unknown (a live recording)."""
    file.seek(4)
    length = _vint(file)
    file.seek((length or 0), 1)
    if file.read(4) != b"\x18\x53\x80\x67":
        return 0
    length = _vint(file)
    return 0 if length is None else file.tell() + length


def _vint(file: BinaryIO) -> int | None:
    first = file.read(1)[0]
    width = 8 - first.bit_length() + 1
    value = int.from_bytes(bytes([first & (0xFF >> width)]) + file.read(width - 1), "big")
    return None if value == (1 << 7 * width) - 1 else value


def _asf_end(file: BinaryIO, size: int) -> int:
    """The file size that the properties object states. 0 for a broadcast, which states none."""
    file.seek(16)
    header_end = struct.unpack("<Q", file.read(8))[0]
    at = 30
    while at + 24 <= min(header_end, size):
        file.seek(at)
        kind, length = struct.unpack("<16sQ", file.read(24))
        if kind == _ASF_FILE:
            body = file.read(80)
            stated, flags = struct.unpack_from("<Q", body, 16)[0], struct.unpack_from("<I", body, 64)[0]
            return 0 if flags & 1 else stated
        if length < 24:
            break
        at += length
    return 0
