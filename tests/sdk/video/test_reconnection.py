"""A stream from a real server that hangs up and comes back; the pauses between trials."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest

from sdk.errors import BadVideo
from sdk.video.reconnection import ReconnectingReader, Reconnection
from sdk.video.source import open_video
from tests.local_server import Quiet, serving
from tests.sdk.live_sources import ListReader, Reopening
from tests.sdk.stick_figures import read_index, render

FRAMES = 12


@pytest.fixture
def address() -> Iterator[str]:
    """A camera on the network (motion JPEG over HTTP) that hangs up after 12 images, each time."""

    class Camera(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for index in range(FRAMES):
                jpeg = cv2.imencode(".jpg", render(index, []))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    with serving(Camera) as server:
        yield f"{server}/camera.mjpg"


def test_network_camera_that_hangs_up_goes_on(address: str) -> None:
    with open_video(address, reconnection=Reconnection(first_pause_s=0.01)) as video:
        assert video.live
        frames = []
        for frame in video:
            frames.append((read_index(frame.image), frame.after_gap, frame.timestamp_s))
            if video.interruptions == 2:
                break
    numbers = [number for number, _, _ in frames]
    first = numbers.index(0, 1)
    assert numbers[:first] == list(range(first))
    assert first >= FRAMES - 2  # FFmpeg may keep back the last ones
    assert [number for number, after_gap, _ in frames if after_gap] == [0, 0]
    times = [time for _, _, time in frames]
    assert times == sorted(set(times))


def test_without_reconnection_the_source_ends(address: str) -> None:
    with open_video(address) as video:
        assert FRAMES - 2 <= len(list(video)) <= FRAMES


def test_address_where_nobody_answers_is_an_error_at_once() -> None:
    with pytest.raises(BadVideo, match="no video answers at this address"):
        open_video("http://127.0.0.1:1/camera.mjpg", reconnection=Reconnection())


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [(render(0, []), 0.0)]
    opening = Reopening([None] * 6 + [ListReader(images)])
    reader = ReconnectingReader(ListReader([]), opening, "door", Reconnection(0.5, 8.0))
    pauses = []
    monkeypatch.setattr(reader._closed, "wait", lambda pause_s: pauses.append(pause_s) or False)
    assert reader.read() is images[0]
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]
    assert reader.interruptions == 1


def test_driver_that_raises_is_a_loss() -> None:
    class Broken(ListReader):
        def read(self) -> None:
            raise OSError("the cable")

    broken = Broken([])
    images = [(render(0, []), 0.0)]
    reader = ReconnectingReader(broken, Reopening([ListReader(images)]), "door", Reconnection(0.001))
    assert reader.read() is images[0]
    assert broken.closed
