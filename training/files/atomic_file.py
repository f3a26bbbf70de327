"""Writes files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import BadOutput
from sdk.files.output_files import check_replaceable, part_beside, remove_abandoned_parts


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to. It replaces `path` when the block ends without an error.

    After a killed process, a full disk or a failed check, the old file is unchanged. Half-written files of killed
    processes are removed.

    Raises:
        BadOutput: the disk is full, the folder can't be written to, or `path` is a device or pipe.
    """
    path = Path(path)
    check_replaceable(path)
    part = part_beside(path)
    try:
        remove_abandoned_parts(path)
        yield part
        os.replace(part, path)
    except OSError as error:
        # One `replacing` can be inside another: keep the reason, and name the file that the user knows.
        reason = error.__cause__ if isinstance(error, BadOutput) and error.__cause__ else error
        raise BadOutput(f"{path} can't be written: {reason}. What was there before is kept.") from reason
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def creating(path: Path) -> Iterator[Path]:
    """As `replacing`, for a file that must not be there yet: of several processes at once, one gets it.

    Raises:
        FileExistsError: it is there, made perhaps a moment ago.
        BadOutput: the disk is full, or the place can't be written to.
    """
    path = Path(path)
    part = part_beside(path)
    try:
        remove_abandoned_parts(path)
        yield part
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            content = part.read_bytes()
            with open(path, "xb") as file:
                file.write(content)
    except FileExistsError:
        raise
    except OSError as error:
        reason = error.__cause__ if isinstance(error, BadOutput) and error.__cause__ else error
        raise BadOutput(f"{path} can't be written: {reason}.") from reason
    finally:
        part.unlink(missing_ok=True)
