"""From a target folder to tracks: what is found, cached, resumed, skipped, and said."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from sdk.detectors.detection import Detections
from sdk.errors import BadOutput, BadTarget
from sdk.keypoint_files.saved_tracks import save_tracks
from sdk.prediction.extraction import extract_keypoints
from sdk.prediction.result_folder import KEYPOINTS, SUMMARY
from sdk.skeletons.skeleton import COCO17
from sdk.tracking.people_choice import PeopleChoice
from sdk.workers import progress as work_progress
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings
from tests.sdk.stick_figures import SIZE, read_index, render, walk
from tests.sdk.video.video_files import H263_SIZE, damage, write
from training.commands.run_inputs import adapt_inputs
from training.files.cache_folder import default_cache_folder
from training.settings.adapt import Adapt
from training.target import extraction_cache
from training.target.target_keypoints import TargetKeypoints, extract_target

FRAMES = 50
ONE = walk(FRAMES, (60, 60), (1.5, 0))
TWO = walk(FRAMES, (260, 100), (-1.0, 0), phase=2)
SEVERAL = (
    "In 1 of {} recordings several people are seen at once, up to 2, and all of them are adapted to. If some are "
    "bystanders: --people largest, central, or a number."
)
TRUTH = {0: [], 1: [ONE], 2: [ONE, TWO]}


class CodeDetector:
    """Knows how many people a video has from a code in the image, and where from the frame's index; counts."""

    skeleton = COCO17

    def __init__(self, identity: str = "code", stop_at: int | None = None) -> None:
        self.identity, self.looked, self.resets, self._stop_at = identity, 0, 0, stop_at

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        if self.looked == self._stop_at:
            raise KeyboardInterrupt
        self.looked += 1
        figures = [person[read_index(image_bgr) % 256] for person in TRUTH[read_index(image_bgr) // 256]]
        if not figures:
            return Detections.none(len(COCO17))
        return Detections.from_keypoints(np.stack(figures), np.full((len(figures), 17), 0.9), 0.3)

    def reset(self) -> None:
        self.resets += 1


def make_video(path: Path, people: int, frames: int = FRAMES) -> Path:
    """A video of so many people: its frames' codes are 256 * people + index."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, SIZE)
    for index in range(frames):
        writer.write(render(256 * people + index, [person[index] for person in TRUTH[people]]))
    writer.release()
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    make_video(folder / "a.mp4", 1)
    make_video(folder / "b.mp4", 2)
    return folder


def extract(target: Path, detector: CodeDetector, console: Console | None = None) -> TargetKeypoints:
    return extract_target(
        target, lambda: detector, cache_folder=target.parent / "cache", console=console or Console(file=io.StringIO())
    )


def assert_equal(a: TargetKeypoints, b: TargetKeypoints) -> None:
    assert [track.name for track in a.tracks] == [track.name for track in b.tracks]
    for one, other in zip(a.tracks, b.tracks, strict=True):
        np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)
    assert (a.videos, a.skipped, a.notes) == (b.videos, b.skipped, b.notes)


def test_every_person_becomes_a_track(target: Path) -> None:
    detector = CodeDetector()
    found = extract(target, detector)
    assert [track.name for track in found.tracks] == ["a.mp4#1", "b.mp4#1", "b.mp4#2"]
    assert found.videos == (target / "a.mp4", target / "b.mp4", target / "b.mp4")
    assert (found.skipped, found.notes) == ((), (SEVERAL.format(2),))
    assert (detector.looked, detector.resets) == (2 * FRAMES, 2)
    for track, truth in zip(found.tracks, (ONE, ONE, TWO), strict=True):
        np.testing.assert_allclose(track.keypoints_px, truth[track.frame_indices], atol=1e-4)
        assert len(track) >= FRAMES - 1
        assert (track.image_size, track.frame_rate_hz, track.skeleton) == (SIZE, 25.0, "coco17")
        np.testing.assert_allclose(track.timestamps_s, track.frame_indices / 25, atol=1e-6)
    single = extract_target(target / "a.mp4", CodeDetector, cache_folder=target.parent / "other")
    assert [track.name for track in single.tracks] == ["a.mp4#1"]


def test_several_workers_find_the_same_as_one(target: Path) -> None:
    """Also in their order, whichever is done first; a video that is none stops no other."""
    make_video(target / "c.mp4", 2, 40)
    (target / "d.mp4").write_text("no video")
    one = extract_target(target, CodeDetector, cache_folder=target.parent / "one")
    folder = target.parent / "two"
    two = extract_target(target, CodeDetector, cache_folder=folder, workers=WorkerSettings(workers=2))
    assert_equal(two, one)
    assert [skipped.name for skipped in two.skipped] == ["d.mp4"]
    kept = {path.name: path.read_bytes() for path in (target.parent / "one").iterdir()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


def test_a_second_run_looks_at_nothing_and_finds_the_same(target: Path) -> None:
    first = extract(target, CodeDetector())
    again, said = CodeDetector(), io.StringIO()
    assert_equal(extract(target, again, Console(file=said)), first)
    assert again.looked == 0
    assert said.getvalue().splitlines() == [
        "[1/2] a.mp4: 1 tracks, 50 poses in 50 frames, cached",
        f"[2/2] b.mp4: 2 tracks, {2 * FRAMES} poses in 50 frames, cached",
    ]
    # Only what was known is said to be: a third, new video is looked at.
    make_video(target / "c.mp4", 0)
    extract(target, again, Console(file=said))
    assert said.getvalue().splitlines()[-1] == "[3/3] c.mp4: no person found in 50 frames"
    extract(target, again, Console(file=said))
    assert said.getvalue().splitlines()[-1] == "[3/3] c.mp4: no person found in 50 frames, cached"


def test_the_content_is_what_counts_not_the_name(target: Path) -> None:
    extract(target, CodeDetector())
    (target / "a.mp4").rename(target / "c.mp4")
    again = CodeDetector()
    assert [track.name for track in extract(target, again).tracks] == ["b.mp4#1", "b.mp4#2", "c.mp4#1"]
    assert again.looked == 0
    make_video(target / "c.mp4", 2)
    extract(target, again)
    assert again.looked == 0  # now the same as b.mp4
    make_video(target / "c.mp4", 1, FRAMES - 1)
    extract(target, again)
    assert again.looked == FRAMES - 1


SMALL = walk(FRAMES, (200, 100), (-1.0, 0), phase=2) * 0.5


@pytest.mark.parametrize("people", ["largest", 1, "central"])
def test_bystanders_are_left_out_and_it_is_said(
    target: Path, people: PeopleChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRUTH, 2, [SMALL, ONE])
    found = extract_target(target, CodeDetector, cache_folder=target.parent / "cache", people=people)
    assert [track.name for track in found.tracks] == ["a.mp4#1", "b.mp4#2"]
    np.testing.assert_allclose(found.tracks[1].keypoints_px, ONE[found.tracks[1].frame_indices], atol=1e-4)
    whom = {"central": "the most central", "largest": "the largest", 1: "the 1 largest"}[people]
    assert found.notes == (
        "b.mp4: 1 of 2 tracks left out as bystanders: #1",
        f"--people {people}: {whom} of up to 2 people at once; 100 of all 150 poses are theirs.",
    )


def test_another_choice_of_people_is_taken_from_the_same_cache(target: Path) -> None:
    """The cache holds everybody: a choice is never mistaken for another one, and needs no second detection."""
    extract(target, CodeDetector())
    unused = CodeDetector(stop_at=0)
    for people, names in (("largest", ["a.mp4#1", "b.mp4#2"]), ("all", ["a.mp4#1", "b.mp4#1", "b.mp4#2"])):
        found = extract_target(target, lambda: unused, cache_folder=target.parent / "cache", people=people)
        assert [track.name for track in found.tracks] == names
    assert unused.looked == 0


def test_another_detector_or_version_looks_again(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract(target, CodeDetector())
    other = CodeDetector("other")
    extract(target, other)
    assert other.looked == 2 * FRAMES
    monkeypatch.setattr(extraction_cache, "SETTINGS", "extraction 999")
    later = CodeDetector()
    extract(target, later)
    assert later.looked == 2 * FRAMES


def test_an_interrupted_run_keeps_finished_videos_and_goes_on(target: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"are kept in .*cache: the same command goes on with b\.mp4"):
        extract(target, CodeDetector(stop_at=FRAMES + 10))
    assert len(list((target.parent / "cache").iterdir())) == 1
    again = CodeDetector()
    resumed = extract(target, again)
    assert again.looked == FRAMES
    clean = extract_target(target, CodeDetector, cache_folder=target.parent / "clean")
    assert_equal(resumed, clean)


def test_a_damaged_cache_file_is_reported_and_made_anew(target: Path) -> None:
    first = extract(target, CodeDetector())
    for file in (target.parent / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:700])
    again = CodeDetector()
    second = extract(target, again)
    assert again.looked == 2 * FRAMES
    assert [note.split(":")[0] for note in second.notes[:-1]] == ["a.mp4", "b.mp4"]
    assert "damaged" in second.notes[0]
    assert_equal(extract(target, CodeDetector(stop_at=0)), first)


def test_a_damaged_file_in_a_cache_that_can_not_be_written_to(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract(target, CodeDetector())
    for file in (target.parent / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:700])

    def read_only(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(BadOutput, match=r"a\.mp4, is damaged and can't be made anew: Read-only file.*ADAPTPOSE_CACHE"):
        extract(target, CodeDetector())


WRONG: tuple[object, ...] = (None, True, -1, 0.5, "x", [], [1], ["a", "b"], {}, {"a": 1}, 10**30)


@pytest.mark.parametrize("where", ["name", "skeleton", "image_size", "frame_rate_hz", "video", "frames", "notes"])
def test_headers_with_values_of_other_types_are_made_anew(target: Path, where: str) -> None:
    """Whatever stands there, it is reported as damaged or does as well as before."""
    (target / "b.mp4").unlink()
    first = extract(target, CodeDetector())
    (file,) = (target.parent / "cache").iterdir()
    content = file.read_bytes()
    for value in WRONG:
        if where == "notes" and value in ([], ["a", "b"]):  # as they may be
            continue
        with np.load(io.BytesIO(content)) as archive:
            arrays = dict(archive)
        header = json.loads(str(arrays["tracks"]))
        for place in (header["about"],) if where in header["about"] else header["tracks"]:
            place[where] = value
        np.savez(file, **arrays | {"tracks": np.array(json.dumps(header))})  # type: ignore[arg-type]
        again = extract(target, CodeDetector())
        assert len(again.tracks) == len(first.tracks), value
        assert all("damaged" in note for note in again.notes)


def test_bad_videos_are_skipped_by_name_and_the_rest_goes_on(target: Path) -> None:
    (target / "c.mp4").write_text("this is no video")
    make_video(target / "d.mp4", 0)
    make_video(target / "e.mp4", 1, 20)
    whole = (target / "a.mp4").read_bytes()
    (target / "f.mp4").write_bytes(whole[: len(whole) // 2])  # an mp4 without its index
    (target / "notes.txt").write_text("ignored")
    for looked in (3 * FRAMES + 20, 0):  # the second time, that nobody is there is known as well
        detector = CodeDetector()
        found = extract(target, detector)
        assert detector.looked == looked
        assert [track.name for track in found.tracks] == ["a.mp4#1", "b.mp4#1", "b.mp4#2"]
        reasons = {one.name: one.reason for one in found.skipped}
        assert list(reasons) == ["c.mp4", "d.mp4", "e.mp4", "f.mp4"]
        assert reasons["d.mp4"] == "no person found in 50 frames"
        assert "1 s or longer" in reasons["e.mp4"]


def test_a_truncated_video_is_used_as_far_as_it_goes(target: Path) -> None:
    (target / "b.mp4").unlink()
    writer = cv2.VideoWriter(str(target / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, SIZE)
    for index in range(FRAMES):
        writer.write(render(256 + index, [ONE[index]]))
    writer.release()
    whole = (target / "a.avi").read_bytes()
    (target / "a.avi").write_bytes(whole[: int(len(whole) * 0.8)])
    (target / "a.mp4").unlink()
    found = extract(target, CodeDetector())
    assert 30 <= len(found.tracks[0]) < FRAMES
    assert "a.avi: cut off" in found.notes[0]
    assert_equal(extract(target, CodeDetector(stop_at=0)), found)


def test_a_video_damaged_in_the_middle_is_read_to_its_end(target: Path) -> None:
    for path in target.iterdir():
        path.unlink()
    video = damage(write(target / "a.3gp", "H263", FRAMES, size=H263_SIZE), 0.4, 0.1)

    class OnePerson(CodeDetector):
        def __call__(self, image_bgr: np.ndarray) -> Detections:
            return Detections.from_keypoints(ONE[:1], np.full((1, 17), 0.9), 0.3)

    found = extract(target, OnePerson())
    lost = FRAMES - sum(map(len, found.tracks))
    assert 3 < lost < 15
    assert found.tracks[-1].timestamps_s[-1] == pytest.approx((FRAMES - 1) / 25)
    assert f"{video.name}: {lost} of {FRAMES} frames could not be read: {lost} between 0." in found.notes[0]
    assert_equal(extract(target, OnePerson("code", stop_at=0)), found)


@pytest.mark.parametrize(
    ("suffix", "code"), [("MTS", "MPG2"), ("m2ts", "MPG2"), ("flv", "FLV1"), ("3gp", "mp4v"), ("LRV", "mp4v")]
)
def test_videos_of_every_camera_are_read(target: Path, suffix: str, code: str) -> None:
    written = target / f"c.{suffix.lower().replace('lrv', 'mp4')}"
    writer = cv2.VideoWriter(str(written), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), 25.0, SIZE)
    for index in range(FRAMES):
        writer.write(render(256 + index, [ONE[index]]))
    writer.release()
    written.rename(target / f"c.{suffix}")
    found = extract(target, CodeDetector())
    assert [track.name for track in found.tracks] == ["a.mp4#1", "b.mp4#1", "b.mp4#2", f"c.{suffix}#1"]
    assert len(found.tracks[-1]) >= FRAMES - 1
    assert (found.skipped, found.notes) == ((), (SEVERAL.format(3),))


def test_what_is_not_read_is_named(target: Path) -> None:
    (target / "deeper").mkdir()
    make_video(target / "deeper" / "c.mp4", 1)
    make_video(target / "b.LRV.mp4", 1).rename(target / "b.LRV")
    make_video(target / "GL01.mp4", 1).rename(target / "GL01.LRV")
    make_video(target / "GX01.mp4", 1)
    os.mkfifo(target / "d.mp4")
    (target / "e.mp4").symlink_to("nowhere")
    (target / "zero.avi").symlink_to("/dev/zero")
    os.mkfifo(target / "f.json")
    (target / "g.npz").symlink_to("nowhere")
    os.mkfifo(target / "pipe")
    (target / "notes.txt").write_text("hello")
    (target / "a.THM").write_text("a thumbnail")
    (target / ".DS_Store").touch()
    found = extract(target, CodeDetector())
    assert [track.name for track in found.tracks] == ["GX01.mp4#1", "a.mp4#1", "b.mp4#1", "b.mp4#2"]
    reasons = {one.name: one.reason for one in found.skipped}
    assert list(reasons) == ["GL01.LRV", "b.LRV", "d.mp4", "deeper", "e.mp4", "f.json", "g.npz", "zero.avi"]
    assert reasons["b.LRV"] == "the small copy of b.mp4"
    assert reasons["GL01.LRV"] == "the small copy of GX01.mp4"
    assert "1 videos and 0 images in this one): name it as --target" in reasons["deeper"]
    assert all(reasons[name] == "a pipe, device or socket" for name in ("d.mp4", "f.json", "zero.avi"))
    assert all(reasons[name] == "a link to nothing" for name in ("e.mp4", "g.npz"))
    assert found.notes[:1] == ("not looked at, named neither like a video nor like keypoints: a.THM, notes.txt, pipe",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8(target: Path) -> None:
    (target / "a.mp4").rename(target / os.fsdecode(b"\xe9.mp4"))
    for stop_at in (None, 0):  # from the cache as well
        found = extract(target, CodeDetector(stop_at=stop_at))
        assert [track.name for track in found.tracks] == ["b.mp4#1", "b.mp4#2", "\\xe9.mp4#1"]
    (target / "b.mp4").write_text("no video")
    (target / os.fsdecode(b"\xe9.mp4")).write_text("no video")
    with pytest.raises(BadTarget) as caught:
        extract(target, CodeDetector())
    assert "\\xe9.mp4: " in str(caught.value).encode().decode()


@pytest.mark.parametrize("name", ["~nouser/videos", "x" * 5000])
def test_a_target_that_no_system_has(name: str) -> None:
    with pytest.raises(BadTarget, match=r"no user ~nouser|File name too long"):
        extract(Path(name), CodeDetector())


def test_nothing_left_names_every_reason(tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match="does not exist"):
        extract(tmp_path / "missing", CodeDetector())
    folder = tmp_path / "target"
    folder.mkdir()
    with pytest.raises(BadTarget, match="is empty"):
        extract(folder, CodeDetector())
    (folder / "notes.txt").write_text("hello")
    with pytest.raises(BadTarget, match=r"\.mp4.*notes\.txt"):
        extract(folder, CodeDetector())
    (folder / "deeper").mkdir()
    with pytest.raises(BadTarget, match=r"it holds deeper, notes\.txt\. Folders in it are not searched: name one"):
        extract(folder, CodeDetector())
    (folder / "a.mp4").write_text("this is no video")
    make_video(folder / "b.mp4", 0)
    with pytest.raises(BadTarget, match=r"(?s)a\.mp4: .*b\.mp4: no person found"):
        extract(folder, CodeDetector())


def test_a_full_disk_keeps_what_is_done(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = extraction_cache.save_tracks, []

    def full_at_the_second(path: Path, *arguments: object) -> None:
        calls.append(path)
        if len(calls) == 2:
            path.write_bytes(b"half a file")
            raise OSError(28, "No space left on device")
        real(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(extraction_cache, "save_tracks", full_at_the_second)
    with pytest.raises(BadOutput, match=r"b\.mp4 can't be written to .*No space left.*kept.*ADAPTPOSE_CACHE"):
        extract(target, CodeDetector())
    assert len(list((target.parent / "cache").iterdir())) == 1
    again = CodeDetector()
    extract(target, again)
    assert again.looked == FRAMES


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limit on the size of files")
@pytest.mark.parametrize("limit", [0, 100, 6000])
def test_a_disk_that_fills_up_anywhere_in_a_cache_file_is_named(tmp_path: Path, limit: int) -> None:
    """The system itself refuses to write on; zipfile would hide that behind an error of its own."""
    program = """
import resource, sys
import numpy as np
from pathlib import Path
from sdk.errors import BadOutput
from sdk.keypoint_files import KeypointTrack
from training.target.extraction_cache import ExtractionCache
from sdk.prediction.extraction import VideoKeypoints
frames = np.arange(100)
track = KeypointTrack(
    "a.mp4#1", np.ones((100, 17, 2), "f4"), np.ones((100, 17), "f4"), frames / 25, frames, "coco17", (64, 48), 25.0
)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
folder = Path(sys.argv[1])
try:
    ExtractionCache(folder, "x").store(folder / "a.npz", Path("a.mp4"), VideoKeypoints((track,), 100, ()))
except BadOutput as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path, str(limit)],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"a.mp4 can't be written to {tmp_path / 'a.npz'}: [Errno 27] File too large. Videos finished" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_keypoint_files_need_no_detector(target: Path) -> None:
    def no_detector() -> CodeDetector:
        raise AssertionError("a detector was opened")

    (target / "b.mp4").unlink()
    (target / "a.mp4").rename(target.parent / "a.mp4")
    np.savez(target / "a.npz", keypoints=ONE, skeleton="coco17", image_size=SIZE, frame_rate_hz=25.0)
    np.savez(
        target / "b.npz", keypoints=np.full_like(ONE, np.nan), skeleton="coco17", image_size=SIZE, frame_rate_hz=25.0
    )
    found = extract_target(target, no_detector, cache_folder=target.parent / "cache")
    assert ([track.name for track in found.tracks], found.videos) == (["a#1"], (None,))
    assert [one.name for one in found.skipped] == ["b.npz"]
    assert "no person in any of 50 frames" in found.skipped[0].reason
    # With the video beside it, the report can show the keypoints over its frames; it is not looked at.
    (target.parent / "a.mp4").rename(target / "a.mp4")
    assert extract_target(target, no_detector, cache_folder=target.parent / "cache").videos == (target / "a.mp4",)
    assert extract_target(target / "a.npz", no_detector).videos == (target / "a.mp4",)


def test_what_adaptpose_predict_detected_is_a_target(target: Path) -> None:
    """Many machines detect, one adapts: a folder of results of --keypoints-only, one folder a recording."""
    detected = extract(target, CodeDetector())
    results = target.parent / "results"
    for name, place in (("a.mp4", "a.mp4"), ("b.mp4", "winter/b.mp4")):
        (results / place).mkdir(parents=True)
        save_tracks(results / place / KEYPOINTS, [one for one in detected.tracks if one.name.startswith(name)])
        (results / place / SUMMARY).write_text("{}")
    (results / "predictions.json").write_text("{}")
    (results / "predictions.1-of-2.json").write_text("{}")
    (results / "other").mkdir()
    found = extract_target(results, CodeDetector)
    assert [track.name for track in found.tracks] == ["a.mp4#1", "b.mp4#1", "b.mp4#2"]
    assert [one.name for one in found.skipped] == ["other"]
    alone = extract_target(results / "a.mp4", CodeDetector)
    assert ([track.name for track in alone.tracks], alone.skipped) == (["a.mp4#1"], ())
    names = adapt_inputs(Adapt(target=results, source=("pybullet",)))
    assert {"target a.mp4", "target winter/b.mp4"} <= set(names)


def test_a_file_whose_people_were_all_left_out_says_why(tmp_path: Path) -> None:
    """OpenPose writes 0, 0, 0 for what it does not see: here both ears, without which there is no head."""
    person = np.full((25, 3), 0.9) * [100, 100, 1]
    person[[17, 18]] = 0
    (tmp_path / "clip").mkdir()
    for frame in range(FRAMES):
        content = {"people": [{"pose_keypoints_2d": person.ravel().tolist()}]}
        (tmp_path / "clip" / f"clip_{frame:012d}_keypoints.json").write_text(json.dumps(content))
    with pytest.raises(
        BadTarget,
        match=rf"(?s)clip has people, but .*clip#1: left out, .*ear, .*ear not seen in any of {FRAMES} frames",
    ):
        extract_target(tmp_path, CodeDetector, image_size=SIZE, frame_rate_hz=25.0)


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADAPTPOSE_CACHE", str(tmp_path))
    assert default_cache_folder() == tmp_path
    monkeypatch.delenv("ADAPTPOSE_CACHE")
    assert default_cache_folder().is_absolute()


def test_progress_is_plain_lines_without_a_terminal_and_bars_on_one(target: Path) -> None:
    plain = io.StringIO()
    extract(target, CodeDetector(), Console(file=plain))
    first, second = plain.getvalue().splitlines()
    assert first.startswith("[1/2] a.mp4: 1 tracks, 50 poses in 50 frames (1 left, about ")
    assert second == f"[2/2] b.mp4: 2 tracks, {2 * FRAMES} poses in 50 frames"
    bars = io.StringIO()
    extract(target, CodeDetector("bars"), Console(file=bars, force_terminal=True, color_system=None, width=120))
    assert "all videos" in bars.getvalue()
    assert "50/50 frames" in bars.getvalue()


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    long, short = make_video(tmp_path / "long.mp4", 1), make_video(tmp_path / "short.mp4", 1, 10)
    alive: list[weakref.ref] = []

    class Watching(CodeDetector):
        def __call__(self, image_bgr: np.ndarray) -> Detections:
            alive.append(weakref.ref(image_bgr))
            assert sum(reference() is not None for reference in alive) <= 2
            return super().__call__(image_bgr)

    for video in (long, short):
        alive.clear()
        extract_keypoints(video, Watching(), lambda frames, total: None)
        assert sum(reference() is not None for reference in alive) <= 1


def test_a_long_video_says_how_far_it_is_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_progress, "LINE_EVERY_S", 0.0)
    plain = io.StringIO()
    with WorkProgress(1, Console(file=plain)) as progress:
        progress.start("a [b].mp4")  # brackets are no markup
        progress.count(7, 50)
        progress.count(8, None)
    lines = plain.getvalue().splitlines()
    assert lines[0].startswith("a [b].mp4: 7 of 50 frames, ")
    assert lines[1].startswith("a [b].mp4: 8 frames, ")


def test_a_recording_with_a_frame_without_the_person_is_adapted_to(target: Path) -> None:
    """One NaN frame and a NaN wrist are no reason to skip a recording; time does not shift."""
    gap = ONE.copy()
    gap[20] = np.nan
    gap[30:33, 9] = np.nan
    np.savez(target / "a.npz", keypoints=gap, skeleton="coco17", image_size=SIZE, frame_rate_hz=25.0)
    (track,) = extract_target(target / "a.npz", CodeDetector).tracks
    assert track.frame_indices.tolist() == [frame for frame in range(len(ONE)) if frame != 20]
    np.testing.assert_allclose(track.timestamps_s, track.frame_indices / 25)
