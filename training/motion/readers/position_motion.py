"""Source motion from an .npz file of joint positions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.errors import BadMotion
from sdk.files.skipped import Skipped
from sdk.skeletons.skeleton import H36M16, H36M17
from training.files.array_file import DAMAGED, check_archive, silent_numpy
from training.motion.motion_clip import MotionClip
from training.motion.motion_units import LEG_M, UpAxis, leg_length, to_z_up
from training.motion.readers.rate_beside import FRAME_RATE_KEY, rate_beside

_WITHOUT_NOSE = [index for index, joint in enumerate(H36M17.joints) if joint in H36M16.joints]


def read_positions(
    path: Path, name: str, up: UpAxis, given_hz: float | None = None
) -> tuple[list[MotionClip], list[Skipped]]:
    """Read one array (T, 16 | 17, 3) for each clip: metres, H36M-16 or H36M-17.

    The frame rate is an array `frame_rate_hz` in the file, or it is `fps` or `frame_rate_hz` in a .json file of the
    same name in the same folder.

    Args:
        path: The .npz file.
        name: Clips are called `name/key`, or only `key` if the name is empty.
        up: Axis that points up in the file.
        given_hz: The frame rate, if neither file states it.

    Returns:
        The clips at the file's frame rate, and those that can't be used.

    Raises:
        BadMotion: if the file can't be read, or its frame rate is not known.
    """
    clips, skipped = [], []
    check_archive(path, BadMotion)
    try:
        with silent_numpy(), np.load(path, allow_pickle=False) as arrays:
            frame_rate_hz = _frame_rate(path, arrays, given_hz)
            for key in arrays.files:
                if key != FRAME_RATE_KEY:
                    clip_name = f"{name}/{key}" if name else key
                    try:
                        clips.append(_clip(clip_name, arrays[key], frame_rate_hz, up))
                    except (BadMotion, *DAMAGED) as error:
                        skipped.append(Skipped(clip_name, str(error)))
    except BadMotion:
        raise
    except DAMAGED as error:
        raise BadMotion(f"{path} can't be read as .npz: {error}") from error
    return clips, skipped


def _clip(name: str, positions: np.ndarray, frame_rate_hz: float, up: UpAxis) -> MotionClip:
    if not isinstance(positions, np.ndarray):  # numpy gives the bytes of what it does not know
        raise BadMotion("it is no array.")
    if positions.ndim != 3 or positions.shape[1] not in (len(H36M16), len(H36M17)) or positions.shape[2] != 3:
        raise BadMotion(f"shape {positions.shape} is not (frames, 16 or 17 joints of Human3.6M, 3).")
    if positions.shape[1] == len(H36M17):
        positions = positions[:, _WITHOUT_NOSE]
    clip = MotionClip(name, to_z_up(np.asarray(positions, np.float32), up), frame_rate_hz)
    leg_m = leg_length(clip.joints_world_m)
    if not LEG_M[0] <= leg_m <= LEG_M[1]:
        raise BadMotion(f"hip to ankle is {leg_m:.4g} m long: positions must be metres, joints in H36M order.")
    return clip


def _frame_rate(path: Path, arrays: np.lib.npyio.NpzFile, given_hz: float | None) -> float:
    if FRAME_RATE_KEY in arrays.files:
        try:
            return float(arrays[FRAME_RATE_KEY])
        except TypeError as error:
            raise BadMotion(f"{path}: {FRAME_RATE_KEY} must be one number: {error}.") from error
    rate = rate_beside(path)
    if rate is None:
        rate = given_hz
    if rate is not None:
        return rate
    raise BadMotion(
        f"{path} does not say its frame rate. Give it with --source-fps, add an array "
        f'{FRAME_RATE_KEY!r}, or write {{"fps": 50}} to {path.stem}.json beside it.'
    )
