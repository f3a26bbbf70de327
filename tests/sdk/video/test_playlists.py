"""A file that pretends to be a video and names an address (an HLS playlist, an ffconcat list) makes nobody go there."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sdk import BadVideo, open_video

LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{address}'\n",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.m3u8"])
def test_a_local_file_opens_no_address(tmp_path, monkeypatch, text, name):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            """Nothing on stderr."""

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    (tmp_path / name).write_text(text.format(address=f"http://127.0.0.1:{server.server_address[1]}/part.ts"))
    try:
        with pytest.raises(BadVideo):
            open_video(tmp_path / name)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []
