"""Attacks on the viewer: other machines, other sites' pages, DNS rebinding, the public tunnel, a file's name."""

from __future__ import annotations

import html
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from demos.viewer import as_markdown, main
from tests.demos.headless_chromium import CHROMIUM, HeadlessChromium
from tests.demos.viewer_process import TUNNEL, Viewer, viewer_of

NAME = 'a<iframe srcdoc="<img src=x onerror=parent.owned=1>">*b*&lt;.mp4'  # viser passes HTML in markdown on
PROTOCOL = Subprotocol(f"viser-v{viser.__version__}")
SPYING_PAGE = """<title>waiting</title><script>
const socket = new WebSocket("ws://127.0.0.1:PORT", "PROTOCOL")
socket.onmessage = () => { document.title = "got an image" }
socket.onclose = () => { if (document.title == "waiting") document.title = "refused" }
</script>"""


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    with viewer_of(tmp_path_factory.mktemp("viewer"), NAME, "--port", "8281") as running:
        yield running
    assert TUNNEL not in running.printed
    assert "warning" not in running.warned


def watch(viewer: Viewer, origin: str | None, host: str | None = None) -> bytes:
    """What a client gets first who says that he is a page of this origin, and asked for this host."""
    name = host or f"127.0.0.1:{viewer.port}"
    with (
        socket.create_connection(("127.0.0.1", viewer.port), timeout=10) as line,
        connect(
            f"ws://{name}", sock=line, origin=origin and Origin(origin), subprotocols=[PROTOCOL], proxy=None
        ) as page,
    ):
        page.send(msgspec.msgpack.encode({"type": "ShareUrlRequest"}))
        answer = page.recv(timeout=10)
        time.sleep(0.5)  # a tunnel would be asked for at once
    assert isinstance(answer, bytes)
    return answer


def test_the_page_itself_gets_images_and_no_tunnel(viewer: Viewer) -> None:
    """Also through a tunnel of the user's own (ssh -L 9000:localhost:8281)."""
    for host in (f"127.0.0.1:{viewer.port}", f"localhost:{viewer.port}", "localhost:9000"):
        assert len(watch(viewer, f"http://{host}", host)) > 100


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:8281.evil.example", None]
)
def test_another_sites_websocket(viewer: Viewer, origin: str | None) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        watch(viewer, origin)


def test_a_name_that_was_made_to_point_here(viewer: Viewer) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        watch(viewer, "http://evil.example:8281", "evil.example:8281")
    for host, status in (("evil.example:8281", 403), ("localhost:8281", 200)):
        client = http.client.HTTPConnection("127.0.0.1", viewer.port, timeout=10)
        client.request("GET", "/", headers={"Host": host})
        assert client.getresponse().status == status
        client.close()


def test_other_addresses_of_this_machine_do_not_answer(viewer: Viewer) -> None:
    with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        socket.create_connection(("127.0.0.2", viewer.port), timeout=5)  # answers where all addresses are listened at


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_another_sites_page_in_a_browser(viewer: Viewer, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text(SPYING_PAGE.replace("PORT", str(viewer.port)).replace("PROTOCOL", PROTOCOL))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    with HeadlessChromium(address, tmp_path / "profile", (400, 300)) as browser:
        until = time.monotonic() + 30
        while (title := value(browser, "document.title")) in ("", "waiting") and time.monotonic() < until:
            time.sleep(0.2)
    server.shutdown()
    thread.join()
    server.server_close()
    assert title == "refused"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_files_name_is_text(viewer: Viewer, tmp_path: Path) -> None:
    with HeadlessChromium(viewer.address, tmp_path / "profile", (1400, 900)) as browser:
        until = time.monotonic() + 60
        while " s\n" not in (text := browser.text()) and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(1)  # what the name holds would have run
        assert value(browser, "globalThis.owned") == ""
    assert NAME in text


def test_markup_in_a_name_is_escaped() -> None:
    name = """<img src=x onerror="alert(1)">{alert(2)}![a](b.png)**c**_d_`e`www.evil.example &amp;\\é"""
    escaped = as_markdown(name)
    assert html.unescape(escaped) == name
    assert re.fullmatch(r"([A-Za-z0-9 ]|&#\d+;)+", escaped)
    assert as_markdown("a\ud800\n\u202eb") == "a\ufffd\ufffd\ufffdb"


def test_open_to_the_network_is_said(tmp_path: Path) -> None:
    with viewer_of(tmp_path, "walk.mp4", "--host", "0.0.0.0", "--port", "8291") as viewer:
        socket.create_connection(("127.0.0.2", viewer.port), timeout=5).close()
        with pytest.raises(InvalidStatus, match="403"):
            watch(viewer, "http://evil.example")
    assert "--host 0.0.0.0 shows the camera's images to everybody" in viewer.warned


def test_an_address_of_another_machine(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["viewer", "walk.mp4", "--host", "192.0.2.1"])
    with pytest.raises(SystemExit):
        main()
    assert "--host 192.0.2.1: this machine can't listen there" in capsys.readouterr().err


def value(browser: HeadlessChromium, expression: str) -> str:
    """What JavaScript says on the page; nothing for undefined."""
    return str(browser.call("Runtime.evaluate", expression=expression)["result"].get("value", ""))


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""
