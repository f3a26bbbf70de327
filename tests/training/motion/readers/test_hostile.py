"""Damaged copies of files of source motion: one clear error, or valid clips; see `benchmarks.fuzzing`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fuzzing
from benchmarks.broken_files.motion_files import MOTION
from training.motion.readers.motion import load_motion


@pytest.mark.parametrize("name", MOTION)
def test_damaged_copies(name: str) -> None:
    write, read = MOTION[name]
    answers = fuzzing.fuzz(write, 60, seed=len(name), read=read)
    assert answers.failures == []
    assert answers.counts["refused"] > 0


def test_six_channels_are_the_same_motion(tmp_path: Path) -> None:
    (plain,) = load_motion(MOTION["motion BVH"][0](tmp_path))
    (tmp_path / "b").mkdir()
    (six,) = load_motion(MOTION["motion BVH, six channels"][0](tmp_path / "b"))
    assert abs(plain.joints_world_m - six.joints_world_m).max() < 1e-4
