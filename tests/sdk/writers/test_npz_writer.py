"""What is recorded is what is read back, and half a file never has the final name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sdk.drawing.video_writer import OverlayWriter
from sdk.errors import BadOutput
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.skeletons.skeleton import COCO17, H36M16
from sdk.video.source import open_video
from sdk.writers.npz_writer import PoseRecorder
from tests.sdk.stick_figures import SIZE, read_index, render

RNG = np.random.default_rng(0)


def person(track_id: int, status: LiftStatus) -> PersonPose:
    joints = RNG.normal(size=(16, 3)).astype(np.float32) if status is LiftStatus.LIFTED else None
    keypoints, scores = RNG.normal(size=(17, 2)).astype(np.float32), RNG.uniform(size=17).astype(np.float32)
    return PersonPose(track_id, RNG.normal(size=4).astype(np.float32), keypoints, scores, status, joints)


def frame(index: int, *people: PersonPose) -> PoseFrame:
    return PoseFrame(index, index / 25, render(index, []), people, len(people), StageTimes(0, 0, 0, 0), 0.5)


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_rows_come_back(tmp_path: Path) -> None:
    frames = [
        frame(0, person(1, LiftStatus.TOO_SHORT)),
        frame(1),
        frame(2, person(1, LiftStatus.LIFTED), person(7, LiftStatus.LIFTED)),
    ]
    with PoseRecorder(tmp_path / "poses.npz", COCO17, SIZE, 25.0) as recorder:
        for one in frames:
            recorder.write(one)
        assert not (tmp_path / "poses.npz").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["poses.npz"]
    arrays = load(tmp_path / "poses.npz")
    people = [p for one in frames for p in one.people]
    assert arrays["frame_index"].tolist() == [0, 2, 2]
    assert arrays["timestamp_s"].tolist() == [0, 0.08, 0.08]
    assert arrays["frame_timestamps_s"].tolist() == [0, 0.04, 0.08]
    assert arrays["track_id"].tolist() == [1, 1, 7]
    np.testing.assert_array_equal(arrays["keypoints_px"], [p.keypoints_px for p in people])
    np.testing.assert_array_equal(arrays["scores"], [p.scores for p in people])
    np.testing.assert_array_equal(arrays["boxes_px"], [p.box for p in people])
    assert np.isnan(arrays["joints_m"][0]).all()
    np.testing.assert_array_equal(arrays["joints_m"][1:], [p.joints_m for p in people[1:]])
    assert arrays["status_names"][arrays["status"]].tolist() == ["too short", "lifted", "lifted"]
    assert (str(arrays["skeleton"]), str(arrays["pose_skeleton"])) == ("coco17", "h36m16")
    assert tuple(arrays["joint_names"]) == COCO17.joints
    assert tuple(arrays["pose_joint_names"]) == H36M16.joints
    assert arrays["image_size"].tolist() == list(SIZE)
    assert float(arrays["frame_rate_hz"]) == 25
    assert "metres" in str(arrays["units"])
    assert bool(arrays["complete"])


def test_recording_without_people_is_a_file_too(tmp_path: Path) -> None:
    with PoseRecorder(tmp_path / "poses.npz", COCO17, SIZE, 25.0) as recorder:
        recorder.write(frame(0))
    arrays = load(tmp_path / "poses.npz")
    assert arrays["joints_m"].shape == (0, 16, 3)
    assert arrays["keypoints_px"].shape == (0, 17, 2)


def test_error_keeps_what_was_recorded_and_marks_it(tmp_path: Path) -> None:
    def record() -> None:
        with PoseRecorder(tmp_path / "poses.npz", COCO17, SIZE, 25.0) as recorder:
            recorder.write(frame(0, person(1, LiftStatus.LIFTED)))
            raise RuntimeError("the camera broke")

    with pytest.raises(RuntimeError, match="the camera broke"):
        record()
    arrays = load(tmp_path / "poses.npz")
    assert arrays["track_id"].tolist() == [1]
    assert not bool(arrays["complete"])


def test_full_disk_is_named_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "poses.npz").write_bytes(b"an older recording")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    recorder = PoseRecorder(tmp_path / "poses.npz", COCO17, SIZE, 25.0)
    recorder.write(frame(0, person(1, LiftStatus.LIFTED)))
    monkeypatch.setattr("sdk.writers.npz_writer._pack_column", full)
    with pytest.raises(BadOutput, match=r"poses.npz can't be written: No space left.* kept in .*\.rows. Free disk"):
        recorder.close()
    assert (tmp_path / "poses.npz").read_bytes() == b"an older recording"
    monkeypatch.undo()
    recorder.close()  # after making room
    assert load(tmp_path / "poses.npz")["track_id"].tolist() == [1]


def test_overlay_comes_back(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "o.mp4", 25.0) as writer:
        for index in range(20):
            writer.write(render(index, []), index / 25)
        assert not (tmp_path / "o.mp4").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]
    with open_video(tmp_path / "o.mp4") as video:
        assert (video.image_size, video.frame_rate_hz) == (SIZE, 25)
        assert [read_index(f.image) for f in video] == list(range(20))


def test_overlay_of_a_slow_camera_plays_at_the_speed_of_life(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "o.mp4", 20.0) as writer:
        for index in range(10):
            writer.write(render(index, []), 500 + index / 5)
    with open_video(tmp_path / "o.mp4") as video:
        shown = [read_index(f.image) for f in video]
    assert len(shown) == 37  # 9 intervals of 4 frames, and the first
    assert sorted(set(shown)) == list(range(10))


def test_overlay_that_is_interrupted_before_a_frame_is_counted_is_kept(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "o.mp4", 25.0) as writer:
        for index in range(5):
            writer.write(render(index, []), index / 25)
        writer.frames -= 1  # Ctrl-C came between the two
    with open_video(tmp_path / "o.mp4") as video:
        assert len(list(video)) == 5


def test_overlay_without_a_image_is_no_file(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "o.mp4", 25.0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_overlay_of_another_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "o.mp4", 25.0) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
        writer.write(np.full((96, 64, 3), 255, np.uint8), 0.04)
    with open_video(tmp_path / "o.mp4") as video:
        _, second = [frame.image for frame in video]
    assert second.shape == (48, 64, 3)
    assert second[:, 24:40].min() > 200
    assert second[:, :12].max() < 50
    assert second[:, 52:].max() < 50


def test_overlay_that_can_not_be_encoded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadOutput, match=r"o.mp4: OpenCV can't write"), OverlayWriter(tmp_path / "o.mp4", 0.0) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "suffix"),
    [(lambda p: PoseRecorder(p, COCO17, SIZE, 25.0), ".npz"), (lambda p: OverlayWriter(p, 25.0), ".mp4")],
)
def test_places_where_nothing_can_be_written(tmp_path: Path, make: Callable[[Path], object], suffix: str) -> None:
    with pytest.raises(BadOutput, match=f"name must end in {suffix}"):
        make(tmp_path / "a.txt")
    with pytest.raises(BadOutput, match="there is no folder"):
        make(tmp_path / "missing" / f"a{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(BadOutput, match="is a folder"):
        make(tmp_path / f"folder{suffix}")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_killed_process_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "poses.npz").write_bytes(b"an older recording")
    program = """
import os, signal, sys, numpy as np, sdk
recorder = sdk.PoseRecorder(sys.argv[1] + "/poses.npz", sdk.find_skeleton("coco17"), (64, 48), 25.0)
overlay = sdk.OverlayWriter(sys.argv[1] + "/o.mp4", 25.0)
image = np.zeros((48, 64, 3), np.uint8)
for index in range(20):
    overlay.write(image, index / 25)
    recorder.write(sdk.PoseFrame(index, index / 25, image, (), 0, sdk.StageTimes(0, 0, 0, 0), 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=root, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "poses.npz").read_bytes() == b"an older recording"
    assert not (tmp_path / "o.mp4").exists()
    left = [path for path in tmp_path.iterdir() if path.name != "poses.npz"]
    assert len(left) == 2
    assert all(path.name.startswith(".") for path in left)
    # A video of the recording's name leaves its rows alone; the next recording packs them.
    with OverlayWriter(tmp_path / "poses.mp4", 25.0) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    (tmp_path / "poses.mp4").unlink()
    with PoseRecorder(tmp_path / "poses.npz", COCO17, SIZE, 25.0), OverlayWriter(tmp_path / "o.mp4", 25.0) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.mp4", "poses.npz", "poses.recovered.npz"]


def killed(path: Path, frames: int) -> Path:
    """The rows that a killed process leaves, under the number of a process that is no more."""
    recorder = PoseRecorder(path, COCO17, SIZE, 25.0)
    for index in range(frames):
        recorder.write(frame(index, person(1, LiftStatus.LIFTED)))
    for file in recorder._files.values():
        file.flush()
    (rows,) = path.parent.glob(".*.rows")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = rows.with_name(rows.name.replace(f"-{os.getpid()}", f"-{gone.pid}"))
    assert left != rows
    shutil.copytree(rows, left)
    recorder.close()
    path.unlink()
    return left


@pytest.mark.parametrize("kept", [0, 200])
def test_rows_whose_description_is_cut_off_are_not_lost(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "poses.npz"
    left = killed(path, 3)
    (left / "about.npz").write_bytes((left / "about.npz").read_bytes()[:kept])
    with pytest.raises(BadOutput, match=rf"{left.name}.*about\.npz is damaged.*Move the folder away"):
        PoseRecorder(path, COCO17, SIZE, 25.0)
    assert load_rows(left) > 0
    shutil.rmtree(left)
    empty = killed(path, 0)  # killed before the first row: nothing to keep
    (empty / "about.npz").write_bytes(b"PK")
    PoseRecorder(path, COCO17, SIZE, 25.0).close()
    assert [one.name for one in tmp_path.iterdir()] == ["poses.npz"]


def load_rows(folder: Path) -> int:
    return (folder / "joints_m").stat().st_size
