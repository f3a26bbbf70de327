"""Files out of wheels: a wheel made here, found by pip in a folder instead of an index."""

import zipfile
from pathlib import Path

import pytest

from sdk.errors import BadDownload
from sdk.package_files import fetch_package_files


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
