"""Standing feet that tremble, by hand: held, with the leg's lengths and the foot's direction; eased; refused."""

from dataclasses import replace

import numpy as np
import pytest

from sdk.errors import MissingContact, MissingPlace
from sdk.results.processors.steady_feet import EASE_S, SteadyFeet
from sdk.results.processors.two_bone_leg import bend_leg
from sdk.results.processors.upright import Upright
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.sdk.writers.walking import REST, person, result, with_feet

STANDING = with_feet(np.array([REST[joint] for joint in H36M16.joints], np.float32) * [1, -1, -1])
ROOT = np.array([0.0, 0.0, 5.0], np.float32)
STANDS, SWINGS = np.full(4, 0.95, np.float32), np.array([0.05, 0.05, 0.95, 0.95], np.float32)
RIGHT = [H36M20.index(f"right_{joint}") for joint in ("ankle", "heel", "toe")]
LEGS = [H36M20.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("knee", "ankle", "heel", "toe")]
RATE = 25.0


def bent(joints=STANDING):
    """With both knees 3 cm before the line from hip to ankle, so that a leg can reach farther too."""
    joints = joints.copy()
    for side in ("right", "left"):
        joints[H36M20.index(f"{side}_knee")] += np.array([0, 0, -0.1])
    return joints.astype(np.float32)


def frames(poses, roots=None, contacts=None, rate=RATE, track_id=1):
    """Upright, placed results of one person."""
    for t, pose in enumerate(poses):
        one = replace(
            person(track_id, pose.astype(np.float32)),
            root_m=ROOT if roots is None else roots[t].astype(np.float32),
            contact=STANDS if contacts is None else contacts[t],
            floor_m=0.93,
        )
        yield replace(result(t, t / rate, one), tilt_rad=(0.0, 0.0))


def steadied(inputs):
    processor = SteadyFeet()
    people = [processor.process(frame).people[0] for frame in inputs]
    return np.stack([one.joints_m for one in people]), np.stack([one.root_m for one in people])


def trembling(count=75, seed=0, size=0.01):
    """Legs whose feet tremble as one piece, by some millimetres."""
    random = np.random.default_rng(seed)
    poses = np.repeat(bent()[None], count, 0)
    for side in ("right", "left"):
        moved = random.normal(0, size, (count, 3))
        for joint in ("ankle", "heel", "toe"):
            poses[:, H36M20.index(f"{side}_{joint}")] += moved
    return poses


def lengths(joints):
    return np.linalg.norm(joints[:, 1:] - joints[:, list(H36M20.parents[1:])], axis=-1)


def slid(joints, roots):
    """Mean speed of heels and toes in the room, m/s, once they have settled."""
    feet = (joints + roots[:, None])[25:, 16:]
    return np.linalg.norm(np.diff(feet, axis=0), axis=-1).mean() * RATE


class TestTwoBones:
    hip, knee, ankle = np.zeros(3), np.array([0.0, 0.44, -0.1]), np.array([0.0, 0.86, 0.0])

    def test_it_reaches_and_keeps_lengths(self):
        random = np.random.default_rng(0)
        for target in self.ankle + random.normal(0, 0.05, (50, 3)) - [0, 0.2, 0]:
            knee, ankle = bend_leg(self.hip, self.knee, self.ankle, target, np.array([0, 0, -1.0]))
            np.testing.assert_allclose(ankle, target, atol=1e-9)
            for a, b, c, d in ((self.hip, self.knee, self.hip, knee), (self.knee, self.ankle, knee, ankle)):
                assert np.linalg.norm(d - c) == pytest.approx(np.linalg.norm(b - a))
            assert knee[2] < (self.hip + ankle)[2] / 2  # the knee keeps its side: in front

    def test_by_hand(self):
        """A leg of 0.3 and 0.4 m, brought to 0.5 m: a right angle at the knee."""
        hip, knee, ankle = np.zeros(3), np.array([0, 0.3, 0.0]), np.array([0, 0.7, 0.0])
        bent_knee, reached = bend_leg(hip, knee, ankle, np.array([0, 0.5, 0.0]), np.array([0, 0, -1.0]))
        np.testing.assert_allclose(reached, [0, 0.5, 0])
        # 0.3^2 = along * 0.5; the straight knee bends forward.
        np.testing.assert_allclose(bent_knee, [0, 0.18, -0.24], atol=1e-12)

    def test_where_it_is_wanted_nothing_changes(self):
        knee, ankle = bend_leg(self.hip, self.knee, self.ankle, self.ankle.copy(), np.array([0, 0, -1.0]))
        assert (knee == self.knee).all()
        assert (ankle == self.ankle).all()

    def test_beyond_its_reach_it_is_straight(self):
        knee, ankle = bend_leg(self.hip, self.knee, self.ankle, np.array([0, 2.0, 0.0]), np.array([0, 0, -1.0]))
        whole = np.linalg.norm(self.knee) + np.linalg.norm(self.ankle - self.knee)
        np.testing.assert_allclose(ankle, [0, whole, 0], atol=1e-9)
        np.testing.assert_allclose(np.cross(knee, ankle), 0, atol=1e-7)


def test_standing_feet_are_at_rest():
    poses = trembling()
    joints, roots = steadied(frames(poses))
    still = np.repeat(ROOT[None], len(poses), 0)
    assert slid(poses, still) > 0.3
    assert slid(joints, roots) < 0.02
    # Nothing but legs has moved, no bone has another length, and feet point where they pointed.
    others = [j for j in range(20) if j not in LEGS]
    np.testing.assert_allclose(joints[:, others], poses[:, others], atol=1e-6)
    np.testing.assert_allclose(lengths(joints), lengths(poses), atol=2e-6)
    np.testing.assert_allclose(joints[:, 17] - joints[:, 16], poses[:, 17] - poses[:, 16], atol=2e-6)


def test_a_trembling_depth_moves_the_pelvis_not_the_legs():
    roots = np.repeat(ROOT[None], 75, 0)
    roots[:, 2] += np.random.default_rng(1).normal(0, 0.01, 75)
    poses = np.repeat(bent()[None], 75, 0)
    joints, placed = steadied(frames(poses, roots))
    assert slid(poses, roots) > 0.2
    assert slid(joints, placed) < 0.02
    assert np.diff(placed[25:, 2]).std() < 0.6 * np.diff(roots[25:, 2]).std()


def test_the_depth_of_a_walk_does_not_drift_away():
    """The lifted pelvis stays where it is, and standing feet creep: the pelvis is not carried off."""
    poses = np.repeat(bent()[None], 500, 0)
    poses[:, LEGS] += (np.arange(500) % 20 / 20 * 0.1)[:, None, None] * [0, 0, 1]
    contacts = np.where((np.arange(500) % 20 < 17)[:, None], STANDS, 1 - STANDS)
    _, placed = steadied(frames(poses, contacts=contacts))
    assert np.abs(placed - ROOT).max() < 0.2


def test_who_does_not_stand_is_left_alone():
    poses = trembling()
    joints, roots = steadied(frames(poses, contacts=[1 - STANDS] * len(poses)))
    np.testing.assert_allclose(joints, poses, atol=1e-6)
    np.testing.assert_array_equal(roots, np.repeat(ROOT[None], len(poses), 0))


def test_a_probability_that_wavers_does_not_switch():
    """Between the two thresholds nothing begins and nothing ends."""
    poses = trembling()
    wavering = [np.full(4, 0.95 if t < 5 else 0.45 + 0.1 * (t % 2), np.float32) for t in range(len(poses))]
    held, roots = steadied(frames(poses, contacts=wavering))
    assert slid(held, roots) < 0.02
    never = [np.full(4, 0.45 + 0.1 * (t % 2), np.float32) for t in range(len(poses))]
    np.testing.assert_allclose(steadied(frames(poses, contacts=never))[0], poses, atol=1e-6)


def test_a_foot_that_moves_is_not_held_whatever_is_told():
    poses = np.repeat(bent()[None], 50, 0)
    poses[:, RIGHT] += np.arange(50)[:, None, None] / RATE * 0.8 * np.array([1, 0, 0])  # swings at 0.8 m/s
    joints, _ = steadied(frames(poses))
    np.testing.assert_allclose(joints[25:, RIGHT], poses[25:, RIGHT], atol=0.02)


def test_a_foot_in_the_air_is_not_held_whatever_is_told():
    poses = trembling()
    poses[:, RIGHT] -= [0, 0.3, 0]
    joints, roots = steadied(frames(poses))
    shift = roots - ROOT
    np.testing.assert_allclose(joints[:, RIGHT] - poses[:, RIGHT], 0, atol=1e-5)
    assert np.abs(shift).max() < 0.03  # of the left foot, which stands


def test_a_foot_that_is_let_go_eases_back():
    """Pulled by 5 cm, it comes back by the stated time constant, without a jump."""
    poses = np.repeat(bent()[None], 60, 0)
    creep = np.clip(np.arange(60) - 10, 0, 20)[:, None, None] / 20 * 0.06 * np.array([1, 0, 0])
    poses[:, RIGHT] += creep
    contacts = [STANDS if t < 35 else SWINGS for t in range(60)]
    joints, roots = steadied(frames(poses, contacts=contacts))
    pull = (joints + roots[:, None] - poses - ROOT)[:, RIGHT[0], 0]
    assert pull[34] < -0.03
    assert np.abs(np.diff(pull[34:])).max() < 0.45 * abs(pull[34])
    after = round(3 * EASE_S * RATE) + 1
    assert abs(pull[34 + after]) < 0.06 * abs(pull[34])


def test_a_foot_is_never_pulled_far():
    poses = np.repeat(bent()[None], 200, 0)
    poses[:, RIGHT] += np.arange(200)[:, None, None] / RATE * 0.2 * np.array([1, 0, 0])  # creeps 1.6 m
    joints, _ = steadied(frames(poses))
    assert np.linalg.norm((joints - poses)[:, RIGHT], axis=-1).max() < 0.15 + 1e-6


def test_after_a_gap_nothing_is_held_from_before():
    first, later = list(frames(trembling())), list(frames(trembling(seed=1) + np.array([0.3, 0, 0])))
    processor = SteadyFeet()
    for frame in first:
        processor.process(frame)
    back = processor.process(replace(later[0], timestamp_s=first[-1].timestamp_s + 0.8))
    np.testing.assert_allclose(back.people[0].joints_m, later[0].people[0].joints_m, atol=1e-6)


def test_the_floor_stays_where_it_is():
    roots = ROOT + np.random.default_rng(2).normal(0, 0.01, (50, 3)) * [0, 0, 1] + [0, 1.0, 0]
    processor = SteadyFeet()
    for frame in frames(trembling(50), roots):
        before, (after,) = frame.people[0], processor.process(frame).people
        assert after.root_m[1] + after.floor_m == pytest.approx(before.root_m[1] + before.floor_m, abs=1e-6)


def test_what_it_needs():
    (frame,) = frames([bent()])
    someone = frame.people[0]
    with pytest.raises(MissingContact, match=r"Lifter\('feet'\)"):
        SteadyFeet().process(replace(frame, people=(replace(someone, contact=None),)))
    with pytest.raises(MissingPlace, match=r"put Upright\(\) before SteadyFeet\(\)"):
        SteadyFeet().process(replace(frame, tilt_rad=None))
    processor = SteadyFeet()
    nowhere = replace(frame, people=(replace(someone, root_m=None),))
    for t in range(24):
        processor.process(replace(nowhere, timestamp_s=t / RATE))
    with pytest.raises(MissingPlace, match="camera"):
        processor.process(replace(nowhere, timestamp_s=1.0))
    upright = Upright(np.array([0, -1.0, 0]))
    SteadyFeet().process(upright.process(replace(frame, tilt_rad=None)))  # as in a stream
