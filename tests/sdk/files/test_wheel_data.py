"""Files out of wheels: a wheel made here, found by pip in a folder instead of an index."""

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sdk.errors import BadDownload, BadOutput
from sdk.files import wheel_data
from sdk.files.wheel_data import fetch_package_files


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    about = "clipbox-1.2.dist-info"
    with zipfile.ZipFile(folder / "clipbox-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: clipbox\nVersion: 1.2\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
        wheel.writestr("clipbox/data/walk_a.txt", "left right")
        wheel.writestr("clipbox/data/walk_b.txt", "right left")
        wheel.writestr("clipbox/body.urdf", "<robot/>")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_files_that_fit_the_patterns_and_no_others(index: Path, tmp_path: Path) -> None:
    found = fetch_package_files("clipbox==1.2", ["clipbox/data/walk_*.txt"], tmp_path / "out")
    assert [path.name for path in found] == ["walk_a.txt", "walk_b.txt"]
    assert found[1].read_text() == "right left"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["walk_a.txt", "walk_b.txt"]


def test_what_is_there_is_not_fetched_again(index: Path, tmp_path: Path) -> None:
    fetch_package_files("clipbox==1.2", ["clipbox/body.urdf"], tmp_path / "out")
    (index / "clipbox-1.2-py3-none-any.whl").unlink()
    assert fetch_package_files("clipbox==1.2", ["clipbox/body.urdf"], tmp_path / "out")[0].read_text() == "<robot/>"


def test_a_missing_package_is_named_with_pips_reason(index: Path, tmp_path: Path) -> None:
    with pytest.raises(BadDownload, match=r"can't download clipbox==9: ERROR: No matching distribution"):
        fetch_package_files("clipbox==9", ["*"], tmp_path / "out")


def test_a_pattern_that_fits_nothing_is_named(index: Path, tmp_path: Path) -> None:
    with pytest.raises(BadDownload, match=r"clipbox==1.2 .* holds no file like 'clipbox/\*.mp4'"):
        fetch_package_files("clipbox==1.2", ["clipbox/*.mp4"], tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_process_killed_between_two_files_leaves_them_to_be_fetched_again(index: Path, tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from sdk.files import wheel_data
replace = os.replace
def then_die(source, target):
    replace(source, target)
    os.kill(os.getpid(), signal.SIGKILL)
wheel_data.os.replace = then_die
wheel_data.fetch_package_files("clipbox==1.2", ["clipbox/data/walk_*.txt"], Path(sys.argv[1]))
"""
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", program, out], cwd=Path(__file__).parents[3], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [path.name for path in out.glob("walk_*")] == ["walk_a.txt"]
    wheel = index / "clipbox-1.2-py3-none-any.whl"
    wheel.rename(tmp_path / wheel.name)
    for _ in range(2):  # a fetch that fails does not make them whole
        with pytest.raises(BadDownload):
            fetch_package_files("clipbox==1.2", ["clipbox/data/walk_*.txt"], out)
    (tmp_path / wheel.name).rename(wheel)
    found = fetch_package_files("clipbox==1.2", ["clipbox/data/walk_*.txt"], out)
    assert [path.name for path in found] == ["walk_a.txt", "walk_b.txt"]
    assert sorted(path.name for path in out.iterdir()) == ["walk_a.txt", "walk_b.txt"]


def test_a_damaged_wheel_is_named(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "clipbox-1.2-py3-none-any.whl"
    wheel.write_bytes((index / wheel.name).read_bytes()[:200])
    monkeypatch.setattr(wheel_data, "_download", lambda *_: wheel)
    with pytest.raises(BadDownload, match=r"the wheel of clipbox==1.2 \(clipbox-.*\) is damaged"):
        fetch_package_files("clipbox==1.2", ["clipbox/body.urdf"], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_can_not_be_written_to_is_named(index: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BadOutput, match=r"out can't be written"):
        fetch_package_files("clipbox==1.2", ["clipbox/body.urdf"], tmp_path / "out")
