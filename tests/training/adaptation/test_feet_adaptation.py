"""Adaptation of a lifter of 20 joints: what it tells is taught, feet that nobody sees count nowhere."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadTarget
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.training.motion.clips import moving_clip
from training.adaptation.default_step import DefaultStep, lesson_of
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.model_choice import self_consistency
from training.adaptation.telling import pose_distance, telling_loss
from training.cameras.random_cameras import CameraRanges, film
from training.evaluation.metrics import mpjpe
from training.geometry.bones import bones_to_joints, joints_to_bones
from training.geometry.keypoint_normalisation import bounded
from training.lifter.feet_head import ANKLES, FEET
from training.lifter.lifter import LifterOutputs, TemporalLifter
from training.losses.reprojection import reprojection_loss
from training.matching.target_motion import fit_to_keypoints
from training.matching.view_matched_source import view_matched_source
from training.motion.drawn_feet import with_drawn_feet
from training.motion.source_windows import SourceWindows
from training.settings.method import RECIPES
from training.target.target_windows import TargetSequence, TargetWindows

FRAMES = 9
BODY = len(H36M16)


@pytest.fixture(scope="module")
def source():
    """Draws windows of a walking person with feet."""
    windows = SourceWindows(with_drawn_feet([moving_clip("a_1", 90, 50.0, 0.0)], 0), FRAMES, (0.03, 0.05))
    return lambda count, random: film(windows.sample(count, random), CameraRanges(), random)


def new_lifter(seed=0):
    torch.manual_seed(seed)
    return TemporalLifter((3, 3), 16, 20, 3, 0.0, "person", tells_more=True).eval()


def target(source, feet):
    """Three tracks of 20 frames; with or without feet."""
    seen = source(6, torch.Generator().manual_seed(5)).keypoints.flatten(0, 1)[:54].numpy().copy()
    if not feet:
        seen[:, BODY:] = np.nan
    scores = np.full(seen.shape[:2], 0.9, np.float32)
    return TargetWindows(
        [TargetSequence(str(i), seen[i * 18 : i * 18 + 18], scores[i * 18 : i * 18 + 18], 1.0) for i in range(3)],
        FRAMES,
    )


def adaptation(source, windows, recipe="detections", **constants):
    method = dataclasses.replace(RECIPES[recipe], source_bodies=0.0, **constants)
    teacher = LifterTeacher(
        new_lifter(), (1.0, 1.0), method, steps=40, batch=16, device=torch.device("cpu"), shortest_lookahead=0
    )
    return DefaultStep(teacher, source, windows)


@pytest.mark.parametrize("recipe", ["detections", "default"])
@pytest.mark.parametrize("feet", [True, False])
def test_every_step_is_finite_and_every_head_learns(source, feet, recipe):
    made = adaptation(source, target(source, feet), recipe)
    before = {name: value.clone() for name, value in made.teacher.lifter.state_dict().items()}
    random = torch.Generator().manual_seed(0)
    for step in (1, 8, 16, 40):  # of which the last three lift the target
        values = made.step(step, random)
        assert all(np.isfinite(value) for value in values.values())
    after = made.teacher.lifter.state_dict()
    up, spread, up_spread, contact = (slice(0, 3), slice(3, 63), slice(63, 64), slice(64, 68))
    for rows in (up, spread, up_spread, contact):
        assert not torch.equal(before["more.weight"][rows], after["more.weight"][rows])
    assert all(bool(value.isfinite().all()) for value in after.values())
    quality = self_consistency(made.teacher.averaged_lifter, target(source, feet))
    assert quality.expected_error_mm > 0
    assert quality.off_told_mm is None  # nothing was told
    assert np.isfinite([value for value in dataclasses.astuple(quality) if value is not None]).all()


def test_a_lesson_teaches_feet_up_and_spread(source):
    """One lesson again and again: each error falls, and what is said of it with it."""
    made = adaptation(source, target(source, True), lifter_learning_rate=3e-3)
    teacher, random = made.teacher, torch.Generator().manual_seed(0)
    shown = source(16, random)
    lesson = dataclasses.replace(lesson_of(shown), up=shown.up)
    assert lesson.up is not None

    def told():
        outputs = teacher.lifter.eval().outputs(lesson.keypoints)
        feet = (
            outputs.joints_m[:, FEET]
            - outputs.joints_m[:, ANKLES]
            - (lesson.pose_m[:, FEET] - lesson.pose_m[:, ANKLES])
        )
        return (
            feet.norm(dim=-1).mean().item(),
            (outputs.up - lesson.up).norm(dim=-1).mean().item(),
            telling_loss(outputs, lesson.pose_m, lesson.up).item(),
        )

    first = told()
    for _ in range(60):
        teacher.teach(lesson, shown, target(source, True).sample(16, random), random)
    assert all(after < 0.7 * before for before, after in zip(first, told(), strict=True))


def test_up_turns_with_the_motion(source):
    """Who stands upright in the world has trunk and up in one line, however the window was rotated."""
    random = torch.Generator().manual_seed(1)
    filmed = source(32, random)
    straight = joints_to_bones(filmed.joints_m)
    spine = [H36M16.index(joint) - 1 for joint in ("spine", "thorax")]
    straight[:, :, spine] = filmed.up[:, None, None] * 0.25
    filmed = dataclasses.replace(filmed, joints_m=bones_to_joints(straight))
    ups = torch.nn.functional.normalize(torch.randn(32, 3, generator=random), dim=-1)
    for kind in ("none", "random", "matched", "upright"):
        made = view_matched_source(
            filmed, target(source, True).sample(32, random), new_lifter(), random, kind=kind, focal=(1.3, 3.5),
            bodies=0.0, target_up=ups, random_share=0.25, tilt_rad=0.1, deviation_rad=0.2,
        )  # fmt: skip
        thorax = made.middle_pose_m[:, H36M16.index("thorax")] - made.middle_pose_m[:, 0]
        torch.testing.assert_close(torch.nn.functional.normalize(thorax, dim=-1), made.up, atol=1e-4, rtol=0)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_lesson_is_seen_with_the_errors_of_the_windows_it_is_matched_to(source, share, monkeypatch):
    made = adaptation(source, target(source, True), detector_errors=share)
    matched, lessons = [], []
    draw, teach = made.matched.draw, made.teacher.teach
    monkeypatch.setattr(made.matched, "draw", lambda *given: matched.append(draw(*given)) or matched[-1])
    monkeypatch.setattr(made.teacher, "teach", lambda lesson, *given: lessons.append(lesson) or teach(lesson, *given))
    rows = []
    drawn = made.matched.target_windows
    monkeypatch.setattr(made.matched, "target_windows", lambda *given: rows.append(drawn(*given)) or rows[-1])
    made.step(1, torch.Generator().manual_seed(0))  # the first step lifts the target
    errors = made.matched.target_motion.detector_errors(rows[0][0])
    assert errors.abs().max() > 0.01
    body = matched[0].keypoints[:, FRAMES // 2, :BODY]
    size = (body.amax(1) - body.amin(1)).mean(-1)[:, None, None, None]
    torch.testing.assert_close(lessons[0].keypoints, bounded(matched[0].keypoints + share * errors * size))
    torch.testing.assert_close(lessons[0].pose_m, matched[0].middle_pose_m)


class TestNotSeen:
    def test_a_lifter_takes_nan_for_not_seen(self, source):
        keypoints = source(4, torch.Generator().manual_seed(0)).keypoints
        hidden, seen = keypoints.clone(), torch.ones(*keypoints.shape[:3], 1)
        hidden[:, :, BODY:], seen[:, :, BODY:] = torch.nan, 0
        lifter = new_lifter()
        torch.testing.assert_close(lifter(hidden), lifter(torch.cat([keypoints * seen, seen], -1)), rtol=0, atol=0)
        assert not torch.equal(lifter(hidden), lifter(keypoints))

    def test_reprojection_counts_only_what_is_seen(self, source):
        filmed = source(4, torch.Generator().manual_seed(0))
        pose, keypoints = filmed.middle_pose_m, filmed.keypoints[:, FRAMES // 2].clone()
        body = reprojection_loss(pose[:, :BODY], keypoints[:, :BODY])
        wild = pose.clone()
        wild[:, BODY:] += 5.0
        hidden = keypoints.clone()
        hidden[:, BODY:] = torch.nan
        torch.testing.assert_close(reprojection_loss(wild, hidden), body)
        assert reprojection_loss(wild, keypoints) > body + 0.1

    @pytest.mark.parametrize("feet", [True, False])
    def test_a_fit_goes_by_what_is_seen(self, source, feet):
        windows = target(source, feet)
        true = source(6, torch.Generator().manual_seed(5)).joints_m.flatten(0, 1)[:54]
        lifted = true - true[:, :1] + 0.05 * torch.randn(true.shape, generator=torch.Generator().manual_seed(0))
        fitted = fit_to_keypoints(lifted - lifted[:, :1], windows.keypoints, windows.sequence, 2.0)
        assert fitted.pose_m.isfinite().all()
        across = (fitted.pose_m - (true - true[:, :1]))[..., :2], (lifted - (true - true[:, :1]))[..., :2]
        body = [float(one[:, :BODY].norm(dim=-1).mean()) for one in across]
        assert body[0] < 0.8 * body[1]
        feet_off = [float(one[:, BODY:].norm(dim=-1).mean()) for one in across]
        assert (feet_off[0] < 0.8 * feet_off[1]) == feet

    def test_a_sequence_of_other_joints(self):
        whole = TargetSequence("a", np.ones((3, 20, 2), np.float32), np.ones((3, 20), np.float32), 1.0)
        body = whole.of_joints(16)
        assert body.keypoints.shape == (3, 16, 2)
        again = body.of_joints(20)
        assert np.isnan(again.keypoints[:, 16:]).all()
        assert not again.scores[:, 16:].any()
        np.testing.assert_array_equal(again.keypoints[:, :16], whole.keypoints[:, :16])
        for shape in ((3, 17, 2), (0, 16, 2), (3, 16), ()):
            with pytest.raises(BadTarget, match="16 or 20"):
                TargetSequence("a", np.ones(shape, np.float32), np.ones((3, 16), np.float32), 1.0)


def test_the_distance_of_16_joints_is_mpjpe_and_feet_add_to_it():
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 5, 20, 3, generator=random)
    torch.testing.assert_close(
        pose_distance(first[:, :16], second[:, :16]).mean(), mpjpe(first[:, :16], second[:, :16])
    )
    moved = second.clone()
    moved[:, FEET] += 1.0
    assert (pose_distance(moved, second) > 0.5).all()


def test_up_that_is_not_known_teaches_nothing():
    outputs = LifterOutputs(
        torch.zeros(2, 20, 3), torch.ones(2, 20, 3), torch.tensor([[0.0, -1, 0], [1.0, 0, 0]]), torch.ones(2, 1),
        torch.zeros(2, 4),
    )  # fmt: skip
    pose, up = torch.zeros(2, 20, 3), torch.tensor([[0.0, -1, 0], [torch.nan] * 3])
    known = telling_loss(LifterOutputs(*(one[:1] for one in outputs)), pose[:1], up[:1])
    torch.testing.assert_close(telling_loss(outputs, pose, up), known)
    torch.testing.assert_close(telling_loss(outputs, pose, up * torch.nan), telling_loss(outputs, pose, None))
    wrong = telling_loss(outputs, pose, torch.tensor([[0.0, -1, 0], [0.0, -1, 0]]))
    assert wrong > known + 0.01
    assert H36M20.joints[FEET[0]].endswith("heel")
