"""Each format, written here by hand from its documentation, is recognised by its content and read."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import BadKeypoints, UnknownSkeleton
from sdk.keypoint_files import read_keypoints, save_tracks
from tests.sdk.stick_figures import SIZE, walk, write_video

FRAMES = 40
ONE = walk(FRAMES, (80, 60), (1.5, 0))
TWO = walk(FRAMES, (240, 90), (-1.5, 0), phase=2)
KNOWN: dict[str, Any] = {"image_size": SIZE, "frame_rate_hz": 25.0}


def flat(keypoints: np.ndarray, score: float = 0.9) -> list[float]:
    return np.concatenate([keypoints, np.full((len(keypoints), 1), score)], 1).ravel().tolist()


def write_alphapose(path: Path, people: list[tuple[np.ndarray, Any]], extension: str = ".jpg") -> Path:
    entries = []
    for frame in range(FRAMES):
        for keypoints, idx in people:
            entry = {"image_id": f"{frame}{extension}", "category_id": 1, "keypoints": flat(keypoints[frame], 3.1)}
            entries.append(entry | {"score": 2.9} | ({} if idx is None else {"idx": idx}))
    path.write_text(json.dumps(entries))
    return path


def write_openpose(folder: Path, people: list[np.ndarray], video: str = "clip") -> Path:
    folder.mkdir()
    for frame in range(len(people[0])):
        # NaN stands for a joint that was not found: 0, 0, 0 in the file.
        poses = [np.where(np.isnan(person[frame]).any(-1)[:, None], 0, with_score(person[frame])) for person in people]
        found = [{"person_id": [-1], "pose_keypoints_2d": pose.ravel().tolist()} for pose in poses]
        (folder / f"{video}_{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": found}))
    return folder


def with_score(keypoints: np.ndarray) -> np.ndarray:
    return np.concatenate([keypoints, np.full((len(keypoints), 1), 0.8)], 1)


def body25(coco: np.ndarray) -> np.ndarray:
    """COCO's joints where BODY_25 has them; feet a bit below the ankles."""
    of_coco = [0, -1, 6, 8, 10, 5, 7, 9, -2, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, 15, 15, 15, 16, 16, 16]
    made = np.stack([coco[:, max(j, 0)] for j in of_coco], 1)
    made[:, 1], made[:, 8] = coco[:, 5:7].mean(1), coco[:, 11:13].mean(1)
    made[:, 19:] += 3
    return made


def test_alphapose_with_numbers(tmp_path: Path) -> None:
    path = write_alphapose(tmp_path / "a.json", [(ONE, 1), (TWO, [7.0])])
    one, two = read_keypoints(path, **KNOWN)
    assert (one.name, two.name, one.skeleton, one.image_size) == ("a#1", "a#7", "coco17", SIZE)
    np.testing.assert_allclose(one.keypoints_px, ONE, atol=1e-3)
    np.testing.assert_allclose(two.keypoints_px, TWO, atol=1e-3)
    np.testing.assert_allclose(one.timestamps_s, np.arange(FRAMES) / 25)
    assert one.scores.max() == 1  # AlphaPose's go up to 6


def test_alphapose_without_numbers(tmp_path: Path) -> None:
    (one,) = read_keypoints(write_alphapose(tmp_path / "a.json", [(ONE, None)], ".png"), **KNOWN)
    np.testing.assert_allclose(one.keypoints_px, ONE, atol=1e-3)
    crossing = read_keypoints(write_alphapose(tmp_path / "b.json", [(ONE, None), (TWO, None)]), **KNOWN)
    assert len(crossing) == 2
    for track, truth in zip(crossing, (ONE, TWO), strict=True):
        np.testing.assert_allclose(track.keypoints_px, truth[track.frame_indices], atol=1e-3)


def test_halpe_joints_are_recognised_by_their_number(tmp_path: Path) -> None:
    halpe = np.concatenate([ONE, ONE[:, :9] + 1], 1)
    (track,) = read_keypoints(write_alphapose(tmp_path / "a.json", [(halpe, 1)]), **KNOWN)
    assert (track.skeleton, track.keypoints_px.shape) == ("halpe26", (FRAMES, 26, 2))
    with pytest.raises(BadKeypoints, match=r"20 joints.*17 \(coco17\)"):
        read_keypoints(write_alphapose(tmp_path / "b.json", [(halpe[:, :20], 1)]), **KNOWN)


def test_openpose_people_are_matched_and_missing_joints_interpolated(tmp_path: Path) -> None:
    one, two = body25(ONE), body25(TWO)
    hidden = one.copy()
    hidden[15:20, 4] = np.nan
    tracks = read_keypoints(write_openpose(tmp_path / "clip_json", [hidden, two]), **KNOWN)
    assert [track.skeleton for track in tracks] == ["body25", "body25"]
    for track, truth in zip(tracks, (one, two), strict=True):
        # Between frames the wrist moves on a sine: a line through five frames is not far off.
        np.testing.assert_allclose(track.keypoints_px, truth[track.frame_indices], atol=3)


def test_openpose_says_how_many_frames_it_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hidden = body25(ONE)
    hidden[20:26, 1:15] = np.nan
    (track,) = read_keypoints(write_openpose(tmp_path / "clip", [hidden]), **KNOWN)
    assert len(track) == FRAMES - 6
    assert "6 of 40 frames left out" in caplog.text


def test_size_and_rate_come_from_the_video_of_the_same_name(tmp_path: Path) -> None:
    path = write_alphapose(tmp_path / "a.json", [(ONE, 1)])
    with pytest.raises(BadKeypoints, match=r"--image-size 1920 1080 --fps 30"):
        read_keypoints(path)
    with pytest.raises(BadKeypoints, match=r"Give --fps 30 "):
        read_keypoints(path, image_size=SIZE)
    write_video(tmp_path / "a.mp4", [()] * 3, fps=50.0)
    (track,) = read_keypoints(path)
    assert (track.image_size, track.frame_rate_hz) == (SIZE, 50.0)
    write_video(tmp_path / "clip.mp4", [()] * 3, fps=20.0)
    (track,) = read_keypoints(write_openpose(tmp_path / "json", [body25(ONE)], video="clip"))
    assert (track.image_size, track.frame_rate_hz) == (SIZE, 20.0)


def videopose3d(path: Path, positions: Any, **metadata: Any) -> Path:
    about = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [[1, 3], [2, 4]], **metadata}
    np.savez_compressed(path, positions_2d=positions, metadata=about)
    return path


def test_videopose3d(tmp_path: Path) -> None:
    positions = {"ski.mp4": {"custom": [ONE, TWO.astype(np.float64)]}}
    path = videopose3d(tmp_path / "d.npz", positions, video_metadata={"ski.mp4": {"w": 320, "h": 240, "fps": 50}})
    one, two = read_keypoints(path)
    assert (one.name, two.name, one.frame_rate_hz) == ("d/ski.mp4/custom#1", "d/ski.mp4/custom#2", 50)
    np.testing.assert_allclose(one.keypoints_px, ONE)
    np.testing.assert_allclose(two.keypoints_px, TWO, atol=1e-4)
    assert len(read_keypoints(videopose3d(tmp_path / "e.npz", positions), **KNOWN)) == 2


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_videopose3d_of_every_pickle_protocol(tmp_path: Path, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pickle.dump
    monkeypatch.setattr(pickle, "dump", lambda value, file, **_: real(value, file, protocol=protocol))
    path = videopose3d(tmp_path / "d.npz", {"s": {"a": [ONE], "n": [ONE * np.float32(1)]}}, fps=np.float64(50))
    monkeypatch.undo()
    np.testing.assert_array_equal(read_keypoints(path, **KNOWN)[0].keypoints_px, ONE)


@pytest.mark.parametrize("names", [(b"numpy.core.", b"numpy._core."), (b"numpy._core.", b"numpy.core.")])
def test_videopose3d_of_either_numpy(tmp_path: Path, names: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(value: Any, file: Any, **_: Any) -> None:
        file.write(pickle.dumps(value, protocol=2).replace(*names))  # this protocol's names have no length prefix

    monkeypatch.setattr(pickle, "dump", dump)
    path = videopose3d(tmp_path / "d.npz", {"s": {"a": [ONE]}})
    monkeypatch.undo()
    np.testing.assert_array_equal(read_keypoints(path, **KNOWN)[0].keypoints_px, ONE)


class _Evil:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    "evil",
    [
        lambda mark: _Evil(os.mkdir, mark),
        lambda mark: _Evil(eval, f"__import__('os').mkdir({mark!r})"),
        lambda mark: _Evil(getattr, np.ndarray, "tolist"),
        lambda mark: _Evil(np.save, mark, 1),
        lambda mark: _Evil(np.load, mark),
    ],
)
def test_a_pickle_in_npz_runs_no_code(tmp_path: Path, evil: Any) -> None:
    mark = str(tmp_path / "ran")
    path = videopose3d(tmp_path / "d.npz", {"s": {"a": [ONE], "evil": evil(mark)}})
    with pytest.raises(BadKeypoints, match="pickle that is refused"):
        read_keypoints(path, **KNOWN)
    assert [file.name for file in tmp_path.iterdir()] == ["d.npz"]


def test_the_file_above_would_have_run_code(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = videopose3d(tmp_path / "d.npz", {"s": _Evil(os.mkdir, str(mark))})
    np.load(path, allow_pickle=True)["positions_2d"]
    assert mark.is_dir()


def test_simple_npz(tmp_path: Path) -> None:
    facts = {"image_size": SIZE, "skeleton": "coco17", "frame_rate_hz": 25.0}
    np.savez(tmp_path / "a.npz", keypoints=ONE, **facts)
    np.savez(tmp_path / "b.npz", keypoints=np.concatenate([ONE, np.full((FRAMES, 17, 1), 0.5)], 2), **facts)
    for name, score in (("a", 1.0), ("b", 0.5)):
        (track,) = read_keypoints(tmp_path / f"{name}.npz")
        assert (track.name, track.image_size, track.frame_rate_hz) == (f"{name}#1", SIZE, 25)
        np.testing.assert_allclose(track.keypoints_px, ONE)
        assert (track.scores == score).all()
    np.savez(tmp_path / "c.npz", keypoints=ONE)
    with pytest.raises(BadKeypoints, match="skeleton="):
        read_keypoints(tmp_path / "c.npz")
    with pytest.raises(BadKeypoints, match="--image-size"):
        read_keypoints(tmp_path / "c.npz", skeleton="coco17")
    assert len(read_keypoints(tmp_path / "c.npz", skeleton="coco17", **KNOWN)) == 1
    with pytest.raises(UnknownSkeleton, match="coco19"):
        read_keypoints(tmp_path / "c.npz", skeleton="coco19", **KNOWN)
    with pytest.raises(BadKeypoints, match=r"\(40, 17, 2\).*\(T, 25, 2 or 3\)"):
        read_keypoints(tmp_path / "c.npz", skeleton="body25", **KNOWN)


def test_saved_tracks_are_read_too(tmp_path: Path) -> None:
    tracks = read_keypoints(write_alphapose(tmp_path / "a.json", [(ONE, 1)]), **KNOWN)
    save_tracks(tmp_path / "t.npz", tracks)
    np.testing.assert_array_equal(read_keypoints(tmp_path / "t.npz")[0].keypoints_px, tracks[0].keypoints_px)


def test_a_nan_wrist_was_not_seen_and_normalised_coordinates_are_refused(tmp_path: Path) -> None:
    nan = ONE.copy()
    nan[3, 9, 0] = np.nan
    for write in (
        lambda keypoints: write_alphapose(tmp_path / "a.json", [(keypoints, 1)]),
        lambda keypoints: videopose3d(tmp_path / "a.npz", {"s": {"a": [keypoints]}}),
    ):
        (track,) = read_keypoints(write(nan), **KNOWN)
        np.testing.assert_allclose(track.keypoints_px[3, 9], ONE[[2, 4], 9].mean(0), atol=1e-3)
        assert track.scores[3, 9] == 0
        with pytest.raises(BadKeypoints, match="no pixels"):
            read_keypoints(write(ONE / 320), **KNOWN)


def test_an_unknown_file_says_what_was_tried(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"people": []}')
    with pytest.raises(
        BadKeypoints, match=r"(?s)OpenPose or Pose2Sim folder: not a folder.*AlphaPose JSON: 'people' is not a f"
    ):
        read_keypoints(tmp_path / "a.json")
    np.savez(tmp_path / "b.npz", poses=np.zeros(3))
    with pytest.raises(BadKeypoints, match=r"(?s)VideoPose3D npz: no array 'positions_2d', only poses.*keypoints npz"):
        read_keypoints(tmp_path / "b.npz")
    with pytest.raises(BadKeypoints, match="no such file"):
        read_keypoints(tmp_path / "c.json")
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "clip_000_keypoints.json").write_text('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}')
    with pytest.raises(BadKeypoints, match=r"1 joints.*25 \(body25\)"):
        read_keypoints(tmp_path / "clip", **KNOWN)
