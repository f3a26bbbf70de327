"""The known skeletons: joint names, parents, mirror pairs.

3D poses are `H36M16`, Human3.6M's joints without neck/nose (AdaptPose, section 6), or `H36M20`, the same with feet.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.errors import UnknownSkeleton


@dataclass(frozen=True)
class Skeleton:
    """An ordered set of named joints.

    Attributes:
        name: Name by which users choose it.
        joints: Joint names in array order, snake case, with a prefix for the side if there is one.
        bones: Pairs of joint indices (parent, child), for drawing. Only skeletons with `parents` must be a tree.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Array index of a joint name. Raises ValueError if there is no such joint."""
        return self.joints.index(joint)

    @property
    def parents(self) -> tuple[int, ...]:
        """Parent index of each joint, -1 for roots."""
        parent_of = {child: parent for parent, child in self.bones}
        return tuple(parent_of.get(joint, -1) for joint in range(len(self)))

    @property
    def mirror(self) -> tuple[int, ...]:
        """Index of each joint's left/right twin. A joint in the middle has its own index."""
        swapped = {"left_": "right_", "right_": "left_"}

        def twin(name: str) -> str:
            for side, other in swapped.items():
                if name.startswith(side):
                    return other + name.removeprefix(side)
            return name

        return tuple(self.joints.index(twin(name)) for name in self.joints)


def _skeleton(name: str, joints: str, bones: str) -> Skeleton:
    names = tuple(joints.split())
    pairs = tuple((names.index(a), names.index(b)) for a, b in (bone.split("-") for bone in bones.split()))
    return Skeleton(name, names, pairs)


_LEGS = (
    "pelvis-right_hip right_hip-right_knee right_knee-right_ankle "
    "pelvis-left_hip left_hip-left_knee left_knee-left_ankle"
)
_LIMBS = (
    "right_hip-right_knee right_knee-right_ankle left_hip-left_knee left_knee-left_ankle "
    "left_shoulder-left_elbow left_elbow-left_wrist right_shoulder-right_elbow right_elbow-right_wrist"
)
_ARMS_OF_THORAX = (
    "thorax-left_shoulder left_shoulder-left_elbow left_elbow-left_wrist "
    "thorax-right_shoulder right_shoulder-right_elbow right_elbow-right_wrist"
)
_COCO_TRUNK = (
    "nose-left_eye nose-right_eye left_eye-left_ear right_eye-right_ear "
    "left_shoulder-right_shoulder left_hip-right_hip left_shoulder-left_hip right_shoulder-right_hip"
)
_COCO_JOINTS = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
)
_FEET = (
    "left_ankle-left_big_toe left_ankle-left_small_toe left_ankle-left_heel "
    "right_ankle-right_big_toe right_ankle-right_small_toe right_ankle-right_heel"
)

H36M16 = _skeleton(
    "h36m16",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax head "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    f"{_LEGS} pelvis-spine spine-thorax thorax-head {_ARMS_OF_THORAX}",
)
H36M20 = _skeleton(
    "h36m20",
    f"{' '.join(H36M16.joints)} right_heel right_toe left_heel left_toe",
    f"{_LEGS} pelvis-spine spine-thorax thorax-head {_ARMS_OF_THORAX} "
    "right_ankle-right_heel right_ankle-right_toe left_ankle-left_heel left_ankle-left_toe",
)
"""H36M-16 with heels and the tips of the toes. The first 16 joints are those of `H36M16`."""
H36M17 = _skeleton(
    "h36m17",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax nose head "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    f"{_LEGS} pelvis-spine spine-thorax thorax-nose nose-head {_ARMS_OF_THORAX}",
)
COCO17 = _skeleton("coco17", _COCO_JOINTS, f"{_COCO_TRUNK} {_LIMBS}")
COCO23 = _skeleton(
    "coco23",
    f"{_COCO_JOINTS} left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    f"{_COCO_TRUNK} {_LIMBS} {_FEET}",
)
"""The first 23 joints of COCO-WholeBody: COCO's, and the feet."""
HALPE26 = _skeleton(
    "halpe26",
    f"{_COCO_JOINTS} head neck hip left_big_toe right_big_toe left_small_toe right_small_toe left_heel right_heel",
    f"head-neck neck-left_shoulder neck-right_shoulder neck-hip hip-left_hip hip-right_hip nose-head {_LIMBS} {_FEET}",
)
BODY25 = _skeleton(
    "body25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
    "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    "nose-neck neck-left_shoulder neck-right_shoulder neck-mid_hip mid_hip-left_hip mid_hip-right_hip "
    f"nose-left_eye nose-right_eye left_eye-left_ear right_eye-right_ear {_LIMBS} {_FEET}",
)
COCO18 = _skeleton(
    "coco18",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear",
    "nose-neck neck-left_shoulder neck-right_shoulder neck-left_hip neck-right_hip "
    f"nose-left_eye nose-right_eye left_eye-left_ear right_eye-right_ear {_LIMBS}",
)
MPII16 = _skeleton(
    "mpii16",
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax neck head "
    "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
    f"{_LEGS} pelvis-thorax thorax-neck neck-head {_ARMS_OF_THORAX}",
)
DEEPLABCUT14 = _skeleton(
    "deeplabcut14",  # full_human of DeepLabCut's model zoo
    "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow right_shoulder "
    "left_shoulder left_elbow left_wrist chin forehead",
    "chin-forehead chin-left_shoulder chin-right_shoulder left_shoulder-right_shoulder left_hip-right_hip "
    f"left_shoulder-left_hip right_shoulder-right_hip {_LIMBS}",
)
MEDIAPIPE33 = _skeleton(
    "mediapipe33",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "left_mouth right_mouth left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_pinky right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee right_knee "
    "left_ankle right_ankle left_heel right_heel left_foot_index right_foot_index",
    f"{_COCO_TRUNK} {_LIMBS} left_wrist-left_index right_wrist-right_index left_ankle-left_heel "
    "right_ankle-right_heel left_heel-left_foot_index right_heel-right_foot_index",
)

POSE_SKELETONS: dict[str, Skeleton] = {skeleton.name: skeleton for skeleton in (H36M16, H36M20)}
"""Skeletons of 3D poses. The first 16 joints of all are those of `H36M16`."""
_BY_COUNT = {len(skeleton): skeleton for skeleton in POSE_SKELETONS.values()}


def pose_skeleton(joints: int) -> Skeleton:
    """The skeleton of poses with so many joints: 16, or 20 with feet.

    Raises:
        ValueError: no pose has so many.
    """
    if joints not in _BY_COUNT:
        raise ValueError(f"a pose has {' or '.join(map(str, _BY_COUNT))} joints, not {joints}.")
    return _BY_COUNT[joints]


SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (H36M16, H36M20, H36M17, COCO17, COCO23, HALPE26, BODY25, COCO18, MPII16, MEDIAPIPE33, DEEPLABCUT14)
}


def find_skeleton(name: str) -> Skeleton:
    """The skeleton of this name.

    Raises:
        UnknownSkeleton: there is no such skeleton; lists the known names.
    """
    if name not in SKELETONS:
        raise UnknownSkeleton(name, SKELETONS)
    return SKELETONS[name]
