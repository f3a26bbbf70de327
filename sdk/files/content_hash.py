"""Hashes of what files hold: by them results know what they were made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20


def content_hash(path: Path) -> str:
    """BLAKE2b hash of the file in 40 hexadecimal digits. Reads a megabyte at a time.

    Raises:
        OSError: if the file can't be read.
    """
    return _digest(path, hashlib.blake2b(digest_size=20))


def file_sha256(path: Path) -> str:
    """SHA-256 of the file in hexadecimal digits, as servers and others state it. Reads a megabyte at a time.

    Raises:
        OSError: if the file can't be read.
    """
    return _digest(path, hashlib.sha256())


def hash_of_file_or_folder(path: Path) -> str:
    """Of a file its content; of a folder of keypoints or images all its files and their names, without sub-folders.

    Raises:
        OSError: if one can't be read.
    """
    if not path.is_dir():
        return content_hash(path)
    digest = hashlib.blake2b(digest_size=20)
    for file in sorted(path.iterdir()):
        if file.is_file():
            digest.update(f"{file.name}\n{content_hash(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _digest(path: Path, digest: hashlib.blake2b | hashlib._Hash) -> str:
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
