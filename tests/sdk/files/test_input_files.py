"""Files that are none are told from files without opening them; folders are listed with their links."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sdk.errors import BadVideo
from sdk.files.input_files import check_regular_file, entries_of, named_below, user_path, why_unreadable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pipes and few links there")


def test_each_kind_of_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead").symlink_to("nowhere")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "device").symlink_to(os.devnull)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    kinds = {
        "pipe": "a pipe, device or socket",
        "device": "a pipe, device or socket",
        "dead": "a link to nothing",
        "itself": "a link to nothing",
        "folder": "a folder",
        "file": "",
        "link": "",
        "missing": "",
    }
    assert {name: why_unreadable(tmp_path / name) for name in kinds} == kinds
    with pytest.raises(BadVideo, match="dead is a link to nothing; a regular file is needed"):
        check_regular_file(tmp_path / "dead", BadVideo)


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything: the system's answers are made up."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BadVideo, match=r"file is a file that you have no permission to read\.$"):
        check_regular_file(tmp_path / "file", BadVideo)

    def closed(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", closed)
    assert list(named_below(tmp_path, bool)) == [(tmp_path, "a folder that can't be read: Permission denied")]
    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(BadVideo, match=r"folder .* can't be read: Permission denied"):
        entries_of(tmp_path, BadVideo)
    monkeypatch.setattr(os, "stat", closed)
    assert why_unreadable(tmp_path / "file") == "out of reach (Permission denied)"
    with pytest.raises(BadVideo, match="file can't be reached: Permission denied"):
        user_path(tmp_path / "file", BadVideo)


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "deep").mkdir(parents=True)
    (real / "deep" / "a.txt").touch()
    here = tmp_path / "here"
    (here / "z").mkdir(parents=True)
    (here / "z" / "b.txt").touch()
    (here / "z" / "c.bin").touch()
    (here / "a_back").symlink_to(here)
    (here / "a_same").symlink_to(here / "z")
    (here / "m").symlink_to(real)
    (here / "dead.txt").symlink_to("nowhere")
    found = list(named_below(here, lambda name: name.endswith(".txt")))
    names = {path.relative_to(here).as_posix(): why for path, why in found}
    assert names == {"z/b.txt": "", "m/deep/a.txt": "", "dead.txt": "a link to nothing"}
    assert len(found) == 3
