"""Skeletons: mirror pairs, parents, names."""

import pytest

from sdk.errors import UnknownSkeleton
from sdk.skeletons.skeleton import H36M16, SKELETONS, find_skeleton

JOINTS = {
    "h36m16": 16, "h36m20": 20, "h36m17": 17, "coco17": 17, "halpe26": 26, "body25": 25, "coco18": 18, "mpii16": 16,
    "mediapipe33": 33, "deeplabcut14": 14, "coco23": 23,
}  # fmt: skip


@pytest.fixture(params=sorted(SKELETONS))
def skeleton(request):
    return SKELETONS[request.param]


def test_these_are_known_with_so_many_joints():
    assert {name: len(skeleton) for name, skeleton in SKELETONS.items()} == JOINTS


def test_names_are_unique(skeleton):
    assert len(set(skeleton.joints)) == len(skeleton)


def test_mirror_is_an_involution_that_swaps_sides(skeleton):
    mirror = skeleton.mirror
    assert [mirror[mirror[joint]] for joint in range(len(skeleton))] == list(range(len(skeleton)))
    for joint, twin in zip(skeleton.joints, (skeleton.joints[i] for i in mirror), strict=True):
        sides = {joint.partition("_")[0], twin.partition("_")[0]}
        assert sides == {"left", "right"} if joint.startswith(("left_", "right_")) else joint == twin


def test_bones_are_symmetric(skeleton):
    mirrored = {frozenset((skeleton.mirror[a], skeleton.mirror[b])) for a, b in skeleton.bones}
    assert mirrored == {frozenset(bone) for bone in skeleton.bones}


def test_bones_connect_every_joint_of_the_body(skeleton):
    """Face and finger points may hang free; a limb may not."""
    drawn = {joint for bone in skeleton.bones for joint in bone}
    for joint, name in enumerate(skeleton.joints):
        if name.rpartition("_")[2] in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
            assert joint in drawn, name


def test_h36m16_is_the_order_and_tree_of_the_paper():
    """Reference: 0 pelvis, right leg, left leg, spine, thorax, head, left arm, right arm."""
    assert H36M16.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)
    assert [H36M16.index(joint) for joint in ("pelvis", "right_ankle", "left_hip", "head")] == [0, 3, 4, 9]
    assert [H36M16.index(joint) for joint in ("left_shoulder", "right_wrist")] == [10, 15]


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(
        UnknownSkeleton,
        match=r"'coco19' is not a known skeleton\. Known: h36m16, h36m20, h36m17, coco17, coco23, halpe26",
    ):
        find_skeleton("coco19")
