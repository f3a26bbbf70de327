"""Facts that keypoints contradict are an error or a warning that names cause and option; right facts raise no doubt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.plausibility import find_doubts, haste_m_s2
from sdk.keypoint_files.reading import collect_keypoints
from sdk.keypoint_files.saved_tracks import save_tracks
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.skeleton import COCO17, H36M17, MEDIAPIPE33
from tests.sdk.stick_figures import SIZE, walk

FRAMES = 60
ONE = walk(FRAMES, (80, 60), (1.5, 0)).astype(np.float64)
WIDE = np.array(SIZE, np.float64)


def in_order(skeleton: Any, pose: np.ndarray) -> np.ndarray:
    """COCO's joints in another skeleton's order; what COCO lacks lies between others, as on a body."""
    place = {name: pose[:, joint] for joint, name in enumerate(COCO17.joints)}
    hips, shoulders = ((place[f"left_{part}"] + place[f"right_{part}"]) / 2 for part in ("hip", "shoulder"))
    crown = shoulders + 1.5 * (place["nose"] - shoulders)
    place |= {"pelvis": hips, "thorax": shoulders, "spine": (hips + shoulders) / 2, "head": crown}
    for name in skeleton.joints:
        side, _, part = name.partition("_")
        near = {"eye": "eye", "mouth": "eye", "pinky": "wrist", "index": "wrist", "thumb": "wrist", "heel": "ankle"}
        place.setdefault(name, place.get(f"{side}_{near.get(part.split('_')[0], 'ankle')}"))
    return np.stack([place[name] for name in skeleton.joints], 1)


def doubts(pose: np.ndarray, skeleton: str = "coco17", size: tuple[int, int] = SIZE, rate: float = 25.0) -> list[Any]:
    return find_doubts([pose], skeleton, size, rate, everybody=True)


@pytest.mark.parametrize("skeleton", [COCO17, H36M17, MEDIAPIPE33])
def test_right_facts_raise_no_doubt(skeleton: Any) -> None:
    pose = in_order(skeleton, ONE)
    pose[5:9, 9] = np.nan
    pose[20:30] = np.nan
    assert doubts(pose, skeleton.name) == []


@pytest.mark.parametrize(
    ("pose", "facts", "certain", "words"),
    [
        (np.stack([ONE[..., 0], 240 - ONE[..., 1]], -1), {}, False, "heads are below hips in 100%.*y = height - y"),
        (np.stack([ONE[..., 1], 320 - ONE[..., 0]], -1), {"size": (240, 320)}, False, "lie on one side.*unrotated"),
        (np.stack([ONE[..., 1], 320 - ONE[..., 0]], -1), {"size": (400, 200)}, True, "fit an image of 200x400.*unrot"),
        (ONE, {"size": (160, 120)}, False, "outside the image of 160x120.*--image-size"),
        (ONE * 0.4, {}, False, "upper left quarter.*--image-size"),
        (ONE - WIDE / 2, {}, True, "outside the image.*are they no pixels"),
        (ONE - ONE[:, 11:13].mean(1, keepdims=True), {}, True, "corner .* in all frames.*pose_landmarks"),
        (in_order(H36M17, ONE), {}, True, "in that of h36m17.*--skeleton h36m17"),
        (ONE, {"skeleton": "h36m17"}, True, "in that of coco17.*--skeleton coco17"),
        (ONE[:, np.random.default_rng(3).permutation(17)], {}, False, "not in the order of coco17.*reorder"),
        (ONE, {"rate": 0.04}, False, "0.04 frames per second.*milliseconds.*--fps"),
        (ONE, {"rate": 9_000.0}, False, "9000 frames per second.*milliseconds.*--fps"),
    ],
)  # fmt: skip
def test_wrong_facts(pose: np.ndarray, facts: dict[str, Any], certain: bool, words: str) -> None:
    first, *_ = doubts(pose, **facts)
    assert first.certain is certain
    with pytest.raises(BadKeypoints, match=f"(?s){words}"):
        raise BadKeypoints(first.message)


def test_a_frame_rate_too_high_by_two_where_people_jump() -> None:
    """A body of 0.5 m trunk that jumps all the time: its fall is gravity at 25 frames per second."""
    trunk_px = np.linalg.norm(ONE[0, 5:7].mean(0) - ONE[0, 11:13].mean(0))
    t = np.arange(FRAMES) / 25 % 0.8 - 0.4
    jumping = np.repeat(ONE[:1], FRAMES, 0)
    jumping[..., 1] += (9.81 / 2 * t**2 * trunk_px / 0.5)[:, None]
    assert doubts(jumping) == []
    (doubt,) = doubts(jumping, rate=50.0)
    assert "fall faster than gravity" in doubt.message
    assert "--fps" in doubt.message


def test_a_frame_rate_too_high_by_two_where_people_hurry() -> None:
    """A trunk of 0.5 m that sways by 0.3 m once a second, hands that swing by 0.5 m: (2 pi)^2 times as much in m/s2."""
    still = to_h36m16(ONE[:1], "coco17").astype(np.float64)
    trunk_px = np.linalg.norm(still[0, [10, 13]].mean(0) - still[0, [1, 4]].mean(0))
    t = np.arange(100) / 25
    hurrying = np.repeat(still, len(t), 0)
    hurrying[..., 0] += (0.3 * np.sin(2 * np.pi * t) * trunk_px / 0.5)[:, None]
    hurrying[:, [12, 15], 0] += (0.5 * np.cos(2 * np.pi * t) * trunk_px / 0.5)[:, None]
    expected = (2 * np.pi) ** 2 * np.sqrt(0.3 * 0.5)
    assert haste_m_s2([hurrying], "h36m16", 25.0) == pytest.approx(expected, rel=0.08)
    # Twice a second; parabolas over a quarter of a second smooth that.
    assert haste_m_s2([hurrying], "h36m16", 50.0) == pytest.approx(0.82 * 4 * expected, rel=0.02)
    assert np.isnan(haste_m_s2([hurrying[:20]], "h36m16", 25.0))
    assert doubts(hurrying, "h36m16") == []
    (doubt,) = doubts(hurrying, "h36m16", rate=50.0)
    assert "move trunk and hands faster than people do (accelerations of 50 m/s²)" in doubt.message
    hurrying[:, [12, 15]] = hurrying[:, [10, 13]] + (0, 20)  # the trunk alone is no reason
    assert doubts(hurrying, "h36m16", rate=50.0) == []


def test_files_are_looked_at(tmp_path: Path) -> None:
    def alphapose(pose: np.ndarray) -> Path:
        people = [
            {"image_id": f"{i}.jpg", "keypoints": np.column_stack([frame, np.full(17, 0.9)]).ravel().tolist()}
            for i, frame in enumerate(pose)
        ]
        (tmp_path / "a.json").write_text(json.dumps(people))
        return tmp_path / "a.json"

    known: dict[str, Any] = {"image_size": SIZE, "frame_rate_hz": 25.0}
    assert collect_keypoints(alphapose(ONE), **known).notes == ()
    with pytest.raises(BadKeypoints, match=r"a\.json: the joints .* in that of h36m17"):
        collect_keypoints(alphapose(in_order(H36M17, ONE)), **known)
    (note,) = collect_keypoints(alphapose(np.stack([ONE[..., 0], 240 - ONE[..., 1]], -1)), **known).notes
    assert "a.json: heads are below hips" in note
    wild = ONE / 320
    wild[0, 0, 0] = 300  # one point does not make fractions pixels
    with pytest.raises(BadKeypoints, match="Convert them to pixels"):
        collect_keypoints(alphapose(wild), **known)


def test_times_in_milliseconds(tmp_path: Path) -> None:
    scores = np.ones((FRAMES, 17), np.float32)
    for times, words in ((np.arange(FRAMES) * 40.0, "milliseconds"), (np.arange(FRAMES) / 50.0, "frame rate right")):
        track = KeypointTrack("a#1", ONE.astype(np.float32), scores, times, np.arange(FRAMES), "coco17", SIZE, 25.0)
        save_tracks(tmp_path / "a.npz", [track])
        (note,) = collect_keypoints(tmp_path / "a.npz").notes
        assert words in note
