"""Scores a lifter by a protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol as Interface

import numpy as np
import torch

from sdk.errors import BadTarget
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import sample_windows, without_feet
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen
from sdk.skeletons.skeleton import H36M16
from training.evaluation.metrics import joint_errors, procrustes_aligned, scale_aligned
from training.protocols.labelled_sequence import LabelledSequence
from training.protocols.protocol import Pass, Protocol, ProtocolErrors

_WINDOWS_AT_ONCE = 4096
_POSES_AT_ONCE = 50_000
_MIRROR = list(H36M16.mirror)
_PELVIS, _THORAX = H36M16.index("pelvis"), H36M16.index("thorax")


class LiftsWindows(Interface):
    """What a protocol needs of a lifter: `sdk.Lifter`, or a network in training."""

    @property
    def metadata(self) -> LifterMetadata:
        """Frames in a window, frame rate, normalisation."""
        ...

    def lift_windows(self, windows: np.ndarray) -> np.ndarray:
        """(B, T, 16, 2) windows to (B, 16, 3) poses in metres."""
        ...


def score(lifter: LiftsWindows, sequences: Sequence[LabelledSequence], protocol: Protocol) -> ProtocolErrors:
    """Lift the sequences and compare them with their truth, as the protocol says.

    Args:
        lifter: The lifter.
        sequences: The protocol's part of its data set, in its order.
        protocol: The protocol.

    Raises:
        BadTarget: nothing is left to score, or the lifter takes keypoints that are normalised in another way.
    """
    predicted, truth, actions = lifted_and_true(lifter, sequences, protocol)
    errors = errors_of(predicted, truth, actions, protocol)
    if protocol.poses is None or protocol.windows != "end-to-end":
        return errors
    return dataclasses.replace(errors, expected=protocol.poses - 2 * lifter.metadata.window_reach)


def lifted_and_true(
    lifter: LiftsWindows, sequences: Sequence[LabelledSequence], protocol: Protocol
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `score` compares: (N, 16, 3) poses and truth, both root-relative metres, and the (N,) actions.

    Raises:
        BadTarget: as `score`.
    """
    if lifter.metadata.normalisation != protocol.normalisation:
        raise BadTarget(
            f"protocol {protocol.name} takes keypoints {protocol.normalisation}; this lifter takes "
            f"{lifter.metadata.normalisation} ones. Train one with --normalisation {protocol.normalisation}."
        )
    kept = [one.without_first(protocol.skipped.get(one.name, 0)) for one in sequences]
    if not kept:
        raise BadTarget(f"protocol {protocol.name}: there is no sequence of {protocol.dataset} to score.")
    lift = _lifted_end_to_end if protocol.windows == "end-to-end" else _lifted_padded
    predicted, rows = lift(lifter, kept, protocol)
    truth = np.concatenate([one.joints_m for one in kept])[rows]
    valid = np.concatenate([one.valid for one in kept])[rows]
    actions = np.concatenate([np.full(len(one), one.action, dtype=object) for one in kept])[rows]
    chosen = valid if protocol.frames == "valid" else np.ones(len(rows), bool)
    if not chosen.any():
        raise BadTarget(f"protocol {protocol.name}: none of {len(rows)} frames is to be scored.")
    root = H36M16.index(protocol.root)
    return (
        (predicted - predicted[:, [root]])[chosen],
        (truth - truth[:, [root]])[chosen],
        actions[chosen],
    )


def errors_of(predicted: np.ndarray, truth: np.ndarray, actions: np.ndarray, protocol: Protocol) -> ProtocolErrors:
    """The protocol's errors of poses.

    Args:
        predicted: (N, 16, 3) metres, root-relative.
        truth: (N, 16, 3) likewise.
        actions: (N,) what is done in each; only read where the protocol averages over actions.
        protocol: The protocol.
    """
    parts = [
        _errors_of_each(predicted[start : start + _POSES_AT_ONCE], truth[start : start + _POSES_AT_ONCE], protocol)
        for start in range(0, len(predicted), _POSES_AT_ONCE)
    ]
    of_each = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    groups = [np.ones(len(predicted), bool)]
    if protocol.average == "actions":
        groups = [actions == action for action in sorted(set(actions))]
    means = {name: float(np.mean([value[group].mean() for group in groups])) for name, value in of_each.items()}
    return ProtocolErrors(protocol.name, len(predicted), protocol.poses, **means)


def _errors_of_each(predicted: np.ndarray, truth: np.ndarray, protocol: Protocol) -> dict[str, np.ndarray]:
    scored = [H36M16.index(joint) for joint in protocol.scored]
    poses = torch.from_numpy(np.ascontiguousarray(predicted[:, scored], np.float64))
    answers = torch.from_numpy(np.ascontiguousarray(truth[:, scored], np.float64))
    distance = joint_errors(poses, answers)
    in_pck = distance[:, [protocol.scored.index(joint) for joint in protocol.pck_joints]]
    shares = [(in_pck < threshold).double().mean(1) for threshold in protocol.auc_thresholds_m]
    errors = {
        "mpjpe_mm": distance.mean(1) * 1000,
        "pa_mpjpe_mm": joint_errors(procrustes_aligned(poses, answers), answers).mean(1) * 1000,
        "n_mpjpe_mm": joint_errors(scale_aligned(poses, answers), answers).mean(1) * 1000,
        "pck_percent": (in_pck < protocol.pck_threshold_m).double().mean(1) * 100,
        "auc_percent": torch.stack(shares).mean(0) * 100,
    }
    return {name: values.numpy() for name, values in errors.items()}


def prepared(sequence: LabelledSequence, protocol: Protocol) -> np.ndarray:
    """The (T, 16, 2) keypoints of a sequence, normalised as the protocol says; portrait images as if padded."""
    if protocol.normalisation == "root-centred":
        return normalise_root_centred(np.asarray(sequence.keypoints_px, np.float32))
    return normalise_screen(sequence.keypoints_px, sequence.image_size)


def _lifted_padded(
    lifter: LiftsWindows, sequences: Sequence[LabelledSequence], protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    """Every frame of every sequence, in windows at the lifter's rate that end at the sequence's ends."""
    poses = []
    for sequence in sequences:
        rate_hz = sequence.frame_rate_hz if protocol.windows == "padded" else lifter.metadata.frame_rate_hz
        if rate_hz is None:
            if lifter.metadata.receptive_field > 1:
                raise BadTarget(
                    f"protocol {protocol.name}: nobody tells the frame rate of {sequence.name}: take a lifter of "
                    f"single frames, not of {lifter.metadata.receptive_field}."
                )
            rate_hz = lifter.metadata.frame_rate_hz
        keypoints, times = prepared(sequence, protocol), np.arange(len(sequence)) / rate_hz
        for start in range(0, len(times), _WINDOWS_AT_ONCE):
            at = times[start : start + _WINDOWS_AT_ONCE]
            # Only the frames that these windows need.
            low = max(0, np.searchsorted(times, at[0] - lifter.metadata.window_reach_s) - 2)
            high = np.searchsorted(times, at[-1] + lifter.metadata.window_reach_s) + 2
            windows = sample_windows(keypoints[low:high], times[low:high], at, lifter.metadata)
            poses.append(_lift(lifter, windows, protocol))
    return _scaled(np.concatenate(poses), protocol), np.arange(sum(map(len, sequences)))


def _lifted_end_to_end(
    lifter: LiftsWindows, sequences: Sequence[LabelledSequence], protocol: Protocol
) -> tuple[np.ndarray, np.ndarray]:
    """All frames with a whole window, of all sequences laid end to end; windows hold neighbours whatever the rate."""
    keypoints = np.concatenate([prepared(sequence, protocol) for sequence in sequences])
    reach = lifter.metadata.window_reach
    rows = np.arange(reach, len(keypoints) - reach)
    if not len(rows):
        raise BadTarget(f"protocol {protocol.name}: {len(keypoints)} frames are fewer than a window has.")
    around = np.arange(-reach, reach + 1)
    poses = []
    for start in range(0, len(rows), protocol.batch):
        batch = rows[start : start + protocol.batch]
        poses.append(_scaled(_lift(lifter, keypoints[batch[:, None] + around], protocol), protocol))
    return np.concatenate(poses), rows


def _lift(lifter: LiftsWindows, windows: np.ndarray, protocol: Protocol) -> np.ndarray:
    """(P, B, 16, 3): the poses of each pass, turned back."""
    return np.stack([_one_pass(lifter, windows, one) for one in protocol.passes]).swapaxes(0, 1)


def _one_pass(lifter: LiftsWindows, windows: np.ndarray, one: Pass) -> np.ndarray:
    if "reversed" in one:
        # A copy: a window of one frame would keep its negative stride, which torch refuses.
        windows = windows[:, ::-1].copy()
    if "flipped" not in one:
        return _bodies(lifter, windows)
    return flipped(_bodies(lifter, flipped(windows)))


def _bodies(lifter: LiftsWindows, windows: np.ndarray) -> np.ndarray:
    """(B, 16, 3) poses of (B, T, 16, 2) windows."""
    return lifter.lift_windows(without_feet(windows, lifter.metadata))[:, : len(H36M16)]


def flipped(joints: np.ndarray) -> np.ndarray:
    """(..., 16, 2 or 3) with x negated, and left and right joints exchanged."""
    mirrored = joints[..., _MIRROR, :].copy()
    mirrored[..., 0] *= -1
    return mirrored


def _scaled(passes: np.ndarray, protocol: Protocol) -> np.ndarray:
    """(B, P, 16, 3) passes to their means (B, 16, 3), each batch scaled by the torsos of its first pass."""
    if protocol.torso_m is None:
        return passes.mean(1)
    parts = []
    for start in range(0, len(passes), protocol.batch):
        batch = passes[start : start + protocol.batch]
        torso = np.linalg.norm(batch[:, 0, _PELVIS] - batch[:, 0, _THORAX], axis=-1).mean()
        parts.append(batch.mean(1) * (protocol.torso_m / torso))
    return np.concatenate(parts)
