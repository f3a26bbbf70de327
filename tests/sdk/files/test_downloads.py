"""Weights come from a server of the test's own: whole, resumed, damaged, and not at all."""

import hashlib
import io
import os
import subprocess
import sys
import threading

import pytest

from sdk.errors import BadDownload
from sdk.files.downloads import CACHE_VARIABLE, fetch_weights, weights_folder
from sdk.files.output_files import part_beside
from tests.local_server import ResumableFile, serving

CONTENT = bytes(range(256)) * 400
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]
NAME = f"rtmpose-t_simcc-{DIGITS}_20230605.pth"


class Handler(ResumableFile):
    content = CONTENT


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(Handler, "asked", [])
    with serving(Handler) as server:
        yield f"{server}/v1/{NAME}"


def part(folder):
    return folder / f".{NAME}.part"


def test_once(address, tmp_path, capsys):
    path = fetch_weights(address, tmp_path / "weights")
    assert path == tmp_path / "weights" / NAME
    assert path.read_bytes() == CONTENT
    assert "100%" in capsys.readouterr().err
    assert fetch_weights(address, tmp_path / "weights") == path
    assert Handler.asked == [None]
    assert [file.name for file in path.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("there", [1000, len(CONTENT)])
def test_resumed(address, tmp_path, there):
    part(tmp_path).write_bytes(CONTENT[:there])
    assert fetch_weights(address, tmp_path).read_bytes() == CONTENT
    assert Handler.asked == [f"bytes={there}-"]


def test_what_a_killed_process_left_is_taken_up(address, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    part(tmp_path).write_bytes(CONTENT[:500])
    own = part_beside(tmp_path / NAME)
    left = own.with_name(own.name.replace(f"-{os.getpid()}.", f"-{ended.pid}."))
    left.write_bytes(CONTENT[:2000])
    assert fetch_weights(address, tmp_path).read_bytes() == CONTENT
    assert Handler.asked == ["bytes=2000-"]
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_broken_off_download_is_resumed(address, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "sent", len(CONTENT) // 2)
    with pytest.raises(BadDownload, match="what has come is kept"):
        fetch_weights(address, tmp_path)
    monkeypatch.setattr(Handler, "sent", None)
    assert fetch_weights(address, tmp_path).read_bytes() == CONTENT
    assert Handler.asked == [None, f"bytes={len(CONTENT) // 2}-"]


@pytest.mark.parametrize("ranges", [True, False])
def test_three_processes_at_once(address, tmp_path, monkeypatch, ranges):
    """None waits for another, so one that hangs or is killed stops nobody; the server answers when all three ask."""
    monkeypatch.setattr(Handler, "together", threading.Barrier(3))
    monkeypatch.setattr(Handler, "ranges", ranges)
    part(tmp_path).write_bytes(CONTENT[:1000])
    program = "import sys; from sdk.files.downloads import fetch_weights; from pathlib import Path\n"
    program += "print(fetch_weights(sys.argv[1], Path(sys.argv[2])))"
    command = [sys.executable, "-c", program, address, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [out.strip() for out, _ in answers] == [str(tmp_path / NAME)] * 3, answers
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_server_that_can_not_resume_and_a_part_of_another_file(address, tmp_path, monkeypatch):
    part(tmp_path).write_bytes(b"other" * 10)
    assert fetch_weights(address, tmp_path).read_bytes() == CONTENT
    assert Handler.asked == ["bytes=50-", None]
    (tmp_path / NAME).unlink()
    monkeypatch.setattr(Handler, "ranges", False)
    part(tmp_path).write_bytes(CONTENT[:1000])
    assert fetch_weights(address, tmp_path).read_bytes() == CONTENT


def test_damage(address, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "content", CONTENT[:-1] + b"!")
    with pytest.raises(BadDownload, match=f"SHA-256 does not begin with {DIGITS}"):
        fetch_weights(address, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / NAME).write_bytes(b"half of it")
    with pytest.raises(BadDownload, match=rf"{NAME} is damaged.*Remove it"):
        fetch_weights(address, tmp_path)


def test_offline_says_which_file_goes_where(tmp_path):
    address = f"http://127.0.0.1:9/v1/{NAME}"
    with pytest.raises(BadDownload) as error:
        fetch_weights(address, tmp_path)
    assert address in str(error.value)
    assert str(tmp_path / NAME) in str(error.value)
    (tmp_path / NAME).write_bytes(CONTENT)
    assert fetch_weights(address, tmp_path) == tmp_path / NAME


def test_more_than_any_weights_have_is_not_written(address, tmp_path, monkeypatch):
    monkeypatch.setattr("sdk.files.downloads.LARGEST_BYTES", 1000)
    with pytest.raises(BadDownload, match="not the file that is known"):
        fetch_weights(address, tmp_path)
    assert part(tmp_path).stat().st_size == 0


def test_an_https_address_that_leads_out_of_https(address, tmp_path, monkeypatch):
    class Answer(io.BytesIO):
        url, status, headers = address, 200, {}

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(CONTENT))
    with pytest.raises(BadDownload, match="not encrypted"):
        fetch_weights(address.replace("http:", "https:"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_a_hash(tmp_path):
    with pytest.raises(BadDownload, match="no hash in its name"):
        fetch_weights("http://127.0.0.1:9/latest.pth", tmp_path)


def test_the_folder_is_the_caches(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert weights_folder() == tmp_path / "weights"
    monkeypatch.delenv(CACHE_VARIABLE)
    assert weights_folder().name == "weights"
    assert "adaptpose" in str(weights_folder())
