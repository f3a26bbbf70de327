"""Files out of an npm archive: whole and known ones, or a message that says what to put where."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from sdk.errors import BadDownload
from sdk.files.npm_package import fetch_npm_files
from tests.local_server import serving

CONTENT = {"a.json": b'{"nodes": 3}', "a.bin": bytes(range(256)) * 50}
WANTED = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def archive(path: Path, content: dict[str, bytes]) -> Path:
    """As npm packs: everything under package/."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as file:
        for name, data in content.items():
            member = tarfile.TarInfo(f"package/models/{name}")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A registry on this machine, its folder, and what was asked of it."""
    folder, asked = tmp_path / "registry", []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            asked.append(self.path)

    folder.mkdir()
    with serving(partial(Quiet, directory=str(folder))) as address:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{address}/")
        yield folder, asked


def fetch(folder: Path) -> dict[str, Path]:
    return fetch_npm_files("@someone/models", "1.2.3", WANTED, folder)


def test_files_come_from_the_registry_once(registry, tmp_path: Path) -> None:
    folder, asked = registry
    archive(folder / "@someone/models/-/models-1.2.3.tgz", {"other.txt": b"x", **CONTENT})
    for _ in range(2):
        paths = fetch(tmp_path / "cache")
        assert {name: path.read_bytes() for name, path in paths.items()} == CONTENT
    assert asked == ["/@someone/models/-/models-1.2.3.tgz"]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(CONTENT)  # no part is left


def test_an_archive_in_the_folder_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    archive(tmp_path / "someone-models-1.2.3.tgz", CONTENT)
    assert fetch(tmp_path)["a.bin"].read_bytes() == CONTENT["a.bin"]


def test_without_a_network_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    with pytest.raises(BadDownload) as caught:
        fetch(tmp_path)
    said = str(caught.value)
    assert "http://127.0.0.1:9/@someone/models/-/models-1.2.3.tgz" in said
    assert f"put it at {tmp_path / 'someone-models-1.2.3.tgz'}" in said


def test_a_server_that_does_not_have_it(registry, tmp_path: Path) -> None:
    with pytest.raises(BadDownload, match="the server answers 404"):
        fetch(tmp_path / "cache")


@pytest.mark.parametrize(
    ("content", "says"),
    [({"a.json": CONTENT["a.json"], "a.bin": b"changed"}, "not the known file"),
     ({"a.json": CONTENT["a.json"]}, r"does not have a\.bin")],
)  # fmt: skip
def test_other_content_is_refused_and_not_kept(content: dict[str, bytes], says: str, tmp_path: Path) -> None:
    archive(tmp_path / "someone-models-1.2.3.tgz", content)
    with pytest.raises(BadDownload, match=says):
        fetch(tmp_path)
    assert not (tmp_path / "a.bin").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_cut_off_archive_is_refused(registry, tmp_path: Path) -> None:
    folder, _ = registry
    path = archive(folder / "@someone/models/-/models-1.2.3.tgz", {"a.bin": CONTENT["a.bin"], "a.json": b"x" * 100_000})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadDownload, match=r"can't be read from http.*Run the command again"):
        fetch(tmp_path / "cache")


def test_a_damaged_file_in_the_cache_is_fetched_again(registry, tmp_path: Path) -> None:
    folder, _ = registry
    archive(folder / "@someone/models/-/models-1.2.3.tgz", CONTENT)
    fetch(tmp_path / "cache")["a.bin"].write_bytes(b"half")
    assert fetch(tmp_path / "cache")["a.bin"].read_bytes() == CONTENT["a.bin"]
