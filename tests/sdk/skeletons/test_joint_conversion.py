"""Joint tables: affine, hand-checked, and honest about scores."""

import json

import numpy as np
import pytest

from sdk.errors import BadKeypoints, UnknownSkeleton
from sdk.skeletons.joint_conversion import (
    FITTED_TABLES,
    anatomical_matrix,
    conversion_matrix,
    has_feet,
    to_h36m16,
    to_pose_joints,
)
from sdk.skeletons.skeleton import H36M16, H36M20, SKELETONS

NAMES = sorted(SKELETONS)


def named_pose(skeleton):
    """Every joint somewhere of its own, by name."""
    random = np.random.default_rng(7)
    keypoints = random.uniform(0, 1000, (len(SKELETONS[skeleton]), 2)).astype(np.float32)
    return keypoints, dict(zip(SKELETONS[skeleton].joints, keypoints.astype(np.float64), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_rows_sum_to_one(name):
    matrix = conversion_matrix(name)
    assert matrix.shape == (16, len(SKELETONS[name]))
    np.testing.assert_allclose(matrix.astype(np.float64).sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_commutes_with_affine_maps_of_the_image(name):
    keypoints, _ = named_pose(name)
    turn = 0.6
    linear = 1.7 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) + [[0.0, 0.3], [0.0, 0.0]]
    moved = keypoints @ linear.T + [120.0, -45.0]
    expected = to_h36m16(keypoints, name) @ linear.T + [120.0, -45.0]
    np.testing.assert_allclose(to_h36m16(moved, name), expected, atol=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_limbs_are_the_detectors_own_joints(name):
    keypoints, joint = named_pose(name)
    converted = to_h36m16(keypoints, name)
    for row, wanted in enumerate(H36M16.joints):
        if wanted.endswith(("knee", "ankle", "elbow", "wrist")):
            np.testing.assert_array_equal(converted[row], joint[wanted].astype(np.float32), err_msg=wanted)


def middle(joint, part):
    return (joint[f"left_{part}"] + joint[f"right_{part}"]) / 2


@pytest.mark.parametrize(
    ("name", "pelvis", "thorax", "head"),
    [
        ("h36m16", lambda j: j["pelvis"], lambda j: j["thorax"], lambda j: j["head"]),
        ("h36m17", lambda j: j["pelvis"], lambda j: j["thorax"], lambda j: j["head"]),
        *(
            (
                name,
                lambda j: middle(j, "hip"),
                lambda j: middle(j, "shoulder"),
                lambda j: middle(j, "shoulder") + 1.2 * (middle(j, "ear") - middle(j, "shoulder")),
            )
            for name in ("coco17", "mediapipe33")
        ),
        (
            "body25",
            lambda j: j["mid_hip"],
            lambda j: j["neck"],
            lambda j: j["neck"] + 1.2 * (middle(j, "ear") - j["neck"]),
        ),
        (
            "mpii16",
            lambda j: j["pelvis"],
            lambda j: middle(j, "shoulder"),
            lambda j: 0.28 * middle(j, "shoulder") + 0.72 * j["head"],
        ),
        ("deeplabcut14", lambda j: middle(j, "hip"), lambda j: middle(j, "shoulder"), lambda j: j["forehead"]),
        ("halpe26", lambda j: j["hip"], lambda j: j["neck"], lambda j: j["neck"] + 0.72 * (j["head"] - j["neck"])),
    ],
)  # fmt: skip
def test_middle_joints_by_hand(name, pelvis, thorax, head):
    keypoints, joint = named_pose(name)
    converted = dict(zip(H36M16.joints, anatomical_matrix(name) @ keypoints, strict=True))
    np.testing.assert_allclose(converted["pelvis"], pelvis(joint), atol=1e-3)
    np.testing.assert_allclose(converted["thorax"], thorax(joint), atol=1e-3)
    np.testing.assert_allclose(converted["head"], head(joint), atol=1e-3)
    spine = joint["spine"] if "spine" in joint else 0.58 * pelvis(joint) + 0.42 * thorax(joint)
    np.testing.assert_allclose(converted["spine"], spine, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_score_is_the_smallest_of_the_joints_that_went_in(name):
    random = np.random.default_rng(3)
    keypoints = random.uniform(0, 1, (4, len(SKELETONS[name]), 3)).astype(np.float32)
    converted = to_h36m16(keypoints, name)
    for row, weights in enumerate(conversion_matrix(name)):
        for frame in range(4):
            used = [keypoints[frame, j, 2] for j, weight in enumerate(weights) if weight != 0]
            assert converted[frame, row, 2] == min(used)


def test_a_low_ear_lowers_the_head_and_nothing_else():
    keypoints = np.ones((17, 3), np.float32)
    keypoints[SKELETONS["coco17"].index("left_ear"), 2] = 0.25
    scores = dict(zip(H36M16.joints, to_h36m16(keypoints, "coco17")[:, 2], strict=True))
    assert scores.pop("head") == 0.25
    assert set(scores.values()) == {1.0}


@pytest.mark.parametrize("shape", [(17, 2), (17, 3), (5, 17, 2), (2, 5, 17, 3), (0, 17, 2)])
def test_any_leading_shape(shape):
    converted = to_h36m16(np.zeros(shape), "coco17")
    assert converted.shape == (*shape[:-2], 16, shape[-1])
    assert converted.dtype == np.float32


def test_unknown_skeleton():
    with pytest.raises(UnknownSkeleton, match=r"'coco19' is not a known skeleton\. Known: .*coco17.*deeplabcut14\."):
        to_h36m16(np.zeros((17, 2)), "coco19")


@pytest.mark.parametrize("shape", [(16, 2), (18, 3), (17, 4), (17, 1), (17,), ()])
def test_wrong_shape_names_both(shape):
    with pytest.raises(BadKeypoints) as error:
        to_h36m16(np.zeros(shape), "coco17")
    assert "'coco17' have shape (..., 17, 2 or 3)" in str(error.value)
    assert str(shape) in str(error.value)


def test_a_missing_joint_is_missing_where_it_goes_in_and_nowhere_else():
    keypoints, _ = named_pose("coco17")
    whole = to_h36m16(keypoints, "coco17")
    keypoints[SKELETONS["coco17"].index("left_ear")] = np.nan
    converted = to_h36m16(keypoints, "coco17")
    head = H36M16.index("head")
    assert np.isnan(converted[head]).all()
    np.testing.assert_array_equal(np.delete(converted, head, 0), np.delete(whole, head, 0))


FITTED = json.loads(FITTED_TABLES.read_text())


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_table_says_what_it_costs_and_costs_less(name):
    errors = FITTED[name]["mpjpe_mm"]
    assert errors["exact"] < errors["fitted"] < errors["by hand"] < errors["naive"]


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_table_treats_both_sides_alike(name):
    """The fit does not know of sides; the body is symmetric."""
    matrix, skeleton = conversion_matrix(name), SKELETONS[name]
    mirrored = matrix[list(H36M16.mirror)][:, list(skeleton.mirror)]
    np.testing.assert_allclose(mirrored, matrix, atol=2e-4)


@pytest.mark.parametrize("name", FITTED)
def test_no_row_depends_on_face_feet_or_hands(name):
    """What is often hidden or missing must not take a hip with it."""
    for row, wanted in enumerate(H36M16.joints):
        used = [SKELETONS[name].joints[i] for i in np.flatnonzero(conversion_matrix(name)[row])]
        assert len(used) <= 9
        assert not [joint for joint in used if any(part in joint for part in ("eye", "toe", "heel", "nose", "index"))]
        if wanted not in ("head",):
            assert not [joint for joint in used if "ear" in joint], wanted


def test_every_layout_of_a_detector_has_a_fit():
    assert set(FITTED) == set(SKELETONS) - {"h36m16", "h36m20", "h36m17", "coco23"}


def test_the_body_of_coco_wholebody_is_that_of_coco():
    keypoints = np.random.default_rng(0).random((4, 23, 3)).astype(np.float32)
    np.testing.assert_array_equal(to_h36m16(keypoints, "coco23"), to_h36m16(keypoints[:, :17], "coco17"))


class TestFeet:
    """Heels and toes of the layouts that have them."""

    @pytest.mark.parametrize(
        ("skeleton", "toe"),
        [
            ("halpe26", {"left_big_toe": 2 / 3, "left_small_toe": 1 / 3}),
            ("body25", {"left_big_toe": 2 / 3, "left_small_toe": 1 / 3}),
            ("coco23", {"left_big_toe": 2 / 3, "left_small_toe": 1 / 3}),
            ("mediapipe33", {"left_foot_index": 1.0}),
        ],
    )
    def test_by_hand(self, skeleton, toe):
        layout = SKELETONS[skeleton]
        keypoints = np.random.default_rng(0).random((3, len(layout), 3)).astype(np.float32)
        joints = to_pose_joints(keypoints, skeleton, "h36m20")
        assert joints.shape == (3, 20, 3)
        np.testing.assert_array_equal(joints[:, :16], to_h36m16(keypoints, skeleton))
        wanted = sum(weight * keypoints[:, layout.index(name), :2] for name, weight in toe.items())
        np.testing.assert_allclose(joints[:, H36M20.index("left_toe"), :2], wanted, rtol=1e-6)
        heel = keypoints[:, layout.index("right_heel")]
        np.testing.assert_array_equal(joints[:, H36M20.index("right_heel")], heel)
        score = np.min([keypoints[:, layout.index(name), 2] for name in toe], 0)
        np.testing.assert_array_equal(joints[:, H36M20.index("left_toe"), 2], score)

    @pytest.mark.parametrize("skeleton", ["coco17", "h36m16", "mpii16"])
    def test_layouts_without_feet_have_unseen_ones(self, skeleton):
        keypoints = np.ones((2, len(SKELETONS[skeleton]), 3), np.float32)
        joints = to_pose_joints(keypoints, skeleton, "h36m20")
        assert np.isnan(joints[:, 16:, :2]).all()
        assert (joints[:, 16:, 2] == 0).all()
        assert np.isfinite(joints[:, :16]).all()
        assert not has_feet(skeleton)

    def test_of_sixteen_joints_nothing_is_added(self):
        keypoints = np.random.default_rng(0).random((2, 26, 2)).astype(np.float32)
        np.testing.assert_array_equal(to_pose_joints(keypoints, "halpe26", "h36m16"), to_h36m16(keypoints, "halpe26"))

    def test_an_unseen_toe_is_nan_and_leaves_the_rest(self):
        keypoints = np.ones((1, 26, 2), np.float32)
        keypoints[0, SKELETONS["halpe26"].index("left_small_toe")] = np.nan
        joints = to_pose_joints(keypoints, "halpe26", "h36m20")
        assert np.isnan(joints[0, H36M20.index("left_toe")]).all()
        assert np.isfinite(np.delete(joints[0], H36M20.index("left_toe"), 0)).all()
