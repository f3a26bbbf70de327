"""A file that pretends to be a video and names an address (an HLS playlist, an ffconcat list) makes nobody go there."""

import pytest

from sdk import BadVideo, open_video
from tests.local_server import Quiet, serving

LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{address}'\n",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.m3u8"])
def test_a_local_file_opens_no_address(tmp_path, text, name):
    asked = []

    class Handler(Quiet):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with serving(Handler) as server:
        (tmp_path / name).write_text(text.format(address=f"{server}/part.ts"))
        with pytest.raises(BadVideo):
            open_video(tmp_path / name)
    assert asked == []
