"""Each part of the truth takes away the error that it stands for, and no other."""

import numpy as np
import roma
import torch

from benchmarks.real_detections import HIPS, JOINTS, View
from benchmarks.real_error_budget import Truth, as_h36m16, corrected, inputs, with_lengths
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.skeleton import COCO17, H36M16


def poses(frames=6, seed=0):
    joints = np.random.default_rng(seed).normal(size=(frames, 12, 3))
    return joints - joints[:, HIPS].mean(1, keepdims=True)


def turns(frames, seed=1):
    return roma.random_rotmat(frames, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).numpy()


def error(a, b):
    return np.linalg.norm(a - b, axis=-1).mean()


def test_a_size_and_a_turn_of_a_video_are_taken_away_by_their_own_rows():
    truth = poses()
    (turn,) = turns(1)
    larger, turned = corrected(truth * 1.2, truth), corrected(truth @ turn.T, truth)
    np.testing.assert_allclose(larger["one size per video"], truth, atol=1e-9)
    np.testing.assert_allclose(larger["the true lengths of bones"], truth, atol=1e-9)
    np.testing.assert_allclose(turned["one rotation per video"], truth, atol=1e-9)
    np.testing.assert_allclose(turned["one rotation per frame"], truth, atol=1e-9)
    assert error(larger["one rotation per frame"], truth) > 0.1
    assert error(turned["the true lengths of bones"], truth) > 0.1


def test_turns_of_frames_are_not_one_turn_of_the_video():
    truth = poses()
    turned = np.einsum("nij,nkj->nki", turns(len(truth)), truth)
    found = corrected(turned, truth)
    np.testing.assert_allclose(found["one rotation per frame"], truth, atol=1e-9)
    assert error(found["one rotation per video"], truth) > 0.1


def test_true_lengths_leave_directions_as_they_were():
    lifted, truth = poses(seed=2), poses(seed=3)
    result = with_lengths(lifted, truth)
    for a, b in (("left_hip", "left_knee"), ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow")):
        a, b = JOINTS.index(a), JOINTS.index(b)
        bone, was, wanted = (x[:, b] - x[:, a] for x in (result, lifted, truth))
        np.testing.assert_allclose(np.linalg.norm(bone, axis=-1), np.linalg.norm(wanted, axis=-1))
        np.testing.assert_allclose(
            bone / np.linalg.norm(bone, axis=-1, keepdims=True), was / np.linalg.norm(was, axis=-1, keepdims=True)
        )


def test_the_lifters_input_is_the_projected_truth():
    """Twelve joints of coco17 come out where the truth is; the others, and frames without a detection, stay."""
    joints = poses(4, seed=4) + np.array([0.2, 0.1, 6.0])
    matrix = np.array([[1000.0, 0, 640], [0, 1000, 360], [0, 0, 1]])
    truth = Truth(joints, np.tile([0.0, -0.1, 0.0], (4, 1)), matrix)
    keypoints = np.random.default_rng(5).uniform(0, 700, (4, 17, 3)).astype(np.float32)
    keypoints[..., 2] = 0.5
    keypoints[1, 3, 2] = 0.05
    keypoints[2] = np.nan
    view = View("take", "cam", keypoints, (1280, 720), "coco17", 25.0, np.arange(4), tuple(range(12)), joints, None)
    found = inputs(view, truth)
    pixels = joints @ matrix.T
    pixels = pixels[..., :2] / pixels[..., 2:]
    exact = found["the limbs' joints exact, through the table"][0]
    for i, joint in enumerate(JOINTS):
        np.testing.assert_allclose(exact[[0, 1, 3], COCO17.index(joint), :2], pixels[[0, 1, 3], i], rtol=1e-5)
    np.testing.assert_array_equal(exact[0, COCO17.index("nose")], keypoints[0, COCO17.index("nose")])
    assert np.isnan(exact[2]).all()
    low = found["without joints scored under 0.1"][0]
    assert np.argwhere(np.isnan(low[:2]).all(-1)).tolist() == [[1, 3]]
    whole, skeleton = found["exact as H36M-16"]
    converted = to_h36m16(whole, skeleton)[..., :2]
    np.testing.assert_allclose(
        converted[:, H36M16.index("left_wrist")], pixels[:, JOINTS.index("left_wrist")], rtol=1e-5
    )
    head = as_h36m16(truth)[:, H36M16.index("head")] - as_h36m16(truth)[:, H36M16.index("thorax")]
    np.testing.assert_allclose(head / np.linalg.norm(head, axis=-1, keepdims=True), np.tile([0, -1.0, 0], (4, 1)))
