"""Recognises the files of a data set in a folder, by names in official layouts and by content in derived ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.datasets.readers.adaptpose import (
    find_adaptpose_3dhp,
    find_adaptpose_3dpw,
    find_adaptpose_ski,
    find_poseaug,
)
from training.datasets.readers.human36m import find_cdf
from training.datasets.readers.image_rows import find_mmpose_3dhp, find_mmpose_h36m, find_spin
from training.datasets.readers.layout import Layout
from training.datasets.readers.motionbert import find_motionbert
from training.datasets.readers.mpi_inf_3dhp import find_official
from training.datasets.readers.pstmo import find_pstmo
from training.datasets.readers.pw3d import find_pickles
from training.datasets.readers.ski_pose import find_labels
from training.datasets.readers.videopose3d import find_videopose3d

FINDERS: dict[str, tuple[Callable[[Path], Layout | None], ...]] = {
    "h36m": (find_cdf, find_videopose3d, find_mmpose_h36m, find_motionbert),
    "3dhp": (find_official, find_pstmo, find_adaptpose_3dhp, find_mmpose_3dhp, find_spin, find_poseaug),
    "3dpw": (find_pickles, find_adaptpose_3dpw),
    "ski": (find_labels, find_adaptpose_ski),
}
"""Readers by data set. Each gives the layout it finds in a folder, or None."""


def find_layouts(data_set: str, folder: Path) -> list[Layout]:
    """All that is known of a data set in a folder.

    Raises:
        BadDataset: a file that tells what there is is damaged.
    """
    return [layout for find in FINDERS[data_set] if (layout := find(folder.resolve())) is not None]
