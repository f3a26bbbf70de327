"""Archives come from a server of the test's own, or lie in the cache; what is in them is not trusted."""

import io
import json
import zipfile

import pytest

from sdk.errors import BadDownload
from sdk.files.onnx_archive import fetch_onnx
from tests.local_server import ResumableFile, serving

MODEL = bytes(range(256)) * 300
NAME = "rtmpose-t_simcc-256x192-6020f8a6_20230605"


def zipped(members: dict[str, bytes], **options) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


ARCHIVE = zipped({"20230831/rtmpose_onnx/pipeline.json": b"{}", "20230831/rtmpose_onnx/end2end.onnx": MODEL})


class Handler(ResumableFile):
    content = ARCHIVE


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(Handler, "asked", [])
    with serving(Handler) as server:
        yield f"{server}/onnx_sdk/{NAME}.zip"


def files(folder):
    return sorted(file.name for file in folder.iterdir())


def test_once_and_what_came_is_noted_and_said(address, tmp_path, capsys):
    path = fetch_onnx(address, tmp_path)
    assert path == tmp_path / f"{NAME}.onnx"
    assert path.read_bytes() == MODEL
    assert files(tmp_path) == [f"{NAME}.onnx", f"{NAME}.onnx.json"]
    noted = json.loads((tmp_path / f"{NAME}.onnx.json").read_text())
    assert (noted["address"], noted["bytes"]) == (address, len(MODEL))
    said = capsys.readouterr().err
    assert "100%" in said
    assert noted["sha256"] in said
    assert fetch_onnx(address, tmp_path) == path
    assert Handler.asked == [None]
    assert capsys.readouterr().err == ""


def test_a_broken_off_download_goes_on(address, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "sent", 5000)
    with pytest.raises(BadDownload, match="what has come is kept"):
        fetch_onnx(address, tmp_path)
    monkeypatch.setattr(Handler, "sent", None)
    assert fetch_onnx(address, tmp_path).read_bytes() == MODEL
    assert Handler.asked == [None, "bytes=5000-"]


def test_the_first_half_of_another_archive_is_thrown_away(address, tmp_path):
    (tmp_path / f".{NAME}.zip.part").write_bytes(b"other" * 200)
    assert fetch_onnx(address, tmp_path).read_bytes() == MODEL
    assert Handler.asked == ["bytes=1000-", None]


def test_a_changed_file_and_a_changed_server_are_refused(address, tmp_path, monkeypatch):
    path = fetch_onnx(address, tmp_path)
    path.write_bytes(MODEL + b"!")
    with pytest.raises(BadDownload, match="has been changed"):
        fetch_onnx(address, tmp_path)
    path.unlink()
    monkeypatch.setattr(Handler, "content", zipped({"end2end.onnx": MODEL + b"!"}))
    with pytest.raises(BadDownload, match=rf"holds another model now.*Remove .*{NAME}\.onnx\.json"):
        fetch_onnx(address, tmp_path)
    assert not path.exists()
    (tmp_path / f"{NAME}.onnx.json").unlink()
    assert fetch_onnx(address, tmp_path).read_bytes() == MODEL + b"!"


def test_offline_an_archive_or_a_model_in_the_cache_is_enough(tmp_path):
    address = f"http://127.0.0.1:9/onnx_sdk/{NAME}.zip"
    with pytest.raises(BadDownload) as error:
        fetch_onnx(address, tmp_path)
    for words in (address, str(tmp_path / f"{NAME}.zip")):
        assert words in str(error.value)
    (tmp_path / f"{NAME}.zip").write_bytes(ARCHIVE)
    assert fetch_onnx(address, tmp_path).read_bytes() == MODEL
    assert files(tmp_path) == [f"{NAME}.onnx", f"{NAME}.onnx.json", f"{NAME}.zip"]
    other = tmp_path / "other"
    other.mkdir()
    (other / f"{NAME}.onnx").write_bytes(b"put there by hand")
    assert fetch_onnx(address, other).read_bytes() == b"put there by hand"
    assert (other / f"{NAME}.onnx.json").is_file()


@pytest.mark.parametrize("name", ["../../harm.onnx", "/tmp/harm.onnx", "a\\..\\harm.onnx", "C:\\harm.onnx"])
def test_no_path_in_an_archive_is_followed(name, tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.zip").write_bytes(zipped({name: MODEL, "../../weights.bin": b"1", "evil.py": b"1"}))
    assert fetch_onnx(f"http://127.0.0.1:9/{NAME}.zip", folder).read_bytes() == MODEL
    assert [file.name for file in tmp_path.rglob("*") if file.is_file() and file.parent != folder] == []
    assert files(folder) == [f"{NAME}.onnx", f"{NAME}.onnx.json", f"{NAME}.zip"]


ENCRYPTED = bytearray(zipped({"end2end.onnx": MODEL}))
for at in (6, ENCRYPTED.index(b"PK\x01\x02") + 8):  # the flag, in the local and in the central header
    ENCRYPTED[at] |= 1
DAMAGED = bytearray(zipped({"end2end.onnx": MODEL}))
DAMAGED[2000] ^= 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>not found</html>", "no whole zip archive"),
        (ARCHIVE[:-30], "no whole zip archive"),
        (bytes(DAMAGED), "no whole zip archive"),
        (bytes(ENCRYPTED), "no whole zip archive"),
        (zipped({"end2end.onnx": MODEL}, compression=zipfile.ZIP_LZMA), "packed by a method"),
        (zipped({"readme.txt": b"1"}), "holds 0 ONNX files"),
        (zipped({"a.onnx": b"1", "b.onnx": b"2"}), "holds 2 ONNX files"),
        (zipped({"a/end2end.onnx": b"1", "b/end2end.onnx": b"2"}), "holds 2 ONNX files"),
        (zipped({f"{i}.txt": b"" for i in range(1001)} | {"end2end.onnx": MODEL}), "holds 1002 files"),
    ],
)
def test_what_is_no_such_archive_leaves_nothing(address, tmp_path, monkeypatch, content, words):
    monkeypatch.setattr(Handler, "content", content)
    with pytest.raises(BadDownload, match=words):
        fetch_onnx(address, tmp_path)
    assert files(tmp_path) == []
    assert Handler.asked == [None]


def test_a_bomb_is_not_unfolded(address, tmp_path, monkeypatch):
    monkeypatch.setattr("sdk.files.onnx_archive._LARGEST_BYTES", 1 << 20)
    bomb = zipped({"end2end.onnx": bytes(5 << 20)}, compression=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(Handler, "content", bomb)
    with pytest.raises(BadDownload, match="claims a model of 5 MB"):
        fetch_onnx(address, tmp_path)
    assert files(tmp_path) == []
    # One that claims less than it holds is cut off by zipfile at what it claims; its checksum is then wrong.
    lying = bytearray(bomb)
    for marker, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = lying.index(marker) + offset
        lying[at : at + 4] = (1000).to_bytes(4, "little")
    monkeypatch.setattr(Handler, "content", bytes(lying))
    with pytest.raises(BadDownload, match="no whole zip archive"):
        fetch_onnx(address, tmp_path)
    assert files(tmp_path) == []


def test_a_damaged_note_is_named(address, tmp_path):
    fetch_onnx(address, tmp_path)
    (tmp_path / f"{NAME}.onnx.json").write_text("[]")
    with pytest.raises(BadDownload, match=r"onnx\.json is damaged"):
        fetch_onnx(address, tmp_path)
