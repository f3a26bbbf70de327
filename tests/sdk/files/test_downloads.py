"""Weights come from a server of the test's own: whole, resumed, damaged, and not at all."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sdk.errors import BadDownload
from sdk.files.downloads import CACHE_VARIABLE, fetch_weights, weights_folder

pytest.importorskip("pooch")

CONTENT = bytes(range(256)) * 400
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]
NAME = f"rtmpose-t_simcc-{DIGITS}_20230605.pth"


class Handler(BaseHTTPRequestHandler):
    content, ranges, asked = CONTENT, True, []

    def do_GET(self):
        wanted = self.headers.get("Range")
        Handler.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        self.wfile.write(self.content[start:])

    def log_message(self, *_):
        """Nothing on stderr."""


@pytest.fixture
def address(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(Handler, "asked", [])
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/{NAME}"
    server.shutdown()
    thread.join()
    server.server_close()


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


def test_a_name_without_a_hash(tmp_path):
    with pytest.raises(BadDownload, match="no hash in its name"):
        fetch_weights("http://127.0.0.1:9/latest.pth", tmp_path)


def test_the_folder_is_the_caches(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert weights_folder() == tmp_path / "weights"
    monkeypatch.delenv(CACHE_VARIABLE)
    assert weights_folder().name == "weights"
    assert "adaptpose" in str(weights_folder())
