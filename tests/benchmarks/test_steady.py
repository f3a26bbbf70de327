"""What sliding and jitter are measured by, on motion whose answer is known."""

import numpy as np
import pytest

from benchmarks.feet import Truth
from benchmarks.steady import errors, hidden, level, noisy
from sdk.skeletons.skeleton import H36M20


def standing(frames=100, contact=True):
    random = np.random.default_rng(0)
    pose = random.normal(0, 0.4, (20, 3))
    pose[0] = 0
    return Truth(
        keypoints=np.repeat(random.normal(0, 0.3, (1, 20, 2)), frames, 0).astype(np.float32),
        pose_m=np.repeat(pose[None], frames, 0).astype(np.float32),
        up=np.array([0.0, -0.8, -0.6]),
        contact=np.full((frames, 4), contact),
        root_m=np.tile(np.array([0, 0, 5], np.float32), (frames, 1)),
        focal=2.0,
        frame_rate_hz=25.0,
    )


def test_the_truth_has_no_error():
    assert max(values.mean() for values in errors(standing().pose_m, standing().root_m, standing()).values()) == 0


def test_who_glides_slides_and_only_while_standing():
    one = standing()
    roots = one.root_m + np.arange(100)[:, None] / 25 * np.array([0.3, 0.0, 0.4])
    found = errors(one.pose_m, roots, one)
    assert found["sliding, cm/s"].mean() == pytest.approx(50, rel=1e-3)
    assert found["tremble of the pelvis, mm/frame"].mean() == pytest.approx(20, rel=1e-3)
    assert found["joints, mm"].max() == 0
    assert len(errors(one.pose_m, roots, standing(contact=False))["sliding, cm/s"]) == 0


def test_level_axes_keep_distances_and_put_up_up():
    one = standing()
    turned = level(one)
    np.testing.assert_allclose(np.linalg.norm(turned.pose_m, axis=-1), np.linalg.norm(one.pose_m, axis=-1), rtol=1e-5)
    np.testing.assert_allclose(turned.pose_m @ [0, -1, 0], one.pose_m @ one.up, atol=1e-5)


def test_noise_has_its_size_and_half_of_it_lasts():
    one = standing(frames=4000)
    size = np.ptp(one.keypoints[0], axis=0).max()
    off = (noisy(one.keypoints, 0.02, np.random.default_rng(1)) - one.keypoints) / size
    assert off[:, H36M20.index("head")].std() == pytest.approx(0.02, rel=0.1)
    assert off[:, H36M20.index("left_wrist")].std() == pytest.approx(0.03, rel=0.1)
    quick = np.diff(off[:, H36M20.index("head")], axis=0).std() / 0.02
    assert quick == pytest.approx(np.sqrt(1 + (1 - np.exp(-1 / 5))), rel=0.1)


def test_a_limb_is_hidden_for_ten_frames_of_fifty():
    gone = np.isnan(hidden(standing(200).keypoints)).all(-1)
    assert gone.any(1).sum() == 40
    assert not gone[:, :7].any(1)[20:30].any()  # first the left arm
    assert gone[70:80, H36M20.index("left_toe")].all()
