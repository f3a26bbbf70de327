"""What is written is read back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fuzzing
from benchmarks.broken_files import samples
from sdk.errors import BadKeypoints, BadOutput
from sdk.keypoint_files import KeypointTrack, read_keypoints, write_keypoints


def tracks(skeleton: str, joints: int) -> list[KeypointTrack]:
    """Two people; the second from frame 3 on."""
    made = []
    for number, (offset, frames) in enumerate(((0, slice(0, 6)), (120, slice(3, 6))), 1):
        pose, index = samples.person(joints, offset)[frames].astype(np.float32), np.arange(6)[frames]
        made.append(
            KeypointTrack(
                f"clip#{number}", pose[..., :2], pose[..., 2], index / 25, index, skeleton, samples.SIZE, 25.0
            )
        )
    return made


@pytest.mark.parametrize("name", ["clip.json", "clip.npz"])
@pytest.mark.parametrize(("skeleton", "joints"), [("coco17", 17), ("halpe26", 26)])
def test_round_trip(tmp_path: Path, name: str, skeleton: str, joints: int) -> None:
    written = tracks(skeleton, joints)
    write_keypoints(tmp_path / name, written)
    for before, after in zip(written, read_keypoints(tmp_path / name, **fuzzing.KNOWN), strict=True):
        assert (after.name, after.skeleton) == (before.name, skeleton)
        for array in ("keypoints_px", "scores", "timestamps_s", "frame_indices"):
            np.testing.assert_array_equal(getattr(after, array), getattr(before, array))


def test_alphapose_by_hand(tmp_path: Path) -> None:
    """Fields as AlphaPose's docs/output.md has them, people in the order of the frames."""
    write_keypoints(tmp_path / "a.json", tracks("coco17", 17))
    people = json.loads((tmp_path / "a.json").read_text())
    assert [(p["image_id"], p["idx"]) for p in people[2:6]] == [("2.jpg", 1), ("3.jpg", 1), ("3.jpg", 2), ("4.jpg", 1)]
    pose = samples.person(17)[0]
    np.testing.assert_allclose(people[0]["keypoints"], pose.ravel(), rtol=1e-6)
    low, high = pose[:, :2].min(0), pose[:, :2].max(0)
    np.testing.assert_allclose(people[0]["box"], [*low, *(high - low)], rtol=1e-5)
    assert (people[0]["category_id"], round(people[0]["score"], 5)) == (1, 0.9)


def test_what_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadKeypoints, match=r"coco17 or halpe26, not body25"):
        write_keypoints(tmp_path / "a.json", tracks("body25", 25))
    write_keypoints(tmp_path / "a.npz", tracks("body25", 25))
    with pytest.raises(BadOutput, match=r"must end in \.npz"):
        write_keypoints(tmp_path / "a.txt", tracks("coco17", 17))
    with pytest.raises(BadOutput, match="no folder"):
        write_keypoints(tmp_path / "nowhere" / "a.json", tracks("coco17", 17))
