"""Windows of source motion: where they lie, how fast they play, what happens at the edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import interp1d

from sdk.errors import BadMotion
from tests.training.motion.clips import moving_clip
from training.motion.motion_clip import MotionClip
from training.motion.source_windows import SourceWindows


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_each_window_plays_at_one_speed_within_the_range_and_stays_in_its_clip() -> None:
    # x is the time in seconds; the clips lie 100 apart, so a window that mixed two would jump.
    clips = [moving_clip("a", 200, 50, 0), moving_clip("b", 61, 30, 100)]
    windows = SourceWindows(clips, 27, (0.02, 0.08)).sample(400, seeded())
    assert windows.shape == (400, 27, 16, 3)
    x = windows[:, :, 0, 0].double().numpy()
    ends = np.where(x[:, :1] < 50, [[0.0, 199 / 50]], [[100, 100 + 60 / 30]])
    assert (x >= ends[:, :1] - 1e-5).all()
    assert (x <= ends[:, 1:] + 1e-5).all()
    steps = []
    for row, (low, high) in zip(x, ends, strict=True):
        inside = (row > low + 1e-4) & (row < high - 1e-4)
        steps.append(np.diff(row)[inside[1:] & inside[:-1]])
        # Outside, the edge frame is repeated: the window is a clamped line through its centre.
        line = row[13] + (np.arange(27) - 13) * np.median(steps[-1])
        np.testing.assert_allclose(row, line.clip(low, high), atol=2e-3)
    flat = np.array([s.mean() for s in steps])
    assert max(np.ptp(s) for s in steps) < 1e-4
    assert 0.02 <= flat.min() < 0.022
    assert 0.078 < flat.max() <= 0.08 + 1e-5
    np.testing.assert_allclose(np.quantile(flat, [0.25, 0.5, 0.75]), [0.035, 0.05, 0.065], atol=0.006)


def test_centres_are_uniform_over_the_frames_of_all_clips() -> None:
    clips = [moving_clip("a", 30, 50, 0), moving_clip("b", 90, 50, 100)]
    centre = SourceWindows(clips, 1, (0.04, 0.04)).sample(12_000, seeded())[:, 0, 0, 0].numpy()
    frame = np.where(centre < 50, centre * 50, 30 + (centre - 100) * 50).round().astype(int)
    count = np.bincount(frame, minlength=120)
    assert len(count) == 120
    assert abs(count - 100).max() < 5 * 10  # five standard deviations of 12000 draws over 120 frames


def test_frames_between_are_interpolated_as_scipy_does() -> None:
    random = np.random.default_rng(0)
    clip = MotionClip("a", random.normal(size=(40, 16, 3)).astype(np.float32), 50)
    # Time as the coordinate of one joint tells where each frame of a window was taken.
    clip.joints_world_m[:, 0, 0] = np.arange(40) / 50
    windows = SourceWindows([clip], 9, (0.013, 0.05)).sample(50, seeded(1)).numpy()
    oracle = interp1d(np.arange(40) / 50, clip.joints_world_m, axis=0)
    np.testing.assert_allclose(windows, oracle(windows[..., 0, 0].clip(0, 39 / 50)), atol=1e-4)


def test_the_seed_decides() -> None:
    source = SourceWindows([moving_clip("a", 100, 50, 0)], 27, (0.02, 0.08))
    torch.testing.assert_close(source.sample(5, seeded(3)), source.sample(5, seeded(3)), rtol=0, atol=0)
    assert not torch.equal(source.sample(5, seeded(3)), source.sample(5, seeded(4)))


def test_bad_arguments_are_named() -> None:
    with pytest.raises(BadMotion, match="no source motion"):
        SourceWindows([], 27, (0.02, 0.08))
    with pytest.raises(BadMotion, match=r"\(0.08, 0.02\)"):
        SourceWindows([moving_clip("a", 100, 50, 0)], 27, (0.08, 0.02))
