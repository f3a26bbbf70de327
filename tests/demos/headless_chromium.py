"""A real browser for tests, driven through its debugging port."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_SECONDS_TO_START = 60


class HeadlessChromium:
    """One page in a Chromium without a display, WebGL in software; a context manager."""

    def __init__(self, url: str, profile: Path, size: tuple[int, int]) -> None:
        assert CHROMIUM is not None
        software_webgl = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        command = [CHROMIUM, "--headless", "--no-sandbox", *software_webgl, "--remote-debugging-port=0"]
        command += [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", url]
        self._log = open(profile.with_suffix(".log"), "w+b")  # noqa: SIM115  # until close
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self._calls = 0

    def __enter__(self) -> HeadlessChromium:
        from websockets.sync.client import connect

        until = time.monotonic() + _SECONDS_TO_START
        port = None
        while port is None and time.monotonic() < until:
            time.sleep(0.2)
            text = Path(self._log.name).read_text(errors="replace")
            found = re.search(r"DevTools listening on ws://[^:]+:(\d+)/", text)
            port = found and found[1]
        assert port is not None, f"Chromium does not start: {text[-2000:]}"
        with urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = json.loads(answer.read())
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
        self._socket = connect(address, max_size=None)
        return self

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the DevTools protocol, and its answer."""
        self._calls += 1
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == self._calls:
                return answer["result"]

    def text(self) -> str:
        """What a person can read on the page."""
        return self.call("Runtime.evaluate", expression="document.body.innerText")["result"].get("value", "")

    def screenshot(self, path: Path) -> None:
        """The page as a .png file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(30)
        self._log.close()
