"""Lessons for a lifter of 20 joints: right answers that belong to their windows, and a loss with all its terms."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.lifting.answers import FEET_IN_CONTACT
from sdk.skeletons.skeleton import H36M20
from tests.lifters import random_lifter
from tests.training.motion.clips import moving_clip
from tests.training.motion.test_feet import feet_of
from training.adaptation.feet_lessons import (
    ANKLES,
    FEET,
    FeetSource,
    FeetTarget,
    FeetValidation,
    feet_batch,
    feet_loss,
)
from training.cameras.random_cameras import CameraRanges
from training.lifter.growth import with_feet as grown_with_feet
from training.lifter.lifter import LifterOutputs
from training.motion.feet import with_feet
from training.settings.pretrain import Pretrain


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """One person walks, another stands."""
    plain = [moving_clip("02_01", 60, 50.0, 0.0), moving_clip("05_01", 60, 50.0, 0.0, velocity=0.0)]
    path = tmp_path_factory.mktemp("feet") / "feet.npz"
    np.savez(path, **{clip.name: feet_of(clip) for clip in plain})
    return with_feet(plain, path)


def drawn(clips, swapped=0.0, count=64):
    source = FeetSource(clips, 9, (0.04, 0.04))
    return source.draw(count, torch.Generator().manual_seed(0), CameraRanges(), swapped, (0.0, 0.0))


def test_a_window_is_answered_with_its_own_contact(clips):
    """Who does not move stands; who walks by stands on no foot."""
    seen, target = drawn(clips)
    still = (seen.joints_m[:, -1, 0] - seen.joints_m[:, 0, 0]).norm(dim=-1) < 1e-4
    assert still.any()
    assert not still.all()
    assert torch.equal(target.contact.bool().all(1), still)
    assert torch.equal(target.contact.bool().any(1), still)


def test_of_swapped_legs_nobody_knows_which_stand(clips):
    _, target = drawn(clips, swapped=0.75, count=64)
    assert target.contact.shape == (16, 4)
    assert target.pose_m.shape == (64, 20, 3)


def test_mirrored_people_stand_on_the_other_foot(clips):
    """The left foot is lifted: contact of the mirrored windows is on the left."""
    clip = clips[1]
    joints = clip.joints_world_m.copy()
    joints[:, [H36M20.index("left_heel"), H36M20.index("left_toe")], 2] += 0.3
    seen, target = drawn([dataclasses.replace(clip, joints_world_m=joints)])
    lifted = {side: [FEET_IN_CONTACT.index(f"{side}_{part}") for part in ("heel", "toe")] for side in ("left", "right")}
    height = (seen.joints_m[:, 4] * seen.up[:, None]).sum(-1)
    left_is_up = height[:, H36M20.index("left_toe")] > height[:, H36M20.index("right_toe")]
    assert 10 < left_is_up.sum() < 54
    assert not target.contact[left_is_up][:, lifted["left"]].any()
    assert target.contact[left_is_up][:, lifted["right"]].all()
    assert not target.contact[~left_is_up][:, lifted["right"]].any()


def test_up_is_that_of_the_camera(clips):
    _, target = drawn(clips)
    head = target.pose_m[:, H36M20.index("head")]
    torch.testing.assert_close(torch.nn.functional.normalize(head, dim=-1), target.up, atol=1e-4, rtol=0)


def test_a_batch_is_what_a_lifter_takes(clips):
    keypoints, target = feet_batch(
        FeetSource(clips, 9, (0.03, 0.05)), Pretrain(source=None, batch=32), torch.Generator().manual_seed(0)
    )
    assert keypoints.shape == (32, 9, 20, 3)
    feet = keypoints[:, :, FEET, 2]
    assert 0.2 < feet.mean() < 0.6, "half of the windows have no feet"
    assert (feet <= keypoints[:, :, ANKLES, 2]).all(), "feet are hidden with their ankles"
    assert target.pose_m.shape == (32, 20, 3)


@pytest.fixture
def target():
    random = torch.Generator().manual_seed(0)
    pose = torch.randn(6, 20, 3, generator=random) * 0.3
    up = torch.nn.functional.normalize(torch.randn(6, 3, generator=random), dim=-1)
    return FeetTarget(pose, up, torch.tensor([[1.0, 0.0, 1.0, 0.0]] * 6))


def outputs(target, **changes):
    right = LifterOutputs(
        target.pose_m, torch.full((6, 20, 3), 0.05), target.up, torch.full((6, 1), 0.1), (target.contact - 0.5) * 20
    )
    return right._replace(**changes)


def moved(target, joints, by=0.1):
    pose = target.pose_m.clone()
    pose[:, joints] += torch.tensor([by, 0.0, 0.0])
    return pose


@pytest.mark.parametrize(
    "worse",
    [
        lambda t: {"joints_m": moved(t, range(1, 16))},
        lambda t: {"joints_m": moved(t, FEET)},
        lambda t: {"up": t.up[:, [1, 2, 0]]},
        lambda t: {"contact": (0.5 - t.contact) * 20},
        lambda t: {"deviations_m": torch.full((6, 20, 3), 0.5)},
        lambda t: {"up_deviation": torch.full((6, 1), 1.0)},
    ],
)
def test_whatever_is_wrong_costs(target, worse):
    assert feet_loss(outputs(target, **worse(target)), target) > feet_loss(outputs(target), target) + 1e-4


def test_how_sure_it_is_moves_no_joint(target):
    pose = moved(target, [3], 0.2).requires_grad_()
    deviations = torch.full((6, 20, 3), 0.05, requires_grad=True)
    sure, unsure = (
        torch.autograd.grad(
            feet_loss(outputs(target, joints_m=pose, deviations_m=deviations * scale), target), pose, retain_graph=True
        )[0]
        for scale in (1.0, 4.0)
    )
    torch.testing.assert_close(sure, unsure)


def unseen(clips):
    """Draws lessons for the spread to be true of."""
    source, config = FeetSource(clips, 9, (0.04, 0.04)), Pretrain(source=None, batch=64)
    return lambda random: feet_batch(source, config, random)


def test_the_spread_is_made_true_of_lessons_of_held_out_clips(clips):
    """Of as noisy ones as those it learns from, without dropout; the network that learns stays as it is."""
    torch.manual_seed(0)
    network = grown_with_feet(random_lifter((3, 3), channels=32, input_channels=3, view="person")).train()
    network.scale_spread(torch.full((20, 3), 8.0))  # an untrained one tells far too little
    before = {name: value.clone() for name, value in network.state_dict().items()}
    told = FeetValidation(clips, 9, 25.0, unseen(clips)).calibrated(network)
    assert network.training
    assert not told.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    keypoints, target = unseen(clips)(torch.Generator().manual_seed(5))
    off = []
    for one in (network.eval(), told):
        with torch.no_grad():
            outputs = one.outputs(keypoints)
        far = ((outputs.joints_m - target.pose_m) / outputs.deviations_m)[:, 1:].square().mean().sqrt()
        off.append(abs(float(far.log())))
    assert off[1] < 0.5 * off[0]
    assert off[1] < 0.2


def test_validation_knows_a_lifter_that_has_learned(clips):
    torch.manual_seed(0)
    network = grown_with_feet(random_lifter((3, 3), channels=32, input_channels=3, view="person")).train()
    validation = FeetValidation(clips, 9, 25.0, unseen(clips))
    before = validation.errors(network)
    source, random = FeetSource(clips, 9, (0.04, 0.04)), torch.Generator().manual_seed(0)
    config = Pretrain(source=None, batch=64, noise=0.0, limb_exchange=0.0)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(60):
        network.train()
        keypoints, target = feet_batch(source, config, random)
        loss = feet_loss(network.outputs(keypoints), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = validation.errors(network)
    for name in ("mpjpe_mm", "feet_to_ankle_mm", "feet_to_ankle_mm_feet_seen"):
        assert after[f"validation/{name}"] < 0.7 * before[f"validation/{name}"], name
    assert after["validation/up_deg"] < 20
