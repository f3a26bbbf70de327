"""A file's identity: its content, not its name or date."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20


def content_hash(path: Path) -> str:
    """BLAKE2b of the file in 40 hexadecimal digits, read a megabyte at a time.

    Raises:
        OSError: if it can't be read.
    """
    digest = hashlib.blake2b(digest_size=20)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
