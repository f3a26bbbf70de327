"""What is found in files, folders and object stores, under which names."""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
import traceback
from functools import partial
from pathlib import Path

import pytest

from sdk.errors import BadTarget, BadVideo
from sdk.files.remote_files import fetched
from sdk.prediction.sources import Source, find_sources


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """Videos and keypoints in folders; only names count here."""
    folder = tmp_path / "season"
    for name in ("a.mp4", "game1/left.mov", "game1/right.mp4", "game2/left.mov", "game2/tracks.npz", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / "game2" / "photos").mkdir()
    (folder / "game2" / "photos" / "1.png").write_bytes(b"")
    (folder / "game2" / "left.json").write_text("[]")
    return folder


def names(*words: object, save: Path) -> list[str]:
    return [one.name for one in find_sources([str(word) for word in words], save).recordings]


def test_folders_are_searched_but_not_the_results(season: Path) -> None:
    save = season / "results"
    (save / "a.mp4").mkdir(parents=True)
    (save / "a.mp4" / "overlay.mp4").write_bytes(b"")
    expected = ["a.mp4", "game1/left.mov", "game1/right.mp4", "game2/tracks.npz", "game2/left.json", "game2/photos"]
    assert sorted(names(season, save=save)) == sorted(expected)
    assert names(season / "a.mp4", season / "game1", save=save) == ["a.mp4", "left.mov", "right.mp4"]


def test_keypoints_know_their_video_and_the_rest_is_named(season: Path) -> None:
    found = find_sources([str(season)], season / "results")
    by_name = {one.name: one for one in found.recordings}
    folder = season / "game2"
    expected = Source("game2/left.json", str(folder / "left.json"), "keypoints", str(folder / "left.mov"))
    assert by_name["game2/left.json"] == expected
    assert by_name["game2/photos"].kind == "video"
    assert found.notes == ("not looked at, named neither like a video nor like keypoints: notes.txt",)


def test_a_folder_of_one_file_a_frame_is_one_recording(tmp_path: Path) -> None:
    folder = tmp_path / "all" / "openpose"
    folder.mkdir(parents=True)
    for frame in range(3):
        (folder / f"run_{frame:012d}_keypoints.json").write_text(json.dumps({"people": []}))
    assert names(tmp_path / "all", save=tmp_path / "r") == ["openpose"]
    assert names(folder, save=tmp_path / "r") == ["openpose"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and few links there")
def test_what_can_not_be_read_is_named_with_its_place(season: Path) -> None:
    os.mkfifo(season / "game1" / "pipe.mp4")
    (season / "game1" / "dead.json").symlink_to("nowhere")
    os.mkfifo(season / "game2" / "photos" / "pipe.mov")
    (season / "papers").mkdir()
    (season / "papers" / "plan.pdf").touch()
    (season / "game1" / "back").symlink_to(season)
    found = find_sources([str(season)], season / "results")
    assert len(found.recordings) == 6
    assert {one.name: one.reason for one in found.skipped} == {
        "game1/pipe.mp4": "a pipe, device or socket",
        "game1/dead.json": "a link to nothing",
        "game2/photos/pipe.mov": "a pipe, device or socket",
    }
    said = "not looked at, named neither like a video nor like keypoints:"
    assert found.notes == (f"{said} notes.txt", f"{said} plan.pdf")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes there")
def test_nothing_but_a_pipe_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(BadTarget, match=r"nothing to predict in .* a\.mp4 is a pipe, device or socket\."):
        find_sources([str(tmp_path)], tmp_path / "r")


def test_a_folder_of_frames_whose_first_is_damaged_is_keypoints(tmp_path: Path) -> None:
    folder = tmp_path / "all" / "take"
    folder.mkdir(parents=True)
    for frame in range(3):
        (folder / f"run_{frame:06d}.json").write_text(json.dumps({"people": []}) if frame else '{"people": [')
    assert names(tmp_path / "all", save=tmp_path / "r") == ["take"]


def test_two_of_one_name_are_refused(season: Path) -> None:
    (season / "game2" / "left.json").unlink()
    with pytest.raises(BadTarget, match=r"game1/left\.mov and .*game2/left\.mov would both have their results in left"):
        names(season / "game1", season / "game2", save=season / "r")


@pytest.mark.parametrize(
    ("word", "message"),
    [("missing.mp4", "missing.mp4: no such file"), ("rtsp://camera/1", "rtsp:// is a live stream: adaptpose-live")],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, word: str, message: str) -> None:
    with pytest.raises(BadVideo, match=message):
        names(word, save=tmp_path)


def test_nothing_found_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadTarget, match=r"nothing to predict in .*empty: no videos \(\.mp4"):
        names(tmp_path / "empty", save=tmp_path / "r")


def test_stores_that_fsspec_knows(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for name in ("b.mp4", "deep/c.MOV", "deep/readme.txt", ".hidden/d.mp4"):
        store.pipe(f"/archive/{name}", b"x")
    try:
        found = find_sources(["memory://archive"], tmp_path).recordings
        assert [(one.name, one.path) for one in found] == [
            ("b.mp4", "memory:///archive/b.mp4"),
            ("deep/c.MOV", "memory:///archive/deep/c.MOV"),
        ]
        assert names("memory://archive/b.mp4", save=tmp_path) == ["b.mp4"]
        assert names("memory://archive/deep/*.MOV", save=tmp_path) == ["c.MOV"]
        with pytest.raises(BadVideo, match="nothing is there that ends in"):
            names("memory://archive/none", save=tmp_path)
        with pytest.raises(BadVideo, match="no-such-store"):
            names("no-such-store://x", save=tmp_path)
    finally:
        store.rm("/archive", recursive=True)


SECRETS = "user:geheim@", "token=geheim1&X-Amz-Signature=geheim2"


def test_a_web_addresses_secrets_are_in_no_message_and_no_name(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    login, query = SECRETS
    for words in ([f"http://{login}127.0.0.1:9/a.mp4?{query}"], [f"s3://{login}bucket/a.mp4"]):
        with pytest.raises(BadVideo, match=r"\*\*\*@") as refused:
            find_sources(words, tmp_path)
        assert "geheim" not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(BadVideo, match="no such file") as refused:
        find_sources([f"folder/http:/{login}door/a.mp4?{query}"], tmp_path)
    assert "geheim" not in str(refused.value)


def test_a_recording_of_the_web_has_its_own_name(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    (tmp_path / "a.mp4").write_bytes(b"a video")
    serve = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            (found,) = find_sources([f"http://127.0.0.1:{server.server_port}/a.mp4?{SECRETS[1]}"], tmp_path).recordings
            assert (found.name, found.kind) == ("a.mp4", "video")
            with fetched(found.path, BadVideo) as copy:
                assert (copy.name, copy.read_bytes()) == ("a.mp4", b"a video")
        finally:
            server.shutdown()
