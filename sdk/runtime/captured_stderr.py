"""Captures what native libraries print to standard error, because some reasons are only printed there."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Capture the standard error of the process in this block. Afterwards the list has its lines, without colours.

    Output of other threads is captured too, so keep the block short.
    """
    lines: list[str] = []
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            try:
                yield lines
            finally:
                os.dup2(before, 2)
                file.seek(0)
                text = _COLOURS.sub("", file.read().decode(errors="replace"))
                lines += [line for line in text.splitlines() if line.strip()]
    finally:
        os.close(before)
