"""The humanoid of DeepMimic's motion clips: read from its URDF, moved by forward kinematics.

Peng et al., DeepMimic (SIGGRAPH 2018). Axes of the model and of its clips: x forward, y up, z right; at rest the
person stands upright with hanging arms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadMotion
from sdk.skeletons.joint_conversion import SPINE_FRACTION
from sdk.skeletons.skeleton import H36M16

URDF_SCALE = 4.0
"""Scale of pybullet's URDF: four times the size of the person. Its simulations load it with a scale of 1/4."""

_LEG_M = (0.6, 1.1)
"""Accepted range from hip to ankle. Outside of it the URDF has another scale."""

_CHANNELS = (
    ("root", 4),
    ("chest", 4),
    ("neck", 4),
    ("right_hip", 4),
    ("right_knee", 1),
    ("right_ankle", 4),
    ("right_shoulder", 4),
    ("right_elbow", 1),
    ("left_hip", 4),
    ("left_knee", 1),
    ("left_ankle", 4),
    ("left_shoulder", 4),
    ("left_elbow", 1),
)
"""Rotations of a frame, in order, with their count of numbers: a quaternion (w, x, y, z), or an angle in radians for a
hinge."""

ROTATED_JOINTS = tuple(name for name, _ in _CHANNELS)
ROTATION_NUMBERS = sum(width for _, width in _CHANNELS)


@dataclass(frozen=True)
class HumanoidModel:
    """Joints of the humanoid and where they are attached.

    Attributes:
        parent: Joint name to the name of its parent, parents first.
        offset_m: Joint name to its attachment in the parent's axes, (3,) metres.
        hinge_axis: Joint name to the axis of its hinge, (3,) unit, for knees and elbows.
        head_centre_m: Centre of the head sphere in the neck's axes, (3,) metres.
    """

    parent: dict[str, str]
    offset_m: dict[str, np.ndarray]
    hinge_axis: dict[str, np.ndarray]
    head_centre_m: np.ndarray


def read_humanoid(urdf: Path) -> HumanoidModel:
    """The humanoid of a pybullet URDF file.

    Raises:
        BadMotion: if the file is missing, is not the URDF of this humanoid, or has another scale.
    """
    try:
        # pybullet 3.2's file ends with a NUL byte, which is not XML.
        robot = ElementTree.fromstring(urdf.read_bytes().rstrip(b"\0"))
    except (OSError, ElementTree.ParseError) as error:
        raise BadMotion(f"the humanoid model {urdf} can't be read: {error}. Reinstall the package pybullet.") from error
    parent, offset, axis = {}, {}, {}
    try:
        for joint in robot.iter("joint"):
            name = joint.attrib["name"]
            parent[name] = _element(joint, "parent").attrib["link"]
            offset[name] = _vector(_element(joint, "origin"), "xyz") / URDF_SCALE
            if joint.attrib["type"] == "revolute":
                axis[name] = _vector(_element(joint, "axis"), "xyz")
        head = next(link for link in robot.iter("link") if link.attrib["name"] == "neck")
        centre = _vector(_element(head, "collision/origin"), "xyz") / URDF_SCALE
        leg_m = sum(float(np.linalg.norm(offset[name])) for name in ("right_knee", "right_ankle"))
        missing = [name for name, _ in _CHANNELS if name not in offset]
    except (KeyError, StopIteration, ValueError) as error:
        raise BadMotion(f"{urdf} is not the URDF of DeepMimic's humanoid: {error!r}.") from error
    if missing or not _LEG_M[0] < leg_m < _LEG_M[1]:
        raise BadMotion(
            f"{urdf} is not the humanoid these clips belong to: "
            + (
                f"joints {missing} are missing."
                if missing
                else f"its leg is {leg_m:.2f} m long at scale 1/{URDF_SCALE:g}."
            )
        )
    return HumanoidModel(parent, offset, axis, centre)


def _element(parent: ElementTree.Element, path: str) -> ElementTree.Element:
    found = parent.find(path)
    if found is None:
        raise ValueError(f"no <{path}> in {parent.attrib}")
    return found


def _vector(element: ElementTree.Element, attribute: str) -> np.ndarray:
    return np.array([float(number) for number in element.attrib[attribute].split()])


def rotations_to_quaternions(model: HumanoidModel, numbers: np.ndarray) -> Tensor:
    """The rotations of frames as unit quaternions.

    Args:
        model: The humanoid, for the axes of its hinges.
        numbers: (T, 40) frames without duration and root position.

    Returns:
        (T, 13, 4) float64, (x, y, z, w) as in roma, in the order of `ROTATED_JOINTS`.
    """
    import roma

    quaternions, start = [], 0
    values = torch.from_numpy(np.asarray(numbers, np.float64))
    for name, width in _CHANNELS:
        part = values[:, start : start + width]
        if width == 1:
            quaternions.append(roma.rotvec_to_unitquat(part * torch.from_numpy(model.hinge_axis[name])))
        else:
            # In some clips (backflip, roll) the length of quaternions differs from one by 0.5 percent.
            quaternions.append(roma.quat_normalize(roma.quat_wxyz_to_xyzw(part)))
        start += width
    return torch.stack(quaternions, 1)


def forward_kinematics(model: HumanoidModel, root_m: Tensor, quaternions: Tensor) -> Tensor:
    """H36M-16 positions from root positions and joint rotations.

    Args:
        model: The humanoid.
        root_m: (T, 3) metres.
        quaternions: (T, 13, 4) unit, (x, y, z, w), in the order of `ROTATED_JOINTS`.

    Returns:
        (T, 16, 3) metres in the clips' axes (y up).
    """
    import roma

    local = dict(zip(ROTATED_JOINTS, roma.unitquat_to_rotmat(quaternions).unbind(1), strict=True))
    position, rotation = {"root": root_m}, {"root": local["root"]}

    def attach(parent: str, offset_m: np.ndarray) -> Tensor:
        return position[parent] + rotation[parent] @ torch.from_numpy(offset_m)

    for name, parent in model.parent.items():
        if name != "root":
            position[name] = attach(parent, model.offset_m[name])
            rotation[name] = rotation[parent] @ local[name] if name in local else rotation[parent]
    pelvis = (position["left_hip"] + position["right_hip"]) / 2
    thorax = (position["left_shoulder"] + position["right_shoulder"]) / 2
    position |= {
        "pelvis": pelvis,
        "thorax": thorax,
        "spine": pelvis + SPINE_FRACTION * (thorax - pelvis),
        "head": attach("neck", model.head_centre_m),
    }
    return torch.stack([position[name] for name in H36M16.joints], 1)
