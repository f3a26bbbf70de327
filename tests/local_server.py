"""A web server on this machine, for tests of what comes from one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer with a handler within the block, whatever proxy the machine has. Gives the address, without a final /."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)
            server.server_close()


class Quiet(BaseHTTPRequestHandler):
    """Prints nothing."""

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


class ResumableFile(Quiet):
    """One file under every address, also from its middle on.

    Tests subclass it and set: `content`; `ranges`, whether it answers with a part; `sent`, where it breaks off; and
    `together`, which requests wait for each other. `asked` has the range of each request.
    """

    content: ClassVar[bytes] = b""
    ranges: ClassVar[bool] = True
    sent: ClassVar[int | None] = None
    together: ClassVar[threading.Barrier] = threading.Barrier(1)
    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        """Send the file, or what is asked of it."""
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        if len(self.asked) <= self.together.parties:
            self.together.wait(60)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        self.wfile.write(self.content[start : self.sent])
