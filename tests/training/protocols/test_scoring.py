from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadTarget
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from tests.training.protocols.made_up import POSE_M, FixedLifter, sequence
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.protocols.adaptpose_3dhp import PROTOCOL as ADAPTPOSE
from training.protocols.known import PROTOCOLS, UnknownProtocol, find_protocol
from training.protocols.mpi_inf_3dhp import PROTOCOL as ALL_FRAMES
from training.protocols.protocol import FOURTEEN_JOINTS, THRESHOLDS_M, Protocol
from training.protocols.scoring import errors_of, flipped, score
from training.reproduction.network_lifter import NetworkLifter

PLAIN = Protocol("plain", "for tests", "none")
STANDING = FixedLifter(lambda window: POSE_M)


def moved(joint: str, by_m: float) -> np.ndarray:
    pose = POSE_M.copy()
    pose[H36M16.index(joint), 2] += by_m
    return pose


def test_errors_of_one_moved_joint() -> None:
    """One wrist of 16 joints is 148 mm off, in one of two poses; the other pose is perfect."""
    predicted = np.stack([moved("left_wrist", 0.148), POSE_M])
    errors = errors_of(predicted, np.stack([POSE_M, POSE_M]), np.array(["", ""]), PLAIN)
    assert errors.mpjpe_mm == pytest.approx(148 / 16 / 2, abs=1e-3)
    assert errors.pck_percent == 100  # 148 mm is within 150 mm
    # Of the 31 thresholds 0, 5, ..., 150, the joint is within the last one only, and no distance is below 0: the
    # right joints count from 5 mm on.
    assert errors.auc_percent == pytest.approx(100 * (30 / 31 * 31 / 32 + 1 / 31 / 32), abs=1e-6)


def test_pck_counts_its_joints_only() -> None:
    protocol = dataclasses.replace(PLAIN, pck_joints=FOURTEEN_JOINTS)
    far = errors_of(moved("spine", 0.2)[None], POSE_M[None], np.array([""]), protocol)
    assert far.pck_percent == 100  # the spine is none of the 14
    far = errors_of(moved("head", 0.2)[None], POSE_M[None], np.array([""]), protocol)
    assert far.pck_percent == pytest.approx(100 * 13 / 14)
    assert far.mpjpe_mm == pytest.approx(200 / 16, abs=1e-3)


def test_scale_and_procrustes() -> None:
    """A pose a fifth too large and turned by 0.6 rad about the vertical."""
    turn = np.array([[np.cos(0.6), 0, np.sin(0.6)], [0, 1, 0], [-np.sin(0.6), 0, np.cos(0.6)]])
    larger = errors_of(POSE_M[None] * 1.2, POSE_M[None], np.array([""]), PLAIN)
    assert larger.mpjpe_mm == pytest.approx(np.linalg.norm(0.2 * POSE_M, axis=-1).mean() * 1000, rel=1e-5)
    assert larger.n_mpjpe_mm == pytest.approx(0, abs=1e-3)
    turned = errors_of((POSE_M @ turn.T)[None] * 1.2, POSE_M[None], np.array([""]), PLAIN)
    assert turned.n_mpjpe_mm > 30
    assert turned.pa_mpjpe_mm == pytest.approx(0, abs=1e-3)


def test_average_over_actions() -> None:
    """Three poses of one action at 16 mm of error, one of another at 0: 12 mm over poses, 8 over actions."""
    predicted = np.stack([moved("left_wrist", 0.256)] * 3 + [POSE_M])
    truth, actions = np.tile(POSE_M, (4, 1, 1)), np.array(["walk", "walk", "walk", "sit"], dtype=object)
    assert errors_of(predicted, truth, actions, PLAIN).mpjpe_mm == pytest.approx(12, abs=1e-3)
    by_action = dataclasses.replace(PLAIN, average="actions")
    assert errors_of(predicted, truth, actions, by_action).mpjpe_mm == pytest.approx(8, abs=1e-3)


def test_windows_end_at_cuts_and_hold_the_lifters_rate() -> None:
    """At 50 Hz a window of 3 frames at 25 Hz holds every second frame; at the ends the edge frame is repeated."""
    lifter = FixedLifter(lambda window: POSE_M, frames=3)
    score(lifter, [sequence("a", 6, rate_hz=50), sequence("b", 2, rate_hz=50)], PLAIN)
    pelvis = np.concatenate(lifter.seen)[:, :, 0, 0] * 1024
    assert pelvis.round(3).tolist() == [
        *([0, 0, 2], [0, 1, 3], [0, 2, 4], [1, 3, 5], [2, 4, 5], [3, 5, 5]),
        *([0, 0, 1], [0, 1, 1]),
    ]


def test_frames_that_count() -> None:
    every_third = dataclasses.replace(PLAIN, frames="valid")
    assert score(STANDING, [sequence("a", 10), sequence("b", 4)], every_third).poses == 4 + 2
    skipping = dataclasses.replace(PLAIN, skipped={"b": 3})
    assert score(STANDING, [sequence("a", 10), sequence("b", 4)], skipping).poses == 11
    nobody = dataclasses.replace(sequence("a", 2), valid=np.zeros(2, bool))
    with pytest.raises(BadTarget, match="none of 2 frames"):
        score(STANDING, [nobody], every_third)


def test_passes_turn_back_what_they_turned() -> None:
    """A lifter that answers the window itself: mirrored passes come back as they were, reversed ones show the past."""

    def echo(window: np.ndarray) -> np.ndarray:
        return np.concatenate([window[0], window[0, :, :1]], -1)  # the first frame's x, y, and x as depth

    one = sequence("a", 3)
    end_to_end = dataclasses.replace(PLAIN, windows="end-to-end")
    lifter = FixedLifter(echo, frames=3)
    first = (one.keypoints_px[0] - 1024) / 1024
    last = (one.keypoints_px[2] - 1024) / 1024
    from training.protocols.scoring import lifted_and_true

    for passes, frame in ((("plain",), first), (("flipped",), first), (("reversed",), last)):
        poses, _, _ = lifted_and_true(lifter, [one], dataclasses.replace(end_to_end, passes=passes))
        centred = frame - frame[:1]
        assert np.abs(poses[0, :, :2] - centred).max() < 1e-6
    assert np.array_equal(flipped(flipped(POSE_M)), POSE_M)


def test_single_frames_are_reversed_too() -> None:
    """torch takes no array with a negative stride, and numpy keeps it where there is one frame."""
    network = TemporalLifter((1, 1, 1), 8).eval()
    lifter = NetworkLifter(LifterCheckpoint(network, LifterMetadata(1)), torch.device("cpu"))
    plain = dataclasses.replace(PLAIN, windows="end-to-end")
    backwards = dataclasses.replace(plain, passes=("reversed",))
    assert score(lifter, [sequence("a", 4)], backwards) == score(lifter, [sequence("a", 4)], plain)


def test_of_a_lifter_with_feet_the_body_is_scored() -> None:
    """It sees no feet, and its four joints of feet do not count."""
    lifter = FixedLifter(lambda window: np.concatenate([POSE_M, np.full((4, 3), 9.0)]), frames=3)
    lifter.metadata = dataclasses.replace(lifter.metadata, skeleton="h36m20", input_channels=3)
    assert score(lifter, [sequence("a", 4)], PLAIN).mpjpe_mm == pytest.approx(0, abs=1e-3)
    seen = np.concatenate(lifter.seen)
    assert seen.shape == (4, 3, 20, 2)
    assert np.isnan(seen[:, :, 16:]).all()
    assert np.isfinite(seen[:, :, :16]).all()


def test_normalisation_is_the_protocols() -> None:
    with pytest.raises(BadTarget, match=r"protocol ski takes keypoints root-centred; this lifter takes screen ones"):
        score(STANDING, [sequence("a", 3)], PROTOCOLS["ski"])
    lifter = FixedLifter(lambda window: POSE_M, frames=1, normalisation="root-centred")
    score(lifter, [sequence("a", 3)], PROTOCOLS["ski"])
    seen = np.concatenate(lifter.seen)
    assert np.abs(seen[:, 0, 0]).max() == 0
    assert np.allclose((seen**2).sum((1, 2, 3)), 1, atol=1e-5)


def test_portrait_images_are_padded_to_squares() -> None:
    tall = dataclasses.replace(sequence("a", 1), image_size=(1080, 1920))
    tall.keypoints_px[:] = [1080, 1920]  # the corner of the image
    lifter = FixedLifter(lambda window: POSE_M, frames=1)
    score(lifter, [tall], PLAIN)
    assert np.allclose(lifter.seen[0][0, 0, 0], [1080 / 1920, 1])


def test_3dhp_and_adaptposes_own_scoring_differ_as_they_should() -> None:
    """The same lifter and frames. AdaptPose's own scoring drops frames and rescales; a body too small is no error."""
    small = FixedLifter(lambda window: POSE_M * 0.9)
    sequences = [sequence(f"TS{i}", 120) for i in range(1, 7)]
    plain, own = score(small, sequences, ALL_FRAMES), score(small, sequences, ADAPTPOSE)
    # 1. Frames: all; without 100 of TS3 and TS4 and 13 at both ends.
    assert (plain.poses, own.poses) == (720, 720 - 200 - 26)
    assert own.expected == 24_662
    single = FixedLifter(lambda window: POSE_M, frames=1)
    assert score(single, sequences, ADAPTPOSE).expected == 24_688
    # 2. Scale: the torso is 0.5 m long, so the truth is 0.52 / 0.5 too small for poses of a torso of 0.52 m.
    extent = np.linalg.norm(POSE_M, axis=-1).mean() * 1000
    assert plain.mpjpe_mm == pytest.approx(0.1 * extent, rel=1e-4)
    both_ways = (POSE_M + flipped(POSE_M)) / 2  # two of the four passes see a mirrored person, and answer the same
    expected = np.linalg.norm(both_ways * 0.52 / 0.5 - POSE_M, axis=-1).mean() * 1000
    assert own.mpjpe_mm == pytest.approx(expected, rel=1e-4)
    # 3. Windows: each of 120 ends at a cut there; here they cross it, and there are four passes.
    assert sum(map(len, small.seen)) == 720 + 4 * own.poses
    crossing = [window for batch in small.seen[6:] for window in batch if np.ptp(window[:, 0, 0]) * 1024 > 100]
    assert crossing
    assert not [window for batch in small.seen[:6] for window in batch if np.ptp(window[:, 0, 0]) * 1024 > 27]
    # 4. Joints: PCK of 14 and of 16.
    assert len(ALL_FRAMES.pck_joints) == 14
    assert len(ADAPTPOSE.pck_joints) == 16


def test_each_batch_has_a_scale_of_its_own() -> None:
    """The second batch's body is twice as large as the first's: after rescaling, both have the same torso."""
    protocol = dataclasses.replace(ADAPTPOSE, batch=50, skipped={}, passes=("plain",))
    lifter = FixedLifter(lambda window: POSE_M * (1 if window[1, 0, 0] * 1024 < 50.5 else 2), frames=3)
    errors = score(lifter, [sequence("TS1", 102)], protocol)
    expected = np.linalg.norm(POSE_M * (0.52 / 0.5 - 1), axis=-1).mean() * 1000
    assert errors.mpjpe_mm == pytest.approx(expected, rel=1e-4)
    whole = score(lifter, [sequence("TS1", 102)], dataclasses.replace(protocol, batch=100))
    assert whole.mpjpe_mm > errors.mpjpe_mm + 50


def test_protocols_by_name() -> None:
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())
    assert find_protocol("3dhp").poses == 24_888
    assert find_protocol("3dhp-valid").poses == 2929
    assert find_protocol("3dhp-adaptpose").poses == 24_688
    assert (THRESHOLDS_M[0], len(THRESHOLDS_M), THRESHOLDS_M[-1]) == (0, 31, 0.15)
    with pytest.raises(UnknownProtocol, match="3dhp-adaptpose"):
        find_protocol("3dhp-mine")


def test_sequences_check_themselves() -> None:
    one = sequence("a", 4)
    with pytest.raises(BadTarget, match=r"joints_m of 4 frames have shape \(3, 16, 3\)"):
        dataclasses.replace(one, joints_m=one.joints_m[:3])
    broken = one.joints_m.copy()
    broken[1, 2] = np.nan
    with pytest.raises(BadTarget, match="a: joints_m hold values that are not finite"):
        dataclasses.replace(one, joints_m=broken)
