"""Places the joints of detectors on a body with known 3D: offsets from the joints of motion capture.

The joints of `cmu_mocap_h36m17.npz` are centres of rotation. Annotated joints lie on the skin, at the middle of what is
seen, or at parts of the head. Offsets are in metres for a person of 1.75 m, in the axes of pelvis, chest and head
(left, up, forward). They come from anthropometric means: half hip breadth at the trochanters 0.165, tragion 0.13 below
the crown and 0.07 from the middle, nose tip 0.11 in front of it. Annotators and people differ, so every clip draws its
own offsets.
"""

from __future__ import annotations

import numpy as np

from sdk.skeletons.skeleton import H36M17, SKELETONS

STATURE_OF_LEG = 1.75 / 0.84
"""Height divided by the length of thigh and shin in these data, for a person of 1.75 m."""
_LIMB_SPREAD_M = 0.010
_TRUNK_SPREAD_M = 0.015

# joint: frame, (left, up, forward) from the named joint; `left` is mirrored for right joints.
_OFFSETS: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "hip_of_side": ("pelvis", "hip", (0.035, 0.015, 0.0)),
    "shoulder_of_side": ("chest", "shoulder", (-0.010, -0.010, 0.0)),
    "ear_of_side": ("head", "head", (0.072, -0.040, 0.0)),
    "eye_of_side": ("head", "head", (0.032, -0.030, 0.085)),
    "mouth_of_side": ("head", "head", (0.025, -0.100, 0.090)),
    "nose": ("head", "head", (0.0, -0.060, 0.110)),
    "chin": ("head", "head", (0.0, -0.135, 0.080)),
    "forehead": ("head", "head", (0.0, 0.025, 0.085)),
    "head": ("head", "head", (0.0, 0.090, 0.0)),
}
_MIDDLES = {"hip": ("hip", 0.0), "mid_hip": ("hip", 0.0), "pelvis": ("hip", 0.02), "neck": ("shoulder", 0.03)}
_LIKE = {"big_toe": "ankle", "small_toe": "ankle", "heel": "ankle", "foot_index": "ankle", "pinky": "wrist",
         "index": "wrist", "thumb": "wrist", "eye_inner": "eye", "eye_outer": "eye"}  # fmt: skip
"""Joints that no 3D joint depends on get the position of another joint."""


def detector_joints(joints_m: np.ndarray, skeleton: str, random: np.random.Generator) -> np.ndarray:
    """The joints of a detector's skeleton on a clip.

    Args:
        joints_m: (T, 17, 3) metres, H36M-17 of motion capture: pelvis between the hips, nose at the head's centre, head
            8 to 10 cm under the crown.
        skeleton: Name of the skeleton.
        random: Draws the person and the annotators of this clip.

    Returns:
        (T, J, 3) metres in the same axes.
    """
    at = {name: joints_m[:, H36M17.index(name)] for name in H36M17.joints}
    frames = {
        "pelvis": _frame(at["left_hip"] - at["right_hip"], at["spine"] - at["pelvis"]),
        "chest": _frame(at["left_shoulder"] - at["right_shoulder"], at["thorax"] - at["spine"]),
        "head": _frame(at["left_shoulder"] - at["right_shoulder"], at["head"] - at["thorax"]),
    }
    legs = [
        np.linalg.norm(at[f"{side}_{a}"] - at[f"{side}_{b}"], axis=-1).mean()
        for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]  # fmt: skip
    scale = sum(legs) / 2 * STATURE_OF_LEG / 1.75
    drawn: dict[str, np.ndarray] = {}

    def place(joint: str) -> np.ndarray:
        side, part = joint.split("_", 1) if joint.startswith(("left_", "right_")) else ("", joint)
        part = _LIKE.get(part, part)
        if part in _MIDDLES and not side and not (part == "neck" and skeleton in ("body25", "coco18")):
            pair, up = _MIDDLES[part]
            middle = (place(f"left_{pair}") + place(f"right_{pair}")) / 2
            return middle + scale * (up + spread(part, _TRUNK_SPREAD_M)[1]) * frames["chest"][:, :, 1]
        if part in ("neck", "thorax"):  # OpenPose's neck is the middle of the shoulders
            up = 0.02 if part == "thorax" else 0.0
            return (place("left_shoulder") + place("right_shoulder")) / 2 + scale * up * frames["chest"][:, :, 1]
        key = f"{part}_of_side" if side else part
        if key not in _OFFSETS:
            return at[joint if not side else f"{side}_{part}"] + scale * spread(joint, _LIMB_SPREAD_M)
        frame, base, offset = _OFFSETS[key]
        local = np.array(offset) + spread(part, _TRUNK_SPREAD_M)
        if side == "right":
            local = local * (-1, 1, 1)
        start = at[f"{side}_{base}" if base in ("hip", "shoulder") else base]
        return start + scale * (frames[frame] @ local)

    def spread(name: str, size_m: float) -> np.ndarray:
        if name not in drawn:
            drawn[name] = random.normal(0, size_m, 3)
        return drawn[name]

    return np.stack([place(joint) for joint in SKELETONS[skeleton].joints], 1)


def _frame(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(T, 3, 3) axes of a part of the body; the columns are left, up, forward."""
    left = left / np.linalg.norm(left, axis=-1, keepdims=True)
    up = up - (up * left).sum(-1, keepdims=True) * left
    up = up / np.linalg.norm(up, axis=-1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], -1)
