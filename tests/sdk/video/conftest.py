"""A web server with a video on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.local_server import serving
from tests.sdk.video.video_files import write


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def served_video(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Gives the address of a video of 10 frames."""
    write(tmp_path / "a.avi", "MJPG", 10)
    with serving(partial(_Silent, directory=str(tmp_path))) as server:
        yield lambda: f"{server}/a.avi"
