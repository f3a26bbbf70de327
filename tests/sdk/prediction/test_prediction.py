"""One recording to its folder: what is in it, when it is made again, and that it is whole or not there."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk.commands.live_command import LiveOptions
from sdk.commands.live_command import run as run_live
from sdk.errors import BadTarget, BadVideo, CannotStart
from sdk.files.output_files import part_beside
from sdk.keypoint_files.reading import read_keypoints
from sdk.keypoint_files.writing import write_keypoints
from sdk.lifting.keypoint_lifting import lift_track
from sdk.lifting.lifter import Lifter
from sdk.prediction.extraction import extract_keypoints
from sdk.prediction.prediction import Prediction, PredictionWork, predict
from sdk.prediction.result_folder import remove_abandoned_results
from sdk.prediction.settings import PredictionSettings, open_detector_of
from sdk.prediction.sources import find_sources
from tests.sdk.detectors import toy_graphs
from tests.sdk.prediction.recordings import FRAMES, contents, track, write_models, write_plain_video
from tests.sdk.stick_figures import write_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_plain_video(tmp_path / "plain.mp4", FRAMES)
    return tmp_path


def predicted(source: Path | str, save: Path, settings: PredictionSettings) -> Prediction:
    (recording,) = find_sources([str(source)], save).recordings
    return predict(PredictionWork(recording, save, settings), lambda frames, total: None)


def test_a_video_gives_what_live_gives(folder: Path) -> None:
    settings = dataclasses.replace(write_models(folder), format=("npz", "json", "bvh"))
    found = predicted(folder / "plain.mp4", folder / "out", settings)
    live = {name: getattr(settings, name) for name in ("model", "detector")}
    paths = folder / "poses.npz", folder / "poses.json", folder / "poses.bvh"
    run_live(LiveOptions(str(folder / "plain.mp4"), save=paths, show=False, **live))
    names = ("poses.json", "poses.npz", "poses_person1.bvh")
    for name in names:
        assert (folder / "out" / "plain.mp4" / name).read_bytes() == (folder / name).read_bytes()
    assert found.worked
    summary = found.summary
    assert summary.files == names
    assert (summary.people, summary.frames, summary.duration_s) == (1, FRAMES, FRAMES / 25)
    assert (summary.lifted, summary.poses, summary.lifted_share) == (summary.poses, summary.poses, 1.0)
    assert FRAMES - 2 <= summary.poses == FRAMES - summary.empty_frames


def test_it_is_made_once_for_a_content_a_model_and_settings(folder: Path) -> None:
    save, settings = folder / "out", write_models(folder)
    first = predicted(folder / "plain.mp4", save, settings)
    again = predicted(folder / "plain.mp4", save, settings)
    assert (again.worked, again.summary) == (False, first.summary)
    write_plain_video(folder / "plain.mp4", FRAMES + 5)
    assert predicted(folder / "plain.mp4", save, settings).worked
    unsmoothed = dataclasses.replace(settings, smooth=False)
    assert predicted(folder / "plain.mp4", save, unsmoothed).worked
    assert not predicted(folder / "plain.mp4", save, unsmoothed).worked
    (save / "plain.mp4" / "poses.npz").unlink()
    assert predicted(folder / "plain.mp4", save, unsmoothed).worked
    other = folder / "other"
    other.mkdir()
    moved = dataclasses.replace(write_models(other), smooth=False)
    assert not predicted(folder / "plain.mp4", save, moved).worked  # the same models in another place
    assert sorted(contents(save)) == ["plain.mp4/poses.npz", "plain.mp4/summary.json"]


def test_what_is_not_ours_is_not_replaced(folder: Path) -> None:
    (folder / "out" / "plain.mp4").mkdir(parents=True)
    (folder / "out" / "plain.mp4" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadTarget, match=r"plain\.mp4 is no folder of results, so it is not replaced"):
        predicted(folder / "plain.mp4", folder / "out", write_models(folder))
    assert contents(folder / "out") == {"plain.mp4/thesis.txt": b"years of work"}
    deep = b"[" * 100_000
    (folder / "out" / "plain.mp4" / "summary.json").write_bytes(deep)
    with pytest.raises(BadTarget, match=r"plain\.mp4 is no folder of results, so it is not replaced"):
        predicted(folder / "plain.mp4", folder / "out", write_models(folder))
    assert contents(folder / "out")["plain.mp4/summary.json"] == deep
    if os.name != "nt":
        (folder / "out" / "plain.mp4" / "summary.json").unlink()
        (folder / "out" / "plain.mp4" / "summary.json").symlink_to(os.devnull)
        with pytest.raises(BadTarget, match=r"plain\.mp4 is no folder of results") as refused:
            predicted(folder / "plain.mp4", folder / "out", write_models(folder))
        assert "pipe, device or socket" in str(refused.value.__cause__)


def test_a_video_that_is_none_leaves_nothing(folder: Path) -> None:
    (folder / "text.mp4").write_text("no video")
    with pytest.raises(BadVideo, match=r"text\.mp4 can't be opened"):
        predicted(folder / "text.mp4", folder / "out", write_models(folder))
    assert contents(folder / "out") == {}


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    """Of our recordings; not what a process that lives is writing, nor a recording of adaptpose-live."""
    ours = part_beside(tmp_path / "deep" / "cam1.mp4")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [ours.with_name(ours.name.replace(f"-{os.getpid()}", f"-{dead.pid}{end}")) for end in ("", ".older")]
    stay = [ours, *(path.with_name(path.name.replace("cam1", "cam2")) for path in left)]
    stay.append(left[0].with_name(f"{left[0].stem}.x.rows"))
    for path in (*left, *stay):
        path.mkdir(parents=True)
    remove_abandoned_results(tmp_path, ["deep/cam1.mp4", "nowhere/cam2.mp4"])
    assert {path for path in (tmp_path / "deep").iterdir()} == set(stay)


def test_a_model_that_all_need_can_not_be_had(folder: Path) -> None:
    settings = dataclasses.replace(write_models(folder), detector="onnx:nowhere.onnx")
    with pytest.raises(CannotStart, match="nowhere"):
        predicted(folder / "plain.mp4", folder / "out", settings)


def test_keypoints_are_lifted_as_they_are(tmp_path: Path) -> None:
    """No tracking anew: two people keep their numbers, also where one comes late."""
    settings = dataclasses.replace(write_models(tmp_path), format=("npz", "trc"), smooth=False, repair_sides=False)
    tracks = [track("walk.npz#3"), track("walk.npz#7", (200, 80), 20, first=10)]
    write_keypoints(tmp_path / "walk.npz", tracks)
    summary = predicted(tmp_path / "walk.npz", tmp_path / "out", settings).summary
    assert (summary.people, summary.most_at_once, summary.poses, summary.lifted) == (2, 2, 50, 50)
    assert summary.files == ("poses.npz", "poses_person3.trc", "poses_person7.trc")
    lifter = Lifter(tmp_path / "linear.onnx")
    with np.load(tmp_path / "out" / "walk.npz" / "poses.npz", allow_pickle=False) as poses:
        for number, one in zip((3, 7), tracks, strict=True):
            rows = poses["track_id"] == number
            np.testing.assert_array_equal(poses["frame_index"][rows], one.frame_indices)
            np.testing.assert_array_equal(poses["keypoints_px"][rows], one.keypoints_px)
            np.testing.assert_allclose(poses["joints_m"][rows], lift_track(lifter, one), atol=1e-6)


def test_keypoints_with_their_video_have_a_film(tmp_path: Path) -> None:
    settings = dataclasses.replace(write_models(tmp_path), overlay=True)
    one = track("film.npz#1")
    write_keypoints(tmp_path / "film.npz", [one])
    write_video(tmp_path / "film.mp4", [(pose,) for pose in one.keypoints_px] + [()] * 5)
    summary = predicted(tmp_path / "film.npz", tmp_path / "out", settings).summary
    assert (summary.frames, summary.empty_frames, summary.longest_gap_s) == (35, 5, 0.2)
    assert summary.files == ("overlay.mp4", "poses.npz")


def test_detection_alone(folder: Path) -> None:
    settings = dataclasses.replace(write_models(folder), keypoints_only=True, model=None)
    summary = predicted(folder / "plain.mp4", folder / "out", settings).summary
    expected = extract_keypoints(folder / "plain.mp4", open_detector_of(settings), lambda frames, total: None)
    (found,) = read_keypoints(folder / "out" / "plain.mp4" / "keypoints.npz")
    np.testing.assert_array_equal(found.keypoints_px, expected.tracks[0].keypoints_px)
    assert (summary.frames, summary.poses, summary.lifted, summary.lifted_share) == (FRAMES, len(found), None, None)
    assert summary.text() == f"1 person in {FRAMES} frames (0.8 s)"  # not "0% lifted": nothing was to be


@pytest.mark.parametrize("keypoints_only", [False, True])
def test_the_longest_time_without_a_person_in_a_keypoint_file(tmp_path: Path, keypoints_only: bool) -> None:
    """The file has no frames for it, so it is told by the frames on both sides."""
    settings = dataclasses.replace(write_models(tmp_path), keypoints_only=keypoints_only)
    write_keypoints(tmp_path / "walk.npz", [track("walk.npz#1"), track("walk.npz#2", first=50)])  # 0 to 29, 50 to 79
    summary = predicted(tmp_path / "walk.npz", tmp_path / "out", settings).summary
    assert (summary.frames, summary.empty_frames, summary.longest_gap_s) == (60, 0, 0.8)


def test_detection_alone_of_a_video_with_nobody(folder: Path) -> None:
    settings = dataclasses.replace(write_models(folder), keypoints_only=True)
    toy_graphs.movenet_multi(folder / "toy.onnx", np.zeros((6, 56), np.float32))
    summary = predicted(folder / "plain.mp4", folder / "out", settings).summary
    assert (summary.people, summary.frames, summary.empty_frames) == (0, FRAMES, FRAMES)
    assert (summary.duration_s, summary.longest_gap_s) == (FRAMES / 25, FRAMES / 25)


def test_a_file_in_a_store_gives_the_same(folder: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    settings = write_models(folder)
    predicted(folder / "plain.mp4", folder / "here", settings)
    store = fsspec.filesystem("memory")
    store.pipe("/archive/plain.mp4", (folder / "plain.mp4").read_bytes())
    try:
        assert predicted("memory://archive/plain.mp4", folder / "there", settings).worked
        assert not predicted("memory://archive/plain.mp4", folder / "there", settings).worked
    finally:
        store.rm("/archive", recursive=True)
    here, there = contents(folder / "here"), contents(folder / "there")
    assert here["plain.mp4/poses.npz"] == there["plain.mp4/poses.npz"]


def test_damage_is_a_note(folder: Path) -> None:
    import cv2

    writer = cv2.VideoWriter(str(folder / "cut.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for _ in range(40):
        writer.write(np.full((48, 64, 3), (40, 40, 200), np.uint8))
    writer.release()
    whole = (folder / "cut.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[: int(len(whole) * 0.7)])
    summary = predicted(folder / "cut.avi", folder / "out", write_models(folder)).summary
    assert 10 < summary.frames < 40
    assert "cut.avi: cut off" in summary.notes[0]
    saved = json.loads((folder / "out" / "cut.avi" / "summary.json").read_text())
    assert saved["notes"] == list(summary.notes)
