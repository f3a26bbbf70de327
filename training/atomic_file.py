"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import BadOutput


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary neighbour to write to; it takes the place of `path` when the block ends without an error.

    A killed process, a full disk or a failed check leaves the old file as it was.

    Raises:
        BadOutput: the disk is full, or the place can't be written to.
    """
    path = Path(path)
    # The suffix stays at the end: readers of ONNX and engine files go by it.
    part = path.with_name(f"{path.stem}.part-{os.getpid()}{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise BadOutput(f"{path} can't be written: {error}. What was there before is kept.") from error
    finally:
        part.unlink(missing_ok=True)
