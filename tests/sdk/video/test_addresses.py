"""What stands in a message, a log or a page of an address that holds a password."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from sdk.errors import BadVideo
from sdk.files.addresses import masked
from sdk.video.source import open_video


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://door/stream1", "rtsp://door/stream1"),
        ("rtsp://10.0.0.7:554/h264?channel=1", "rtsp://10.0.0.7:554/h264?channel=***"),
        ("http://user:secret@door:8080/a.mp4?token=secret&x=secret#secret", "http://***@door:8080/a.mp4?token=***&x=***"),
        ("https://secret@door/a.mp4", "https://***@door/a.mp4"),
        ("rtsp://user:sec@ret@door/a", "rtsp://***@door/a"),
        ("rtsp://user:sec/ret@door/a", "rtsp://***@door/a"),
        ("rtsp://user:sec?ret@door/a", "rtsp://***@door/a"),
        ("rtsp://user:sec#ret@door/a", "rtsp://***@door/a"),
        ("http://door/a.m3u8?secret", "http://door/a.m3u8?***"),
        ("rtsp://door:554/user=secret_password=secret_channel=1.sdp", "rtsp://door:554/user=***_password=***_channel=1.sdp"),
        ("RTSP://USER:SECRET@DOOR/A", "RTSP://***@DOOR/A"),
        ("http://[::1]:8080/a.mp4", "http://[::1]:8080/a.mp4"),
        ("user:secret@door/a.mp4?token=secret", "***@door/a.mp4?token=***"),
        ("https://door/live/0f8fad5b-d9cb-469f-a165-70867728950e/a.m3u8", "https://door/live/***/a.m3u8"),
        ("https://door/eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEyMyIsInN1YiI6IngifQ.c2Vjcm-0LXNlY3JldDEyMzQ1Ng/a", "https://door/***.***.***/a"),
        ("rtsp://door/s/9b74c9897bac770ffc029102a200c5de", "rtsp://door/s/***"),
        ("https://door/k-Zb3_qX91vTe0RsPw7uYcLm/video.mp4", "https://door/***/video.mp4"),
        ("rtsp://a0b1c2d3e4f5a0b1c2d3e4f5.door/h264Preview_01_main", "rtsp://a0b1c2d3e4f5a0b1c2d3e4f5.door/h264Preview_01_main"),
        ("rtsp://door/Streaming/Channels/101/axis-media/media.amp", "rtsp://door/Streaming/Channels/101/axis-media/media.amp"),
        ("http://door/the_long_jump_of_saturday/2026-11-29_10-30-00.mp4", "http://door/the_long_jump_of_saturday/2026-11-29_10-30-00.mp4"),
        ("walk.mp4", "walk.mp4"),
        ("9b74c9897bac770ffc029102a200c5de.mp4", "9b74c9897bac770ffc029102a200c5de.mp4"),
        ("a:b/c.mp4", "a:b/c.mp4"),
    ],
)  # fmt: skip
def test_secrets_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    "address",
    ["http://user:secret@127.0.0.1:9/a.mp4?token=secret", "rtsp://user:sec/secret@127.0.0.1:9/a", "user:secret@door/a"],
)
def test_error_and_log_hold_no_secret(
    address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BadVideo, match=r"\*\*\*@") as caught:
        open_video(address)
    printed = capfd.readouterr()
    assert "secret" not in str(caught.value) + caplog.text + printed.out + printed.err


def test_source_name_holds_no_secret(served_video: Callable[[], str]) -> None:
    address = served_video().replace("://", "://user:secret@") + "?token=secret"
    with open_video(address) as video:
        assert video.name == address.replace("user:secret", "***").replace("=secret", "=***")
        assert len(list(video)) == 10
