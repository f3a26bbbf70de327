"""The protocol on files made by hand, whose errors are known without it."""

import json
import sys

import numpy as np
import pytest

from benchmarks import real_detections
from benchmarks.real_detections import (
    HIPS,
    JOINTS,
    MEASURED_AS,
    METRICS,
    frame_errors_mm,
    measure_detector,
    read_view,
    summary,
)
from sdk import Lifter
from sdk.errors import BadTarget
from sdk.skeletons.skeleton import H36M16

NAMES = ("Head", *(side + part for part in ("Foot", "Leg", "UpLeg", "Hand", "ForeArm", "Arm")
                   for side in ("Right", "Left")))  # fmt: skip
"""In another order than the protocol's, with a joint that it does not use."""


def write_view(folder, name="test_S1_walk_cam2", frames=11, good=None, detected=None, detector=None):
    """A flat person whose joint k stands k metres right of the first, wandering right; returns the truth as written."""
    truth = np.zeros((frames, len(NAMES), 3), np.float32)
    truth[..., 0] = np.arange(len(NAMES)) + np.arange(frames)[:, None] * 10
    truth[..., 1] = np.arange(len(NAMES)) ** 2 % 5
    truth[..., 2] = 4.0
    keypoints = np.random.default_rng(0).uniform(100, 500, (frames, 16, 3)).astype(np.float32)
    keypoints[..., 2] = 1
    extra = {} if detector is None else {"detector_joints_m": detector}
    np.savez(
        folder / f"{name}.npz",
        keypoints=keypoints, image_size=np.array([640, 480]), skeleton="h36m16", frame_rate_hz=25.0,
        detected=np.ones(frames, bool) if detected is None else detected,
        good=np.ones(frames, bool) if good is None else good,
        joints_camera_m=truth, joint_names=np.array(NAMES), **extra,
    )  # fmt: skip
    return truth


def halved(truth):
    """(T, 16, 3): a detector's 3D that has every joint half as far away."""
    own = np.zeros((len(truth), 16, 3), np.float32)
    for joint in JOINTS:
        side, part = joint.split("_")
        own[:, H36M16.index(joint)] = truth[:, NAMES.index(side.title() + MEASURED_AS[part])] / 2
    return own


def test_every_fifth_good_frame_counts_and_an_undetected_one_is_missing(tmp_path):
    good, detected = np.ones(11, bool), np.ones(11, bool)
    good[5], detected[3] = False, False
    write_view(tmp_path, good=good, detected=detected)
    view = read_view(tmp_path / "test_S1_walk_cam2.npz")
    assert (view.take, view.camera) == ("S1_walk", "cam2")
    assert view.frames.tolist() == [0, 10]
    assert np.isnan(view.keypoints[3]).all()
    assert np.isfinite(np.delete(view.keypoints, 3, 0)).all()


def test_the_truth_is_found_by_name_and_centred_between_the_hips(tmp_path):
    write_view(tmp_path)
    view = read_view(tmp_path / "test_S1_walk_cam2.npz")
    middle = (NAMES.index("LeftUpLeg") + NAMES.index("RightUpLeg")) / 2
    expected = {"left_wrist": "LeftHand", "right_elbow": "RightForeArm", "left_shoulder": "LeftArm",
                "right_knee": "RightLeg", "left_ankle": "LeftFoot", "right_hip": "RightUpLeg"}  # fmt: skip
    for joint, name in expected.items():
        np.testing.assert_allclose(view.truth_m[:, JOINTS.index(joint), 0], NAMES.index(name) - middle, atol=1e-5)
    np.testing.assert_allclose(view.truth_m[:, HIPS].mean(1), 0, atol=1e-5)


def test_errors_of_a_pose_that_was_scaled_and_of_one_that_was_turned():
    """Of a flat pose turned by t in its plane, the best scale is cos t, and what is left is sin t of each distance."""
    truth = np.zeros((1, 12, 3), np.float32)
    truth[0, :, :2] = np.random.default_rng(1).normal(size=(12, 2))
    truth -= truth[:, HIPS].mean(1, keepdims=True)
    reach = np.linalg.norm(truth, axis=-1)
    scaled = frame_errors_mm(truth * 1.25, truth)
    np.testing.assert_allclose(scaled[0], 250 * reach, rtol=1e-5)
    np.testing.assert_allclose(scaled[1:], 0, atol=1e-2)
    turn = np.array([[np.cos(0.6), -np.sin(0.6), 0], [np.sin(0.6), np.cos(0.6), 0], [0, 0, 1]], np.float32)
    turned = frame_errors_mm(truth @ turn.T, truth)
    np.testing.assert_allclose(turned[0], 2000 * np.sin(0.3) * reach, rtol=1e-4)
    np.testing.assert_allclose(turned[1], 0, atol=1e-2)
    np.testing.assert_allclose(turned[2], 1000 * np.sin(0.6) * reach, rtol=1e-4)


def test_frames_weigh_alike_in_every_mean(tmp_path):
    write_view(tmp_path, "test_S1_walk_cam2")
    write_view(tmp_path, "test_S1_run_cam3")
    views = [read_view(path) for path in sorted(tmp_path.glob("test_*.npz"))]
    errors = [np.full((3, 1, 12), 40.0), np.full((3, 3, 12), 80.0)]
    errors[1][:, :, JOINTS.index("left_wrist")] = 200.0
    rows = summary(views, errors)
    assert rows["all"]["frames"] == 4
    assert rows["all"]["MPJPE"] == pytest.approx((40 + 3 * 90) / 4)
    assert rows["S1_run"]["MPJPE"] == rows["cam3"]["MPJPE"] == pytest.approx(40)
    assert rows["S1_walk"]["PA-MPJPE"] == pytest.approx(90)
    assert rows["left_wrist"]["N-MPJPE"] == pytest.approx((40 + 3 * 200) / 4)
    assert rows["legs"]["MPJPE"] == pytest.approx((40 + 3 * 80) / 4)
    assert rows["arms"]["MPJPE"] == pytest.approx((40 + 3 * 100) / 4)


def test_the_detectors_own_3d_is_measured_where_it_detected(tmp_path):
    """It says half of everything, but for a frame that it did not detect, which holds zeros and is left out."""
    detected = np.ones(11, bool)
    detected[5] = False
    write_view(tmp_path, detected=detected, detector=halved(write_view(tmp_path)) * detected[:, None, None])
    view = read_view(tmp_path / "test_S1_walk_cam2.npz")
    found = measure_detector([view])["all"]
    assert found["frames"] == 2
    assert found["MPJPE"] == pytest.approx(500 * np.linalg.norm(view.truth_m[[0, 2]], axis=-1).mean(), rel=1e-5)
    assert found["PA-MPJPE"] == pytest.approx(0, abs=0.1)
    assert found["N-MPJPE"] == pytest.approx(0, abs=0.1)


def test_a_joint_that_the_truth_lacks_is_named(tmp_path):
    write_view(tmp_path)
    path = tmp_path / "test_S1_walk_cam2.npz"
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["joint_names"] = np.array(["Hip" if name == "LeftHand" else name for name in NAMES])
    np.savez(path, **arrays)
    with pytest.raises(BadTarget, match="LeftHand"):
        read_view(path)


def test_the_command_writes_what_the_lifter_says_by_the_protocol(tmp_path, monkeypatch, capsys):
    write_view(tmp_path, detector=halved(write_view(tmp_path)))
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["real_detections", "--data", str(tmp_path), "--model", "fast", "--out", str(out)])
    real_detections.main()
    written = json.loads((out / "errors.json").read_text())["errors"]
    view = read_view(tmp_path / "test_S1_walk_cam2.npz")
    poses = real_detections.Lifter("fast")(view.keypoints, (640, 480), "h36m16", 25.0)[[0, 5, 10]]
    poses = poses[:, [H36M16.index(joint) for joint in JOINTS]]
    poses -= poses[:, HIPS].mean(1, keepdims=True)
    expected = 1000 * np.linalg.norm(poses - view.truth_m, axis=-1).mean()
    assert written["fast"]["all"]["MPJPE"] == pytest.approx(expected, rel=1e-4)
    assert written["fast"]["all"]["frames"] == 3
    assert set(written["the detector's own 3D"]["all"]) == {"frames", *METRICS}
    assert "| left_wrist |" in capsys.readouterr().out


def test_the_adaptation_is_told_what_the_command_is_told(tmp_path, monkeypatch):
    """It sees the adapt_ files and no other, and its run is measured in its recipe's name."""
    write_view(tmp_path)
    write_view(tmp_path, "adapt_S1_run_cam3")
    told = []
    monkeypatch.setattr(real_detections, "adapt", told.append)
    fast = Lifter("fast", threads=1)
    monkeypatch.setattr(real_detections, "Lifter", lambda *_, **__: fast)
    out = tmp_path / "out"
    options = ["--recipe", "detections", "--height", "1.71", "--steps", "7", "--seed", "3"]
    arguments = ["--data", str(tmp_path), "--model", "fast", "--adapt", *options, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["real_detections", *arguments])
    real_detections.main()
    (settings,) = told
    assert [path.name for path in settings.target.iterdir()] == ["adapt_S1_run_cam3.npz"]
    assert (settings.recipe, settings.height, settings.steps, settings.seed) == ("detections", 1.71, 7, 3)
    assert "fast-detections-3" in json.loads((out / "errors.json").read_text())["errors"]
