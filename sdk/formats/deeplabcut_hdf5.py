"""The HDF5 files of pandas that DeepLabCut writes, read without pandas: it would run the pickles inside."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.errors import BadKeypoints, MissingDependency
from sdk.formats.bounds import LARGEST_FILE_BYTES, check_file_size

if TYPE_CHECKING:
    import h5py

_KEY = "df_with_missing"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def read_hdf5(path: Path) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """The columns by their levels, the frame numbers (T,) and the values (T, columns) of a table of pandas.

    Raises:
        BadKeypoints: it is damaged, too large, or not of the form `to_hdf(..., key="df_with_missing", format="table")`.
        MissingDependency: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingDependency("h5py", "deeplabcut", f"{path}, an HDF5 file,") from error
    check_file_size(path)
    try:
        with h5py.File(path, "r") as file:
            columns, frames, values = _read_table(file)
    except BadKeypoints as error:
        raise BadKeypoints(f"{path}: {error}") from None
    except Exception as error:  # HDF5 raises whatever it runs into
        raise BadKeypoints(f"{path} can't be read as DeepLabCut's HDF5: {type(error).__name__}: {error}") from error
    if values.shape != (len(frames), len(columns)) or not values.size:
        raise BadKeypoints(f"{path} has {len(columns)} columns and {len(frames)} frames, but values {values.shape}.")
    return columns, frames, values


def _read_table(file: h5py.File) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    group = file.get(_KEY)
    table = None if group is None else group.get("table")
    if table is None or "index" not in (table.dtype.names or ()):
        raise BadKeypoints(f"it has no table {_KEY!r}, but {', '.join(file) or 'nothing'}.")
    if table.size * table.dtype.itemsize > LARGEST_FILE_BYTES:
        raise BadKeypoints("its table is too large.")
    # The columns as pandas writes them; of several blocks, each lists its own.
    blocks = [name for name in table.dtype.names if name.startswith("values_block_")]
    columns: list[tuple[str, ...]] = []
    for block in blocks:
        columns += _columns(table.attrs[f"{block}_kind"])
    content = table[()]
    values = np.concatenate([np.asarray(content[block], np.float64).reshape(len(content), -1) for block in blocks], 1)
    frames = np.asarray(content["index"])
    if frames.dtype.kind not in "iu":
        raise BadKeypoints("its rows have no frame numbers (images have none: name a video).")
    return columns, frames, values


def _columns(attribute: Any) -> list[tuple[str, ...]]:
    """The names that PyTables keeps as a pickle, read by an unpickler that can name nothing."""
    pickled = attribute.tobytes() if isinstance(attribute, np.void) else bytes(attribute)
    columns = _PlainValues(io.BytesIO(pickled)).load()
    if not isinstance(columns, list) or not all(
        isinstance(column, tuple) and len(column) in (3, 4) and all(isinstance(level, str) for level in column)
        for column in columns
    ):
        raise BadKeypoints("its columns are not named by scorer, body part and coordinate.")
    return columns


class _PlainValues(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"its columns name {module}.{name}, which they do not need")
