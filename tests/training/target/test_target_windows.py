"""The target's sequences and windows: conversion, rate, padding at the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sdk.errors import BadTarget
from sdk.keypoint_files import KeypointTrack
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import prepare_keypoints, sample_windows
from sdk.skeletons.keypoint_normalisation import normalise_root_centred
from sdk.skeletons.skeleton import COCO17, H36M16
from training.target.target_windows import TargetSequence, TargetWindows, load_benchmark_sequences, target_sequences

SHARED = Path(__file__).parents[4] / "shared"


def track(times_s: np.ndarray, image_size: tuple[int, int] = (1920, 1080), seed: int = 0) -> KeypointTrack:
    random = np.random.default_rng(seed)
    frames = len(times_s)
    return KeypointTrack(
        "a.mp4#1",
        random.uniform(100, 900, (frames, 17, 2)).astype(np.float32),
        random.uniform(0.3, 1, (frames, 17)).astype(np.float32),
        times_s,
        np.arange(frames),
        "coco17",
        image_size,
        30.0,
    )


@pytest.mark.parametrize("normalisation", ["screen", "root-centred"])
@pytest.mark.parametrize("image_size", [(1920, 1080), (1080, 1920)])
def test_adaptation_sees_what_the_sdk_lifts(image_size: tuple[int, int], normalisation: str) -> None:
    metadata = LifterMetadata(normalisation=normalisation)  # type: ignore[arg-type]
    recorded = track(2.0 + np.cumsum(np.random.default_rng(1).uniform(0.02, 0.05, 60)), image_size)
    (sequence,) = target_sequences([recorded], metadata)
    assert sequence.name == "a.mp4#1"
    assert sequence.aspect == image_size[1] / image_size[0]
    windows = TargetWindows([sequence], 27).all_windows(1)
    prepared = prepare_keypoints(recorded.keypoints_px, image_size, "coco17", metadata)
    at_s = recorded.timestamps_s[0] + np.arange(len(windows)) / 25
    inside = slice(13, -13)  # at the end the SDK pads with the last frame, which need not lie on the grid
    expected = sample_windows(prepared, recorded.timestamps_s, at_s, metadata)[inside]
    assert len(expected) > 10
    # The SDK takes a frame within 0.1 ms as exact.
    np.testing.assert_allclose(windows.numpy()[inside], expected, atol=5e-3)
    if normalisation == "screen":
        assert np.abs(sequence.keypoints).max() <= 1


def test_motion_linear_in_time_stays_linear_at_25_hz() -> None:
    times = np.arange(61) / 60
    recorded = track(times)
    recorded.keypoints_px[:] = 960 + 480 * times[:, None, None].astype(np.float32)
    recorded.scores[:] = 0.5
    recorded.scores[:, COCO17.index("left_wrist")] = 0.25
    (sequence,) = target_sequences([recorded], LifterMetadata())
    assert sequence.keypoints.shape == (26, 16, 2)
    np.testing.assert_allclose(sequence.keypoints[:, 3, 0], 0.5 * np.arange(26) / 25, atol=1e-5)
    assert (sequence.scores[:, H36M16.index("left_wrist")] == 0.25).all()
    assert (sequence.scores[:, H36M16.index("right_wrist")] == 0.5).all()


def sequences() -> list[TargetSequence]:
    """Each coordinate says sequence and frame: 100 * sequence + frame."""
    made = []
    for number, frames in enumerate((40, 3, 17)):
        value = 100 * number + np.arange(frames, dtype=np.float32)
        keypoints = np.broadcast_to(value[:, None, None], (frames, 16, 2))
        made.append(TargetSequence(f"s{number}", keypoints, np.ones((frames, 16), np.float32), 0.5625))
    return made


def test_windows_repeat_the_edge_frame_and_never_leave_their_sequence() -> None:
    windows = TargetWindows(sequences(), 27)
    every = windows.all_windows(1)[:, :, 0, 0].numpy()
    assert every.shape == (60, 27)
    expected = [
        [100 * number + min(max(centre + k - 13, 0), len(sequence.keypoints) - 1) for k in range(27)]
        for number, sequence in enumerate(sequences())
        for centre in range(len(sequence.keypoints))
    ]
    np.testing.assert_array_equal(every, expected)


def test_a_step_starts_anew_in_each_sequence() -> None:
    windows = TargetWindows(sequences(), 27)
    middle = windows.all_windows(5)[:, 13, 0, 0]
    assert middle.tolist() == [*range(0, 40, 5), 100, *range(200, 217, 5)]
    assert windows.sequence[windows.centres(5)].tolist() == [0] * 8 + [1] + [2] * 4


def test_sampling_is_uniform_over_frames_and_the_seed_decides() -> None:
    windows = TargetWindows(sequences(), 27)
    middle = windows.sample(6000, torch.Generator().manual_seed(0))[:, 13, 0, 0]
    _, count = middle.unique(return_counts=True)
    assert len(count) == 60
    assert (count - 100).abs().max() < 50
    again = windows.sample(6000, torch.Generator().manual_seed(0))[:, 13, 0, 0]
    assert torch.equal(middle, again)


def test_half_of_the_windows_are_of_earlier_targets_however_long_these_are() -> None:
    short, *long = sequences()[1], *(sequences() * 5)
    windows = TargetWindows([short], 27, earlier=long)
    assert (len(windows), windows.earlier) == (303, 300)
    rows = windows.draw(4000, torch.Generator().manual_seed(0))
    of_new, of_earlier = rows[rows < 3], rows[rows >= 3]
    assert abs(len(of_new) - 2000) < 130  # four standard deviations
    assert of_new.unique().tolist() == [0, 1, 2]
    assert len(of_earlier.unique()) > 290
    plain = TargetWindows([short, *long], 27)
    assert torch.equal(windows.all_windows(1), plain.all_windows(1))
    assert (plain.draw(4000, torch.Generator().manual_seed(0)) < 3).sum() < 100


def test_a_target_without_sequences_is_refused() -> None:
    with pytest.raises(BadTarget, match="no keypoint sequences"):
        TargetWindows([], 27)
    with pytest.raises(BadTarget, match="'empty'"):
        TargetSequence("empty", np.zeros((0, 16, 2)), np.zeros((0, 16)), 1.0)


def test_the_benchmark_layout(tmp_path: Path) -> None:
    keypoints = np.random.default_rng(0).normal(size=(12, 16, 2)).astype(np.float32)
    facts = {"start": [0, 5], "length": [5, 7], "clip": ["01_01", "01_02"], "camera": [3, 10]}
    np.savez(tmp_path / "target.npz", keypoints=keypoints, aspect=0.5625, frame_rate_hz=25.0, **facts)
    first, second = load_benchmark_sequences(tmp_path / "target.npz")
    assert (first.name, second.name, second.aspect) == ("01_01@3", "01_02@10", 0.5625)
    np.testing.assert_array_equal(np.concatenate([first.keypoints, second.keypoints]), keypoints)
    centred, _ = load_benchmark_sequences(tmp_path / "target.npz", "root-centred")
    np.testing.assert_allclose(centred.keypoints, normalise_root_centred(keypoints[:5]), atol=1e-6)
    np.savez(tmp_path / "other.npz", keypoints=keypoints)
    with pytest.raises(BadTarget, match="start"):
        load_benchmark_sequences(tmp_path / "other.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"start": [0, 6]},
        {"start": [-1, 5]},
        {"length": [5, 0]},
        {"start": [0.0, 5.0]},
        {"start": [[0, 5]]},
        {"clip": ["01_01"]},
        {"camera": [3, 10, 4]},
        {"aspect": [0.5, 0.5, 0.5]},
        {"keypoints": np.zeros((12, 17, 2))},
        {"keypoints": np.full((12, 16, 2), "x")},
        {"keypoints": np.array([{}] * 12)},
        {"keypoints": np.full((12, 16, 2), np.nan)},
    ],
    ids=lambda changes: ", ".join(f"{name} {np.shape(value)}" for name, value in changes.items()),
)
def test_a_benchmark_file_that_does_not_fit_itself(tmp_path: Path, changes: dict[str, object]) -> None:
    arrays = {"keypoints": np.zeros((12, 16, 2)), "start": [0, 5], "length": [5, 7], "clip": ["a", "b"]}
    np.savez(tmp_path / "target.npz", **(arrays | {"camera": [3, 10], "aspect": 0.5625} | changes))  # type: ignore[arg-type]
    with pytest.raises(BadTarget, match=r"target\.npz"):
        load_benchmark_sequences(tmp_path / "target.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(BadTarget, match="single array"):
        load_benchmark_sequences(tmp_path / "array.npy")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_the_benchmark_file() -> None:
    loaded = load_benchmark_sequences(SHARED / "data" / "target_train_2d.npz")
    assert (len(loaded), sum(len(s.keypoints) for s in loaded)) == (364, 64_998)
    assert max(np.abs(s.keypoints).max() for s in loaded) < 1.5
