"""BG1 and BG2: eqs. 5 and 6 in a slow loop and by hand; lengths and torso stay; who reads what."""

import numpy as np
import pytest
import torch

from training.generator.bone_displacement import BoneDisplacement, SequenceDisplacement, displaced
from training.geometry.bones import TORSO_BONES, joints_to_bones
from training.geometry.camera import root_relative

FRAMES = 9


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(frames=FRAMES, batch=16):
    joints = torch.randn(batch, frames, 16, 3, dtype=torch.float64, generator=random(7)) * 0.3
    return joints_to_bones(joints), root_relative(joints[:, frames // 2])


def network(kind, frames=FRAMES):
    torch.manual_seed(0)
    made = {
        "bg1": lambda: SequenceDisplacement(frames),
        "bg2": BoneDisplacement,
        "constant": lambda: BoneDisplacement(gradual=False),
    }
    return made[kind]().double().eval()


def answering(made, displacement):
    """The network with a given answer, whatever it is asked."""
    with torch.no_grad():
        made.trunk.head.weight.zero_()
        made.trunk.head.bias.copy_(displacement.flatten())
    return made


def test_by_hand():
    """A bone of 0.3 m along x and 0.3 m along y: halfway between the two, still of 0.3 m."""
    found = displaced(torch.tensor([0.3, 0.0, 0.0]), torch.tensor([0.0, 0.3, 0.0]))
    np.testing.assert_allclose(found.numpy(), [0.3 / 2**0.5, 0.3 / 2**0.5, 0], atol=1e-7)


def slowly(bone, displacement):
    moved = bone + displacement
    return moved / np.linalg.norm(moved) * np.linalg.norm(bone)


@pytest.mark.parametrize("kind", ["bg1", "bg2", "constant"])
@pytest.mark.parametrize("frames", [1, FRAMES])
def test_equals_the_equation_in_a_slow_loop(kind, frames):
    """One displacement per bone; BG2: frame j of n, counted from 1, is moved by j / n of it, else each by all of it."""
    bones, pose = windows(frames)
    wanted = torch.randn(15, 3, dtype=torch.float64, generator=random(2)) * 0.2
    with torch.no_grad():
        found = answering(network(kind, frames), wanted)(bones, pose, random()).numpy()
    for j in range(frames):
        share = (j + 1) / frames if kind == "bg2" else 1.0
        for k in set(range(15)) - set(TORSO_BONES):
            expected = slowly(bones[3, j, k].numpy(), share * wanted[k].numpy())
            np.testing.assert_allclose(found[3, j, k], expected, atol=1e-12)


@pytest.mark.parametrize("kind", ["bg1", "bg2", "constant"])
def test_the_network_answers_with_45_numbers(kind):
    """Eqs. 5 and 6: a displacement of (J - 1) x 3 for the whole window, not one for each of its frames."""
    assert network(kind).trunk.head.out_features == 45


@pytest.mark.parametrize("kind", ["bg1", "bg2", "constant"])
def test_lengths_and_torso_stay_and_all_other_bones_turn(kind):
    bones, pose = windows()
    with torch.no_grad():
        found = network(kind)(bones, pose, random())
    torso, others = list(TORSO_BONES), [k for k in range(15) if k not in TORSO_BONES]
    torch.testing.assert_close(found.norm(dim=-1), bones.norm(dim=-1))
    torch.testing.assert_close(found[:, :, torso], bones[:, :, torso])
    assert ((found - bones)[:, -1, others].norm(dim=-1) > 1e-4).all()


@pytest.mark.parametrize("kind", ["bg1", "bg2", "constant"])
def test_untrained_bones_keep_much_of_their_direction(kind):
    bones, pose = windows()
    with torch.no_grad():
        found = network(kind)(bones, pose, random())
    assert torch.nn.functional.cosine_similarity(found, bones, dim=-1).mean() > 0.7


@pytest.mark.parametrize(("kind", "reads_all"), [("bg1", True), ("bg2", False), ("constant", False)])
def test_who_reads_the_whole_sequence(kind, reads_all):
    """BG1 sees every frame: the displacement, in the last frame too, depends on the first. BG2 sees a single pose."""
    bones, pose = windows()
    other = bones.clone()
    other[:, 0] += 0.3
    made = network(kind)
    with torch.no_grad():
        moved = (made(other, pose, random())[:, -1] - made(bones, pose, random())[:, -1]).abs().max()
    assert (moved > 1e-6) == reads_all


def test_motion_of_the_source_is_kept():
    """Eq. 6 as printed starts all frames from one; here each frame's own bones are displaced."""
    bones, pose = windows()
    with torch.no_grad():
        found = answering(network("bg2"), torch.zeros(1, 15, 3))(bones, pose, random())
    torch.testing.assert_close(found, bones)


@pytest.mark.parametrize("kind", ["bg1", "bg2", "constant"])
def test_every_parameter_gets_a_gradient(kind):
    bones, pose = windows()
    made = network(kind).train()
    (made(bones, pose, random())[..., 0] ** 3).sum().backward()
    # The torso's rows of the head answer for bones that do not turn.
    rows = torch.ones(15, 3, dtype=torch.bool)
    rows[list(TORSO_BONES)] = False
    assert (made.trunk.head.weight.grad.abs().amax(1)[rows.flatten()] > 1e-12).all()
    assert {n for n, p in made.named_parameters() if not p.grad.abs().max() > 1e-9} == set()
