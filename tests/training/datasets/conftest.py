from __future__ import annotations

from pathlib import Path

import pytest

from training.datasets.miniature.writing import WRITERS, write_miniature


@pytest.fixture(scope="session")
def miniatures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with the four miniature data sets; nobody changes them."""
    folders = {}
    for data_set in WRITERS:
        folders[data_set] = tmp_path_factory.mktemp(data_set) / "files"
        write_miniature(data_set, folders[data_set], frames=24)
    return folders
