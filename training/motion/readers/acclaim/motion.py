"""Source motion from Acclaim files, as in the CMU database: a skeleton (.asf) and its motions (.amc)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip
from training.motion.motion_units import UNITS_M, UpAxis, find_unit, leg_length, to_z_up
from training.motion.readers.acclaim.files import skeleton_of
from training.motion.readers.acclaim.frames import AcclaimFrames, read_frames
from training.motion.readers.acclaim.skeleton import ROOT, AcclaimSkeleton, read_skeleton
from training.motion.readers.rate_beside import rate_beside

CMU_FRAME_RATE_HZ = 120.0
"""Frame rate of CMU's files. A few subjects have 60."""

_CMU_LENGTH, _CMU_UNIT = 0.45, "CMU units"
"""The length in `:units` of CMU's skeletons, and the unit that it means: 1 / 0.45 inch."""

_STARTS = {"hip": "femur", "knee": "tibia", "ankle": "foot", "shoulder": "humerus", "elbow": "radius", "wrist": "hand"}
"""The bone that starts at each joint. At the wrist it is `hand`: the bone `wrist` is the lower part of the forearm."""
_BACK_START, _HEAD = "upperback", "head"
"""`upperback` starts at our spine joint. `head` ends 8-10 cm below the crown, where our head joint is."""


def read_acclaim(path: Path, name: str, up: UpAxis, frame_rate_hz: float | None) -> tuple[MotionClip, str]:
    """Read an .amc file with the .asf file beside it.

    Args:
        path: The .amc file.
        name: Name of the clip.
        up: Axis that points up in the file.
        frame_rate_hz: Frame rate, if neither the file nor a .json file of the same name states it; None for CMU's.

    Returns:
        The clip in metres, and a sentence that names its skeleton, unit and frame rate, and why.

    Raises:
        BadMotion: if a file is missing, damaged or lacks a bone, or the skeleton does not have the size of a person.
    """
    skeleton_path = skeleton_of(path)
    skeleton = read_skeleton(skeleton_path)
    missing = [bone for bone in _bones_wanted() if bone not in skeleton.bones]
    if missing:
        raise BadMotion(
            f"{skeleton_path.name} has no {', '.join(missing)}. Bones must have the names that CMU's have; there are "
            f"{', '.join(skeleton.bones)}."
        )
    frames = read_frames(path, skeleton)
    joints = _to_h36m16(bone_ends(skeleton, frames), skeleton)
    leg = leg_length(joints)
    unit, why = _unit(skeleton_path, skeleton.length, leg)
    rate, said = _frame_rate(path, frames, frame_rate_hz)
    clip = MotionClip(name, to_z_up(joints * UNITS_M[unit], up).astype(np.float32), rate)
    return clip, (
        f"{name}: skeleton {skeleton_path.name}, unit taken as {unit}{why} (hip to ankle {leg * UNITS_M[unit]:.2f} m), "
        f"{up} up, {rate:g} frames a second {said}"
    )


def bone_ends(skeleton: AcclaimSkeleton, frames: AcclaimFrames) -> dict[str, np.ndarray]:
    """Position of the root and of the end of each bone, (T, 3) in the unit and axes of the files, by name."""
    root = dict(zip(skeleton.root_order, frames.values[ROOT].T, strict=True))
    turns = [dof for dof in skeleton.root_order if dof.startswith("r")]
    angles = np.stack([root[dof] for dof in turns], 1)
    # Lower case means fixed axes in scipy.
    turned = {ROOT: Rotation.from_euler("".join(dof[1] for dof in turns), angles, degrees=frames.degrees)}
    ends = {ROOT: np.stack([root["tx"], root["ty"], root["tz"]], 1)}
    for name, bone in skeleton.bones.items():
        turn = turned[bone.parent]
        if bone.dof:
            own = Rotation.from_euler(bone.dof, frames.values[name], degrees=frames.degrees)
            turn = turn * bone.axes * own * bone.axes.inv()
        turned[name] = turn
        ends[name] = ends[bone.parent] + turn.apply(bone.offset)
    return ends


def _bones_wanted() -> list[str]:
    return [*(f"{side}{bone}" for side in "rl" for bone in _STARTS.values()), _BACK_START, _HEAD]


def _to_h36m16(ends: dict[str, np.ndarray], skeleton: AcclaimSkeleton) -> np.ndarray:
    """Positions (T, 16, 3)."""

    def start(bone: str) -> np.ndarray:
        return ends[skeleton.bones[bone].parent]

    position = {
        f"{side}_{joint}": start(f"{side[0]}{bone}") for side in ("right", "left") for joint, bone in _STARTS.items()
    }
    position |= {
        "pelvis": (position["left_hip"] + position["right_hip"]) / 2,
        "thorax": (position["left_shoulder"] + position["right_shoulder"]) / 2,
        "spine": start(_BACK_START),
        "head": ends[_HEAD],
    }
    return np.stack([position[name] for name in H36M16.joints], 1)


def _unit(skeleton: Path, length: float, leg: float) -> tuple[str, str]:
    """The unit (a key of `UNITS_M`), and where it comes from; empty if from the length of the leg."""
    if length != _CMU_LENGTH:  # a factor to units that the format does not name
        return find_unit(leg), ""
    if find_unit(leg) != _CMU_UNIT:
        raise BadMotion(
            f"{skeleton.name} says ':units length {length:g}', which stands for {_CMU_UNIT}, but in these hip to ankle "
            f"is {leg * UNITS_M[_CMU_UNIT]:.2f} m. Put the right length there, or 1 to have the unit told from the leg."
        )
    return _CMU_UNIT, f" by its ':units length {length:g}'"


def _frame_rate(path: Path, frames: AcclaimFrames, given_hz: float | None) -> tuple[float, str]:
    """Frames per second, and where the number comes from."""
    if frames.frame_rate_hz is not None:
        return frames.frame_rate_hz, "as it says"
    beside = rate_beside(path)
    if beside is not None:
        return beside, "as the .json file beside it says"
    if given_hz is not None:
        return given_hz, "as given"
    return CMU_FRAME_RATE_HZ, f'assumed, CMU\'s rate (--source-fps or {{"fps": 60}} in {path.stem}.json says another)'
