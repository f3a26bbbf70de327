"""Takes data files (sample videos, motion clips) from wheels in a package index. Nothing is installed or run."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from sdk.errors import BadDownload
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts


def fetch_package_files(
    requirement: str, patterns: Sequence[str], folder: Path, *, python_version: str | None = None
) -> list[Path]:
    """Take files out of a package's wheel, which pip downloads without its dependencies.

    Args:
        requirement: Name and exact version, `sports2d==0.8.34`.
        patterns: Shell patterns of the paths inside the wheel.
        folder: Folder for the files, without sub-folders. Files that are there already are not downloaded again.
        python_version: For example `3.11`, if the wheel exists only for that Python.

    Returns:
        The files, sorted by name.

    Raises:
        BadDownload: pip can't get the wheel, or nothing in it fits a pattern.
        BadOutput: the folder can't be written to, or the disk is full.
    """
    names = [pattern.rpartition("/")[2] for pattern in patterns]
    there = sorted({path for name in names for path in folder.glob(name)})
    # When all files are on the disk, they are moved to their places one after the other. If the process is killed
    # meanwhile, this mark stays, and the files that are there do not count as complete.
    incomplete = folder / f".{requirement}.incomplete"
    if not incomplete.exists() and all(any(fnmatch.fnmatch(path.name, name) for path in there) for name in names):
        return there
    wheels = folder / f"{requirement}.wheel"
    scratch = part_beside(wheels)
    with naming(folder):
        (scratch / "files").mkdir(parents=True, exist_ok=True)
        remove_abandoned_parts(wheels)
        try:
            files = _extract(_download(requirement, scratch, python_version), requirement, patterns, scratch / "files")
            incomplete.touch()
            for file in files:
                os.replace(file, folder / file.name)
            incomplete.unlink(missing_ok=True)  # another process may fetch the same at the same time
        finally:
            shutil.rmtree(scratch)
    return sorted({path for name in names for path in folder.glob(name)})


def _extract(wheel: Path, requirement: str, patterns: Sequence[str], folder: Path) -> list[Path]:
    files = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            for pattern in patterns:
                members = fnmatch.filter(archive.namelist(), pattern)
                if not members:
                    raise BadDownload(f"the wheel of {requirement} ({wheel.name}) holds no file like {pattern!r}.")
                for member in members:
                    # The name alone: a path inside an archive could point out of the folder.
                    files.append(folder / Path(member).name)
                    files[-1].write_bytes(archive.read(member))
    except (zipfile.BadZipFile, zlib.error) as error:
        raise BadDownload(f"the wheel of {requirement} ({wheel.name}) is damaged: {error}. Fetch it again.") from error
    return files


def _download(requirement: str, folder: Path, python_version: str | None) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    if python_version:
        command += ["--python-version", python_version]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = done.stderr.strip().splitlines()
        reason = next(
            (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no wheel"
        )
        raise BadDownload(f"pip can't download {requirement}: {reason}. It needs a package index (PyPI or a mirror).")
    return wheels[0]
