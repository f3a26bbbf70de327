"""Opens the files of data sets: CDF, MATLAB 5, HDF5, pickles. They are others' files: each fault is one clear error."""

from __future__ import annotations

import fnmatch
import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset, BadKeypoints, MissingDependency
from sdk.files.input_files import check_regular_file, named_below, shown
from sdk.keypoint_files.parsing.restricted_pickle import read_npz, read_pickle

_LARGEST_BYTES = 4 << 30
"""3DHP's largest official file unpacks to 0.4 GB, MotionBERT's pickle has about 2."""
_MOST_ENTRIES = 500_000
"""Looked at in a folder: a data set with its images has about so many."""


def need(package: str, purpose: str) -> None:
    """Raise MissingDependency unless a package of the extra `datasets` is installed."""
    if importlib.util.find_spec(package) is None:
        raise MissingDependency(package, "datasets", purpose)


def files_in(folder: Path, pattern: str) -> list[Path]:
    """Files of a name below a folder, sorted. Folders with images are not a problem, endless ones are.

    Raises:
        BadDataset: the folder has too many such files, or one that can't be read: a link to nothing, no permission.
    """
    found = list(itertools.islice(named_below(folder, partial(fnmatch.fnmatchcase, pat=pattern)), _MOST_ENTRIES + 1))
    if len(found) > _MOST_ENTRIES:
        raise BadDataset(f"{shown(folder)} has over {_MOST_ENTRIES} files {pattern}. Name the data set's own folder.")
    for path, why in found:
        if why:
            raise BadDataset(f"{shown(path)} is {why}. Fetch it, or take it out of the data set's folder.")
    return sorted(path for path, _ in found)


def read_cdf(path: Path) -> np.ndarray:
    """The variable `Pose` of a CDF file, (T, J * C) in the file's own precision.

    Raises:
        BadDataset: missing, damaged, or without it.
    """
    need("cdflib", f"{shown(path)}, a CDF file,")
    from training.datasets.readers.cdf import read_variable

    _check(path)
    try:
        values = read_variable(path, "Pose")
    except Exception as error:  # cdflib raises whatever the bytes of a damaged file run into
        raise _damaged(path, "a CDF file with the variable Pose", error) from error
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise BadDataset(f"{shown(path)}: Pose is {values.dtype} {values.shape}, not numbers (1, frames, values).")
    return values


def read_mat(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Variables of a MATLAB 5 file.

    Raises:
        BadDataset: missing, damaged, of MATLAB 7.3 (HDF5), or without one of them.
    """
    need("scipy", f"{shown(path)}, a MATLAB file,")
    from scipy.io import loadmat

    _check(path)
    try:
        content = loadmat(path, variable_names=[*names, *optional])
    except Exception as error:  # scipy raises whatever the bytes of a damaged file run into
        raise _damaged(path, "a MATLAB 5 file", error) from error
    return _all_of(path, {name: content[name] for name in (*names, *optional) if name in content}, names)


def read_hdf5(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Arrays of numbers of an HDF5 file, MATLAB 7.3 included, in the order that h5py shows.

    Raises:
        BadDataset: missing, damaged, without one of them, or not of numbers.
    """
    need("h5py", f"{shown(path)}, an HDF5 file,")
    import h5py

    _check(path)
    arrays: dict[str, np.ndarray] = {}
    try:
        with h5py.File(path, "r") as file:
            for name in (*names, *optional):
                if name not in file:
                    continue
                stored = file[name]
                if not isinstance(stored, h5py.Dataset) or stored.dtype.kind not in "fiu":
                    raise BadDataset(f"{shown(path)}: {name} is no array of numbers.")
                if stored.size * stored.dtype.itemsize > min(_LARGEST_BYTES, (64 << 20) + 100 * path.stat().st_size):
                    raise BadDataset(f"{shown(path)}: {name} unpacks to much more than the file holds.")
                arrays[name] = stored[()]
    except BadDataset:
        raise
    except Exception as error:  # HDF5 raises whatever it runs into
        raise _damaged(path, "an HDF5 file", error) from error
    return _all_of(path, arrays, names)


def read_objects(path: Path) -> Any:
    """What a pickle (.pkl) or the arrays of an .npz hold, through the restricted reader: no code of the file runs.

    Raises:
        BadDataset: missing, damaged, or it names anything but containers, numbers, text and numpy arrays.
    """
    _check(path)
    try:
        return read_npz(path) if path.suffix == ".npz" else read_pickle(path)
    except BadKeypoints as error:
        raise BadDataset(str(error)) from error


def _check(path: Path) -> None:
    if not path.is_file():
        check_regular_file(path, BadDataset)
        raise BadDataset(f"{shown(path)} is missing.")
    if path.stat().st_size > _LARGEST_BYTES:
        raise BadDataset(
            f"{shown(path)} has {path.stat().st_size / 1e9:.1f} GB; no file of these data sets is as large."
        )


def _all_of(path: Path, arrays: dict[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    missing = [name for name in names if name not in arrays]
    if missing:
        raise BadDataset(f"{shown(path)} lacks {', '.join(missing)}.")
    return arrays


def _damaged(path: Path, kind: str, error: Exception) -> BadDataset:
    return BadDataset(f"{shown(path)} can't be read as {kind}: {type(error).__name__}: {str(error)[:200]}.")


def numbered(names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Groups of equal names with the places of each, in the order of first appearance."""
    unique, first, inverse = np.unique(np.asarray(names), return_index=True, return_inverse=True)
    places = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    for at in np.argsort(first):
        yield str(unique[at]), places[at]
