"""Several videos of one person in a target: found, joined, and learned from."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from tests.training.matching.test_several_views import motion, seen
from training.adaptation.default_step import MatchedSource
from training.adaptation.lifter_teacher import Lesson
from training.adaptation.model_choice import FEWEST_TOLD, SelfConsistency, ToldPoses, told_of_held_out
from training.evaluation.metrics import mpjpe
from training.matching.shared_motion import SharedMotion, told_poses
from training.matching.target_motion import TargetMotion
from training.motion.body_variation import statures_m
from training.settings.method import RECIPES
from training.target.target_windows import TargetSequence, TargetWindows

TURNS = {"front#1": 0, "side#1": 80, "alone#1": 0, "back#1": 200}


class Lookup(nn.Module):
    """Lifts each window as its middle frame was once lifted."""

    def __init__(self, windows, poses_m, error_m=0.0):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(()))
        self.known, self.poses_m = windows.keypoints.flatten(1), poses_m + error_m

    def forward(self, shown):
        return self.poses_m[torch.cdist(shown[:, shown.shape[1] // 2].flatten(1), self.known).argmin(1)]


@pytest.fixture(scope="module")
def people():
    """Truth, lifted poses and target windows: three videos of one person, and one of another."""
    tracks = {name: seen(motion(int(name == "alone#1"), 300), turn, turn + 1) for name, turn in TURNS.items()}
    sequences = [
        TargetSequence(name, keypoints.numpy(), torch.ones(keypoints.shape[:2]).numpy(), 0.75, name)
        for name, (_, _, keypoints) in tracks.items()
    ]
    truth, lifted, _ = (torch.cat(one) for one in zip(*tracks.values(), strict=True))
    return truth, lifted, TargetWindows(sequences, 9), sequences


@pytest.fixture(scope="module")
def lifter(people):
    return Lookup(people[2], people[1]).eval()


@pytest.fixture
def target_motion(people, lifter):
    made = TargetMotion(people[2], (1.0, 1.0))
    made.shared.find(lifter)
    made.lift(lifter, torch.Generator().manual_seed(0))
    return made


def of_alone(rows):
    return (rows >= 600) & (rows < 900)


class TestFound:
    def test_the_videos_are_named(self, people, lifter):
        shared = SharedMotion(people[2])
        assert shared.videos == []
        shared.find(lifter)
        assert shared.videos == [["back", "front", "side"]]
        assert shared.views[2].tolist() == [-1, 0]

    def test_what_they_tell_is_nearer_the_truth(self, people, lifter):
        truth, lifted, windows, _ = people
        rows, poses = told_poses(lifter, windows)
        assert not of_alone(rows).any()
        assert len(rows) == 900
        assert mpjpe(poses, truth[rows]) < 0.6 * mpjpe(lifted[rows], truth[rows])

    def test_nothing_is_told_where_nothing_is_shared(self, people):
        _, lifted, _, sequences = people
        windows = TargetWindows(sequences[1:3], 9)
        rows, poses = told_poses(Lookup(windows, lifted[300:900]), windows)
        assert (len(rows), poses.shape) == (0, (0, 16, 3))

    def test_root_centred_keypoints_tell_no_lines_of_sight(self, people, lifter):
        shared = SharedMotion(TargetWindows(people[3], 9, "root-centred"))
        shared.find(lifter)
        assert shared.videos == []
        assert shared.views.tolist() == [[-1, 0]] * 4

    def test_views_that_do_not_agree_tell_nothing(self, people, lifter):
        """Found by their motion, but their 2D is another person's: bones would change their lengths."""
        *_, sequences = people
        wrong = [dataclasses.replace(one, keypoints=one.keypoints[:, torch.randperm(16)]) for one in sequences]
        shared = SharedMotion(TargetWindows(wrong, 9))
        shared.views = torch.tensor([[0, 0], [0, 0], [-1, 0], [0, 0]])
        poses, told = shared.joined(people[1], torch.arange(1200))
        assert not told.any()
        assert torch.equal(poses, people[1])

    def test_people_do_not_grow_with_each_turn(self, people, lifter):
        _, lifted, windows, _ = people
        shared = SharedMotion(windows)
        shared.find(lifter)
        first, _ = shared.joined(lifted, torch.arange(1200))
        second, told = shared.joined(1.3 * lifted, torch.arange(1200))
        ratio = second[told].norm() / first[told].norm()
        assert float(ratio) == pytest.approx(1.0, abs=0.01)

    def test_some_of_the_tracks_are_enough(self, people, lifter):
        """Of a long target, whole tracks are drawn."""
        shared = SharedMotion(people[2])
        shared.find(lifter)
        rows = torch.cat([torch.arange(300), torch.arange(900, 1200)])
        _, told = shared.joined(people[1][rows], rows)
        assert told.all()
        _, told = shared.joined(people[1][:300], torch.arange(300))
        assert not told.any()


class TestLearnedFrom:
    def test_only_what_several_told(self, people, target_motion):
        rows = torch.tensor([5, 650, 350, 1100])
        told, poses = target_motion.told_by_several(rows)
        assert told.tolist() == [True, False, True, True]
        assert poses[1].abs().max() == 0
        assert mpjpe(poses[told], people[0][rows[told]]) < 0.06

    def test_before_anything_is_lifted_nothing_is_told(self, people):
        told, poses = TargetMotion(people[2], (1.0, 1.0)).told_by_several(torch.arange(4))
        assert not told.any()
        assert poses.shape == (4, 16, 3)

    def test_people_are_as_tall_as_they_are_known_to_be(self, people, lifter):
        made = TargetMotion(people[2], (1.0, 1.0), height_m=1.42)
        made.shared.find(lifter)
        made.lift(lifter, torch.Generator().manual_seed(0))
        _, poses = made.told_by_several(torch.tensor([5, 350]))
        assert statures_m(poses[:, None]).tolist() == pytest.approx([1.42] * 2, rel=1e-4)

    def test_a_saved_state_tells_the_same(self, people, target_motion):
        again = TargetMotion(people[2], (1.0, 1.0))
        again.load_state_dict(target_motion.state_dict())
        rows = torch.arange(0, 1200, 7)
        for one, other in zip(again.told_by_several(rows), target_motion.told_by_several(rows), strict=True):
            assert torch.equal(one, other)
        assert again.shared.videos == target_motion.shared.videos
        assert again.shared.sizes_m == target_motion.shared.sizes_m

    def test_a_state_of_before_has_none(self, people, target_motion):
        state = target_motion.state_dict()
        del state["shared"], state["told_by_several"]
        again = TargetMotion(people[2], (1.0, 1.0))
        again.load_state_dict(state)
        assert not again.told_by_several(torch.arange(4))[0].any()

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_the_share_asked_for_sees_the_target_itself(self, people, target_motion, share):
        matched = MatchedSource.__new__(MatchedSource)
        matched.method, matched.target_motion = (
            dataclasses.replace(RECIPES["detections"], several_views=share),
            target_motion,
        )
        rows = torch.randint(1200, (400,), generator=torch.Generator().manual_seed(0))
        target = people[2].at(rows)
        lesson = Lesson(torch.zeros(400, 9, 16, 2), torch.full((400, 16, 3), 7.0), torch.ones(400, dtype=torch.bool))
        shown = matched.with_several_views(lesson, rows, target, torch.Generator().manual_seed(1))
        own = (shown.keypoints == target).flatten(1).all(1)
        assert torch.equal(own, (shown.pose_m != 7).flatten(1).any(1))
        assert not own[of_alone(rows)].any()
        assert float(own[~of_alone(rows)].float().mean()) == pytest.approx(share, abs=0.06)
        _, poses = target_motion.told_by_several(rows)
        assert torch.equal(shown.pose_m[own], poses[own])
        assert torch.equal(shown.keypoints[~own], lesson.keypoints[~own])


class TestChoice:
    def test_the_distance_from_what_is_told_is_nearly_the_error(self, people, lifter):
        truth, lifted, windows, _ = people
        told = ToldPoses(*told_poses(lifter, windows))
        far, near = (told.distance_mm(Lookup(windows, poses), windows) for poses in (lifted, (lifted + truth) / 2))
        assert near < 0.8 * far

    def test_it_alone_decides_where_there_is_one(self):
        start = SelfConsistency(8.0, 10.0, 8.0, 100.0, 50.0, 80.0)
        now = SelfConsistency(16.0, 20.0, 16.0, 200.0, 100.0, 60.0)
        assert now.relative_to(start) == pytest.approx(0.75)
        assert dataclasses.replace(now, off_told_mm=None).relative_to(start) == pytest.approx(2.0)

    def test_held_out_tracks_are_told_by_those_that_are_learned(self, people, lifter):
        *_, sequences = people
        held_out = [sequences[1]]
        told = told_of_held_out(lifter, [one for one in sequences if one not in held_out], held_out, 9)
        assert torch.equal(told.rows, torch.arange(300))
        alone = told_of_held_out(lifter, sequences[2:3], held_out, 9)
        assert len(alone.rows) == 0
        assert len(told.rows) >= FEWEST_TOLD
        assert not math.isnan(told.distance_mm(lifter, TargetWindows(held_out, 9)))

    def test_with_none_held_out_all_are_told(self, people, lifter):
        *_, sequences = people
        told = told_of_held_out(lifter, sequences, sequences, 9)
        assert len(told.rows) == 900
        assert not of_alone(told.rows).any()
