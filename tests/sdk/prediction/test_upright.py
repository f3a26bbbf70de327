"""adaptpose-predict --upright: one vertical in all of a still camera's file, as `Lifter(upright=True)`; all files
agree."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadOutput
from sdk.keypoint_files.writing import write_keypoints
from sdk.lifting.lifter import Lifter
from sdk.prediction import kept_frames, prediction
from sdk.prediction.prediction import Prediction, PredictionWork, predict
from sdk.prediction.settings import PredictionSettings
from sdk.prediction.sources import find_sources
from sdk.results.pose_frame import PoseFrame, StageTimes
from tests.sdk.prediction.recordings import track
from tests.sdk.stick_figures import SIZE, KnowingDetector, read_index, walk, write_video

SETTINGS = PredictionSettings(
    model=Path("feet"), upright=True, smooth=False, repair_sides=False, format=("npz", "json", "csv", "trc", "bvh")
)
FRAMES = 60
NO_TIMES = StageTimes(0.0, 0.0, 0.0, 0.0)


def predicted(source: Path, save: Path, settings: PredictionSettings) -> Prediction:
    (recording,) = find_sources([str(source)], save).recordings
    return predict(PredictionWork(recording, save, settings), lambda frames, total: None)


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    people = [[keypoints] for keypoints in walk(FRAMES, (60, 60), (2, 0))]
    write_video(tmp_path / "walk.mp4", people)
    monkeypatch.setattr(prediction, "_detector", lambda settings: KnowingDetector(people))
    return tmp_path / "walk.mp4"


def test_keypoints_give_what_the_lifter_gives(tmp_path: Path) -> None:
    one = track(frames=FRAMES)
    write_keypoints(tmp_path / "walk.npz", [one])
    predicted(tmp_path / "walk.npz", tmp_path / "out", SETTINGS)
    lifted = Lifter("feet", upright=True, threads=1)
    scored = np.concatenate([one.keypoints_px, one.scores[..., None]], -1)
    answer, _ = lifted.answers(scored, one.image_size, one.skeleton, one.frame_rate_hz)
    lifted_track = lifted.track(scored, one.image_size, one.skeleton, one.frame_rate_hz)
    with np.load(tmp_path / "out" / "walk.npz" / "poses.npz", allow_pickle=False) as poses:
        np.testing.assert_allclose(poses["joints_m"], answer.joints_m, atol=1e-6)
        np.testing.assert_allclose(poses["up"], answer.up, atol=1e-6)
        np.testing.assert_allclose(poses["deviations_m"], answer.deviations_m, atol=1e-6)
        assert (poses["tilt_rad"] == poses["tilt_rad"][0]).all()
        np.testing.assert_allclose(poses["tilt_rad"][0], lifted_track.tilt_rad, atol=1e-6)
        np.testing.assert_allclose(poses["tilt_rad"], lifted_track.tilts_rad, atol=1e-6)
    # What the lifter tells differs from frame to frame: a running median would have turned the first frame otherwise.
    assert np.degrees(np.arccos(np.clip(answer.up @ [0, -1, 0], -1, 1))).max() > 1


def test_all_files_of_a_video_agree(video: Path) -> None:
    settings = replace(SETTINGS, field_of_view=60.0, steady_feet=True, measure=("angles",))
    found = predicted(video, video.parent / "out", settings)
    folder = video.parent / "out" / "walk.mp4"
    with np.load(folder / "poses.npz", allow_pickle=False) as poses:
        joints, roots, floors, tilts = (poses[name] for name in ("joints_m", "root_m", "floor_m", "tilt_rad"))
        tracks = poses["track_id"]
    assert len(joints) == found.summary.poses > FRAMES - 5
    assert (tilts == tilts[0]).all()
    assert not found.summary.notes or not any("turns by" in note for note in found.summary.notes)
    entries = json.loads((folder / "poses.json").read_text())
    np.testing.assert_allclose([entry["keypoints_3d"] for entry in entries], joints.reshape(-1, 60), atol=1e-5)
    np.testing.assert_allclose([entry["tilt_rad"] for entry in entries], tilts, atol=1e-5)
    assert "left_knee_flexion" in entries[0]["measurements"]
    with open(folder / "poses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["left_toe_y_m"]) for row in rows], joints[:, 19, 1], atol=1e-5)
    np.testing.assert_allclose([float(row["pitch_rad"]) for row in rows], tilts[:, 0], atol=1e-5)
    assert set(tracks.tolist()) == {1}
    lines = (folder / "poses_person1.trc").read_text().splitlines()
    marker = lines[3].split("\t").index("LBigToe")
    written = np.array(
        [[float(one or "nan") for one in line.split("\t")[marker : marker + 3]] for line in lines[5:] if line]
    )
    places = joints[:, 19] * [1, -1, -1] + np.stack([roots[:, 0], floors, -roots[:, 2]], -1)
    scale = 1000 if "mm" in lines[2].split("\t") else 1
    np.testing.assert_allclose(written[-len(places) :] / scale, places, atol=1e-4)


def test_a_video_gives_what_its_keypoints_give(video: Path) -> None:
    settings = replace(SETTINGS, field_of_view=60.0, format=("npz",))
    predicted(video, video.parent / "out", settings)
    one = track(frames=FRAMES)
    write_keypoints(video.parent / "other.npz", [one])
    predicted(video.parent / "other.npz", video.parent / "out", settings)
    with (
        np.load(video.parent / "out" / "walk.mp4" / "poses.npz", allow_pickle=False) as first,
        np.load(video.parent / "out" / "other.npz" / "poses.npz", allow_pickle=False) as second,
    ):
        both = np.intersect1d(first["frame_index"], second["frame_index"])[15:-15]
        here, there = np.isin(first["frame_index"], both), np.isin(second["frame_index"], both)
        np.testing.assert_allclose(first["tilt_rad"][0], second["tilt_rad"][0], atol=0.03)
        np.testing.assert_allclose(first["joints_m"][here], second["joints_m"][there], atol=0.05)


def test_overlay_and_page_show_the_images_of_their_frames(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, int]] = []

    def draw(frame: PoseFrame, *rest: object) -> np.ndarray:
        drawn.append((frame.index, read_index(frame.image)))
        return frame.image

    monkeypatch.setattr(prediction, "draw_frame", draw)
    found = predicted(video, video.parent / "out", replace(SETTINGS, overlay=True, report=True, format=("npz",)))
    assert drawn == [(at, at) for at in range(FRAMES)]
    assert found.summary.files == ("overlay.mp4", "poses.npz", "report.html")
    assert sorted(path.name for path in (video.parent / "out" / "walk.mp4").iterdir()) == sorted(
        [*found.summary.files, "summary.json"]
    )


def test_a_vertical_that_turns_is_noted(tmp_path: Path) -> None:
    """Twelve seconds upright, and twelve with the image turned by a quarter."""
    one = track(frames=600, start=(160, 100))
    keypoints = one.keypoints_px.copy()
    keypoints[:, :, 0] -= 2 * np.arange(600)[:, None]  # on the spot
    middle = np.float32([160, 120])
    keypoints[300:] = ((keypoints[300:] - middle) @ np.float32([[0, 1], [-1, 0]])) + middle
    write_keypoints(tmp_path / "walk.npz", [replace(one, keypoints_px=keypoints)])
    found = predicted(tmp_path / "walk.npz", tmp_path / "out", replace(SETTINGS, format=("npz",)))
    assert any("the camera's vertical turns by" in note for note in found.summary.notes)
    with np.load(tmp_path / "out" / "walk.npz" / "poses.npz", allow_pickle=False) as poses:
        roll_deg = np.degrees(poses["tilt_rad"][:, 1])
    assert 60 < abs(roll_deg[-1] - roll_deg[0]) < 120
    still = replace(SETTINGS, camera_motion="still", format=("npz",))
    assert not any(
        "turns by" in note for note in predicted(tmp_path / "walk.npz", tmp_path / "out", still).summary.notes
    )


def test_a_full_disk_leaves_nothing(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_frames.pickle, "dump", full)
    with pytest.raises(BadOutput, match=r"walk\.mp4 can't be written: No space left on device"):
        predicted(video, video.parent / "out", SETTINGS)
    assert list((video.parent / "out").iterdir()) == []


def test_images_of_a_video_that_became_shorter_are_missed(video: Path) -> None:
    frames = [PoseFrame(at, at / 25, np.zeros((1, 1, 3), np.uint8), (), 0, NO_TIMES, 0.0) for at in (0, 7, FRAMES)]
    shown = kept_frames.with_images(frames, video, None)
    assert [read_index(next(shown).image) for _ in range(2)] == [0, 7]
    with pytest.raises(Exception, match=rf"had an image {FRAMES} when it was read first"):
        next(shown)


def test_what_is_kept_can_be_read_twice(tmp_path: Path) -> None:
    frame = PoseFrame(3, 0.12, np.ones((4, 6, 3), np.uint8), (), 2, NO_TIMES, 0.5, notes=("a",))
    with kept_frames.KeptFrames(tmp_path, SIZE) as kept:
        kept.add(frame)
        kept.add(replace(frame, index=4))
        assert [one.index for one in kept] == [one.index for one in kept] == [3, 4]
        (first, _) = kept
    assert (first.timestamp_s, first.detections, first.delay_s, first.notes) == (0.12, 2, 0.5, ("a",))
    assert first.image.shape == (SIZE[1], SIZE[0], 3)
