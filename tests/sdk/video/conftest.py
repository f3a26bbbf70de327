"""A web server with a video on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.sdk.video.video_files import write


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def served_video(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Gives the address of a video of 10 frames."""
    write(tmp_path / "a.avi", "MJPG", 10)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield lambda: f"http://127.0.0.1:{server.server_port}/a.avi"
    server.shutdown()
    server.server_close()
    thread.join(10)
