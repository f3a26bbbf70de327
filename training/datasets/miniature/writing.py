"""Writes a miniature data set in its official layout, for rehearsals and tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sdk.errors import BadDataset
from sdk.files.output_files import check_output_folder, naming
from training.datasets.miniature.human36m import write_human36m
from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp
from training.datasets.miniature.pw3d import write_pw3d
from training.datasets.miniature.ski_pose import write_ski_pose

MARK = "MINIATURE.txt"
"""A file that says so in the folder; `adaptpose-data prepare` marks what it makes of it."""
WRITERS: dict[str, Callable[..., None]] = {
    "h36m": write_human36m,
    "3dhp": write_mpi_inf_3dhp,
    "3dpw": write_pw3d,
    "ski": write_ski_pose,
}


def write_miniature(data_set: str, folder: Path, *, seed: int = 0, frames: int | None = None) -> None:
    """Write drawn motion in the official files of a data set; seconds, a few megabytes.

    Needs the extra `datasets` (cdflib, scipy, h5py).

    Args:
        data_set: `h36m`, `3dhp`, `3dpw` or `ski`.
        folder: Where to; made if need be.
        seed: The same seed gives the same content.
        frames: Frames of the shortest sequence; None for the writer's own.

    Raises:
        BadDataset: another name.
        BadOutput: the folder can't be written to.
    """
    if data_set not in WRITERS:
        raise BadDataset(f"{data_set!r} is not a data set. Known: {', '.join(WRITERS)}.")
    check_output_folder(folder)
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(
            "Drawn motion in the official layout, for rehearsals. No figure from it means much.\n"
        )
        WRITERS[data_set](folder, seed=seed, **({} if frames is None else {"frames": frames}))
