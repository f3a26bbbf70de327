"""Small valid folders of every kind of data set file, and what a reader may answer to damaged copies of them."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sdk.errors import AdaptPoseError
from training.datasets.miniature.derived import DERIVED
from training.datasets.miniature.human36m import write_human36m
from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp
from training.datasets.miniature.pw3d import write_pw3d
from training.datasets.miniature.ski_pose import write_ski_pose
from training.datasets.preparation import prepare
from training.datasets.prepared import open_prepared
from training.datasets.readers.finding import find_layouts

_FRAMES = 4


def human36m(folder: Path) -> Path:
    """One take before one camera, and metadata.xml."""
    write_human36m(folder, frames=_FRAMES, subjects=("S1",), takes=("Walking",))
    for path in folder.rglob("*.cdf"):
        if path.name not in ("Walking.cdf", "Walking.54138969.cdf"):
            path.unlink()
    return folder


def mpi_inf_3dhp_training(folder: Path) -> Path:
    """One annot.mat with its camera.calibration."""
    write_mpi_inf_3dhp(folder, frames=_FRAMES, subjects=(1,), tests=())
    shutil.rmtree(folder / "S1/Seq2")
    return folder


def mpi_inf_3dhp_test(folder: Path) -> Path:
    """One annot_data.mat."""
    write_mpi_inf_3dhp(folder, frames=_FRAMES + 10, subjects=(), tests=(1,))
    return folder


def pw3d(folder: Path) -> Path:
    """One pickle with two people."""
    write_pw3d(folder, frames=_FRAMES + 4)
    for path in folder.rglob("*.pkl"):
        if path.stem != "downtown_walking_00":
            path.unlink()
    return folder


def ski_pose(folder: Path) -> Path:
    """The test set's labels.h5, and ski_centers.csv."""
    write_ski_pose(folder, frames=_FRAMES)
    shutil.rmtree(folder / "train")
    return folder


def derived(name: str, folder: Path) -> Path:
    """Files that others made, by their name in `DERIVED`."""
    data_set, write = DERIVED[name]
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch) / "files"
        if data_set == "h36m":
            write_human36m(files, frames=_FRAMES, subjects=("S1", "S9"), takes=("Walking",))
        elif data_set == "3dhp":
            tests = (1, 2, 3, 4, 5, 6) if name == "PoseAug" else (1,)
            write_mpi_inf_3dhp(files, frames=_FRAMES + 10, subjects=(1,), tests=tests)
        elif data_set == "3dpw":
            write_pw3d(files, frames=_FRAMES + 4)
        else:
            write_ski_pose(files, frames=_FRAMES)
        write(prepare(data_set, files, Path(scratch) / "data").data, folder)
    return folder


def prepared(folder: Path) -> Path:
    """A prepared data set of one sequence."""
    with tempfile.TemporaryDirectory() as scratch:
        prepare("h36m", human36m(Path(scratch)), folder)
    (folder / "progress.jsonl").unlink()
    return folder


def ask_files(data_set: str, folder: Path) -> tuple[str, str]:
    """`read`, `refused` or `failure`, with the reason, of the readers of a data set."""

    def read() -> bool:
        found = [one for layout in find_layouts(data_set, folder) for unit in layout.units for one in unit.sequences()]
        return bool(found)

    return answer_of(read)


def ask_prepared(folder: Path) -> tuple[str, str]:
    """The same of a prepared data set."""
    return answer_of(lambda: bool(list(open_prepared(folder).sequences())))


def answer_of(read: Callable[[], bool]) -> tuple[str, str]:
    """Sequences check themselves; one that holds what is no pose can't be made."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return ("read", "") if read() else ("refused", "nothing known in the folder")
        except AdaptPoseError as error:
            message = str(error)
            return ("refused", message) if 10 < len(message) < 5000 else ("failure", f"a message of {len(message)}")
        except BaseException as error:
            return "failure", f"{type(error).__name__}: {str(error)[:200]}"


DATA_SETS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], tuple[str, str]]]] = {
    "Human3.6M CDF": (human36m, partial(ask_files, "h36m")),
    "3DHP annot.mat": (mpi_inf_3dhp_training, partial(ask_files, "3dhp")),
    "3DHP annot_data.mat": (mpi_inf_3dhp_test, partial(ask_files, "3dhp")),
    "3DPW pickle": (pw3d, partial(ask_files, "3dpw")),
    "Ski-Pose labels.h5": (ski_pose, partial(ask_files, "ski")),
    "prepared data set": (prepared, ask_prepared),
    **{name: (partial(derived, name), partial(ask_files, data_set)) for name, (data_set, _) in DERIVED.items()},
}
"""By reader: what writes a valid folder, and what reads it."""
