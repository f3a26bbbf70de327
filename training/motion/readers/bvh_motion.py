"""Source motion from BVH files: common skeletons are converted to H36M-16 by their joint names."""

from __future__ import annotations

import re
import tempfile
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

_FARTHEST = 1e9
"""In any unit. The clip checks it in metres."""
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
        text, translations = split_translations(path.read_text(encoding="utf-8", errors="replace"))
        if translations:
            with tempfile.TemporaryDirectory() as folder:
                turning = Path(folder) / "turning.bvh"
                turning.write_text(text, encoding="utf-8")
                bvh = pybvh.read_bvh_file(turning, world_up=f"+{up}")
            nodes = _moved(bvh, translations)
        else:
            bvh = pybvh.read_bvh_file(path, world_up=f"+{up}")
            nodes = bvh.node_positions()
    except Exception as error:  # pybvh has no own error class: a damaged file raises anything
        raise BadMotion(f"not a readable BVH file: {type(error).__name__}: {error}") from error
    if not np.abs(nodes).max() < _FARTHEST:
        raise BadMotion(f"it has a position that is not finite, or {_FARTHEST:g} units and more from the origin.")
    joints = _to_h36m16(nodes, *_node_table(bvh))
    leg = leg_length(joints)
    unit = find_unit(leg)
    clip = MotionClip(name, to_z_up(joints * UNITS_M[unit], up).astype(np.float32), float(bvh.fps))
    return clip, f"{name}: unit taken as {unit} (hip to ankle {leg * UNITS_M[unit]:.2f} m), {up} up"


def split_translations(text: str) -> tuple[str, dict[int, np.ndarray]]:
    """Take the position channels of all joints but the root out of a BVH file: pybvh knows bones that turn only.

    Blender writes them for every joint that is not connected to its parent.

    Args:
        text: Of the file.

    Returns:
        The text without them, and for each such joint, counted from the root (0), its (T, 3) place in its parent's
        axes. A position channel replaces the joint's OFFSET in that axis; the others keep it.
    """
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.split()[:2] == ["Frame", "Time:"]), len(lines)) + 1
    joint, column, in_end_site = -1, 0, False
    offsets: dict[int, list[float]] = {}
    moving: dict[int, dict[str, int]] = {}
    for i, line in enumerate(lines[:start]):
        word, *rest = line.split() or [""]
        if word in ("ROOT", "JOINT"):
            joint += 1
        in_end_site = (in_end_site or word == "End") and word != "}"
        if word == "OFFSET" and not in_end_site:
            offsets[joint] = [float(value) for value in rest]
        if word == "CHANNELS":
            names = rest[1:]
            if joint > 0:
                moving[joint] = {
                    n[0].upper(): column + k for k, n in enumerate(names) if n.lower().endswith("position")
                }
                kept = [name for name in names if not name.lower().endswith("position")]
                lines[i] = f"CHANNELS {len(kept)} {' '.join(kept)}"
            column += len(names)
    moving = {joint: columns for joint, columns in moving.items() if columns}
    if not moving:
        return text, {}
    taken = {column for columns in moving.values() for column in columns.values()}
    rows = [line.split() for line in lines[start:] if line.strip()]
    places = {
        joint: np.array(
            [
                [float(row[columns[axis]]) if axis in columns else offsets[joint][k] for k, axis in enumerate("XYZ")]
                for row in rows
            ]
        )
        for joint, columns in moving.items()
    }
    turning = [" ".join(value for k, value in enumerate(row) if k not in taken) for row in rows]
    return "\n".join([*lines[:start], *turning, ""]), places


def _moved(bvh: Any, translations: dict[int, np.ndarray]) -> np.ndarray:
    """Positions of all nodes (T, N, 3) by forward kinematics, where some joints move against their parents."""
    root_pos, local = bvh.to_rotmat()
    place_of, turn_of = {}, {}
    joint = 0
    for node in bvh.nodes:
        parent = node.parent
        if parent is None:
            place_of[id(node)], turn_of[id(node)] = root_pos, local[:, 0]
        else:
            step = np.broadcast_to(np.asarray(node.offset, np.float64), root_pos.shape)
            if not node.is_end_site():
                joint += 1
                step = translations.get(joint, step)
                turn_of[id(node)] = turn_of[id(parent)] @ local[:, joint]
            place_of[id(node)] = place_of[id(parent)] + np.einsum("tij,tj->ti", turn_of[id(parent)], step)
    return np.stack([place_of[id(node)] for node in bvh.nodes], 1)


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
