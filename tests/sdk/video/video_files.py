"""Video files as cameras, browsers and editors leave them, made from what OpenCV writes by editing their bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from tests.sdk.stick_figures import render

H263_SIZE = (176, 144)
"""H.263 has a few sizes only."""


def write(path: Path, code: str, frames: int, fps: float = 25.0, size: tuple[int, int] | None = None) -> Path:
    """A video of that codec; each frame carries its index."""
    images = [render(index, []) for index in range(frames)]
    width, height = size or (images[0].shape[1], images[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(np.ascontiguousarray(image[:height, :width]))
    writer.release()
    return path


def browser_recording(path: Path, times_ms: Sequence[int]) -> Path:
    """A .webm as MediaRecorder writes it: no frame rate stated, times in milliseconds as they come."""
    data = bytearray(write(path, "VP80", len(times_ms)).read_bytes())
    stated = data.find(b"\x23\xe3\x83")  # DefaultDuration becomes Void
    if stated >= 0:
        length = data[stated + 3] & 0x7F
        data[stated : stated + 4 + length] = bytes([0xEC, 0x80 | (length + 2)]) + bytes(length + 2)
    assert b"\x44\x89" in data  # the duration
    # Not from the start: the random number of a track, before the clusters, can look like a block.
    at, blocks, cluster_ms = data.index(b"\x1f\x43\xb6\x75"), 0, 0
    while blocks < len(times_ms):
        # SimpleBlock, its size in 8 bytes or less, track 1, a time relative to the cluster's, key frame or not.
        if data[at : at + 4] == b"\x1f\x43\xb6\x75":
            mark = data.index(b"\xe7", at, at + 32)
            length = data[mark + 1] & 0x7F
            cluster_ms = int.from_bytes(data[mark + 2 : mark + 2 + length], "big")
        if data[at] == 0xA3:
            first = data[at + 1]
            width = 9 - first.bit_length()
            size = int.from_bytes(bytes([first & (0xFF >> width)]) + data[at + 2 : at + 1 + width], "big")
            place = at + 1 + width
            if data[place] == 0x81 and place + size <= len(data) and size > 4:
                struct.pack_into(">h", data, place + 1, times_ms[blocks] - cluster_ms)
                blocks += 1
                at = place + size
                continue
        at += 1
    path.write_bytes(data)
    return path


def flash_video(path: Path, times_ms: Sequence[int]) -> Path:
    """An .flv whose frames have those times: 11 bytes, payload, size of both (Adobe's FLV specification, E.4)."""
    data = bytearray(write(path, "FLV1", len(times_ms)).read_bytes())
    at, frame = 9 + 4, 0
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        if data[at] == 9 and frame < len(times_ms):
            data[at + 4 : at + 7] = times_ms[frame].to_bytes(3, "big")
            frame += 1
        at += 11 + size + 4
    assert frame == len(times_ms)
    path.write_bytes(data)
    return path


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Give an .mp4 file a display matrix a, b, c, d (ISO/IEC 14496-12, track header box)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        struct.pack_into(">i", data, at + place, value * 0x10000)
    path.write_bytes(data)
    return path


def set_edit(path: Path, first_s: float, length_s: float) -> Path:
    """Trim an .mp4 file by its edit list, as telephones do: no byte of the images changes."""
    data = bytearray(path.read_bytes())
    movie_scale = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)[0]
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)[0]
    struct.pack_into(">Ii", data, data.index(b"elst") + 12, round(length_s * movie_scale), round(first_s * scale))
    path.write_bytes(data)
    return path


def damage(path: Path, start: float, length: float) -> Path:
    """Overwrite a part of a file, from `start` on and `length` long, both as shares of its size, with zeros."""
    data = bytearray(path.read_bytes())
    first, last = int(start * len(data)), int((start + length) * len(data))
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    return path
