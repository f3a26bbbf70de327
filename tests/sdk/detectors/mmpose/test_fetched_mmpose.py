"""mmpose fetched at first use (Python 3.12) by two processes at once."""

import subprocess
import sys
from pathlib import Path

from sdk.detectors.mmpose import import_shims
from sdk.files.downloads import CACHE_VARIABLE


def test_another_process_was_faster(tmp_path, monkeypatch):
    fetched = tmp_path / "mmpose==1.3.2.wheel"

    def pip(command, **_):
        """Installs here; and the other process, which began earlier, is done now."""
        for folder in (Path(command[command.index("--target") + 1]), fetched):
            (folder / "mmpose").mkdir(parents=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(sys, "path", list(sys.path))
    import_shims._fetch_mmpose()
    assert sys.path[-1] == str(fetched)
    assert list(tmp_path.iterdir()) == [fetched]
