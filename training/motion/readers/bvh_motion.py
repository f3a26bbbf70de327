"""Source motion from BVH files: common skeletons are converted to H36M-16 by their joint names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadMotion, MissingDependency
from sdk.skeletons.joint_conversion import HEAD_BELOW_CROWN, SPINE_FRACTION
from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip
from training.motion.motion_units import UNITS_M, UpAxis, find_unit, leg_length, to_z_up

_LIMB_NAMES = {
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "knee": ("knee", "lowerleg", "lowleg", "shin", "calf", "tibia", "leg"),
    "ankle": ("ankle", "foot"),
    # If there is an "Arm" (Mixamo, Vicon, CMU), "Shoulder" is the collar bone; else it is the shoulder itself.
    "shoulder": ("upperarm", "uparm", "humerus", "arm", "shoulder"),
    "elbow": ("elbow", "lowerarm", "lowarm", "forearm", "radius"),
    "wrist": ("wrist", "hand"),
}
"""Joint names of Mixamo, CMU (both BVH conversions), Vicon, LaFAN1, SMPL, Biovision and Blender. The first that exists
is used."""

_HEAD_TOP_NAMES = ("headtopend", "headtop", "headend", "headnub")


def read_bvh(path: Path, name: str, up: UpAxis) -> tuple[MotionClip, str]:
    """Read one BVH file.

    Args:
        path: The file.
        name: Name of the clip.
        up: Axis that points up in the file.

    Returns:
        The clip in metres at the file's frame rate, and a sentence that names the assumed unit, and why.

    Raises:
        BadMotion: if the file can't be read, lacks a joint, or has the size of a person in no known unit.
        MissingDependency: if pybvh is not installed.
    """
    try:
        import pybvh
    except ImportError as error:
        raise MissingDependency("pybvh", "train", "Reading BVH files") from error
    try:
        bvh = pybvh.read_bvh_file(path, world_up=f"+{up}")
        nodes = bvh.node_positions()
    except Exception as error:  # pybvh has no own error class: a damaged file raises anything
        raise BadMotion(f"not a readable BVH file: {type(error).__name__}: {error}") from error
    joints = _to_h36m16(nodes, *_node_table(bvh))
    leg = leg_length(joints)
    unit = find_unit(leg)
    clip = MotionClip(name, to_z_up(joints * UNITS_M[unit], up).astype(np.float32), float(bvh.fps))
    return clip, f"{name}: unit taken as {unit} (hip to ankle {leg * UNITS_M[unit]:.2f} m), {up} up"


def _plain(name: str) -> str:
    """A joint name without namespace, case and separators: `mixamorig:LeftArm` and `left_arm` are `leftarm`."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^(.*:|mixamorig\d*)", "", name).lower())


def _node_table(bvh: Any) -> tuple[dict[str, int], int]:
    """Index of the node of each limb joint, and of the crown."""
    found = {_plain(name): bvh.index(name, "node") for name in bvh.joint_names}
    table, missing = {}, []
    for side in ("right", "left"):
        for joint, parts in _LIMB_NAMES.items():
            names = [name for p in parts for name in (f"{side}{p}", f"{side[0]}{p}", f"{p}{side}", f"{p}{side[0]}")]
            index = next((found[name] for name in names if name in found), None)
            if index is None:
                missing.append(f"{side}_{joint} ({', '.join(side.title() + part.title() for part in parts)})")
            else:
                table[f"{side}_{joint}"] = index
    head = next((name for name in bvh.joint_names if _plain(name) == "head"), None)
    tip = bvh.joint_tips[head] if head else None
    crown = next((found[name] for name in _HEAD_TOP_NAMES if name in found), tip)
    if crown is None:
        missing.append("the top of the head (an End Site of Head, or HeadTop_End)")
    if missing or crown is None:
        raise BadMotion(f"joints not found: {'; '.join(missing)}. The file has: {', '.join(bvh.joint_names)}.")
    return table, crown


def _to_h36m16(nodes: np.ndarray, table: dict[str, int], crown: int) -> np.ndarray:
    """Positions (T, 16, 3) from those of all nodes (T, N, 3)."""
    position = {name: nodes[:, index] for name, index in table.items()}
    pelvis = (position["left_hip"] + position["right_hip"]) / 2
    thorax = (position["left_shoulder"] + position["right_shoulder"]) / 2
    position |= {
        "pelvis": pelvis,
        "thorax": thorax,
        "spine": pelvis + SPINE_FRACTION * (thorax - pelvis),
        "head": thorax + HEAD_BELOW_CROWN * (nodes[:, crown] - thorax),
    }
    return np.stack([position[name] for name in H36M16.joints], 1)
