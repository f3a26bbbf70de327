"""The generator as a whole: what each part may change, and that all of it learns and repeats."""

import pytest
import torch

from training.geometry.bones import LENGTH_GROUPS, TORSO_BONES, bone_lengths, joints_to_bones
from training.geometry.camera import root_relative, turn
from training.models.bone_length import LARGEST_CHANGE, BoneLength
from training.models.camera_generator import CameraRotation, CameraTranslation
from training.models.motion_generator import MotionGenerator

MIDDLE = 13


def windows(batch=64, seed=0):
    """(B, 27, 16, 3) relative to the middle frame's pelvis, as source windows are."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(batch, 1, 16, 3, generator=generator) * 0.4
    motion = pose + torch.randn(batch, 27, 16, 3, generator=generator).cumsum(1) * 0.01
    return motion - motion[:, MIDDLE : MIDDLE + 1, :1]


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MotionGenerator(start_depth_m=5.0)


@pytest.fixture
def generated(network):
    with torch.no_grad():
        return network(windows(), random())


def test_bones_keep_their_length_over_time_and_change_by_the_ratios(generated):
    source = bone_lengths(windows())
    found = bone_lengths(generated.body_m) / source
    for group, members in enumerate(LENGTH_GROUPS):
        expected = (1 + generated.length_ratios[:, None, group, None]).expand(-1, 27, len(members))
        torch.testing.assert_close(found[..., list(members)], expected, rtol=1e-3, atol=1e-4)


def test_length_ratios_are_within_a_fifth_and_the_thorax_keeps_its_own(generated):
    assert generated.length_ratios.abs().max() <= LARGEST_CHANGE == 0.2
    assert not generated.length_ratios[:, LENGTH_GROUPS.index((7,))].any()
    assert (generated.length_ratios.std(0) > 0).sum() == 8


def test_torso_directions_stay(generated):
    torso = list(TORSO_BONES)
    cosine = torch.nn.functional.cosine_similarity(
        joints_to_bones(generated.body_m)[:, :, torso], joints_to_bones(windows())[:, :, torso], dim=-1
    )
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


def test_the_pelvis_keeps_its_path(generated):
    torch.testing.assert_close(generated.body_m[:, :, 0], windows()[:, :, 0])


def test_the_camera_is_one_rigid_rotation_per_window(generated):
    """Distances between all joints of all frames stay, and no mirror image appears."""
    body, turned = generated.body_m.flatten(1, 2).double(), generated.joints_m.flatten(1, 2).double()
    chosen = torch.arange(0, body.shape[1], 17)
    torch.testing.assert_close(
        torch.cdist(turned[:, chosen], turned[:, chosen]), torch.cdist(body[:, chosen], body[:, chosen]),
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip
    rotation = torch.linalg.lstsq(body, turned).solution.mT
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(64, dtype=torch.float64), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(turn(body[:, None], rotation)[:, 0], turned, rtol=1e-3, atol=1e-4)


def test_people_stand_in_front_of_the_camera(generated):
    assert (generated.position_m[:, 2] >= 0).all()
    assert generated.position_m[:, 2].mean() > 2


def test_the_same_seed_gives_the_same_motion(network):
    network.eval()
    with torch.no_grad():
        first, again, other = (network(windows(), random(seed)) for seed in (1, 1, 2))
    for name in ("body_m", "joints_m", "position_m", "length_ratios"):
        assert torch.equal(getattr(first, name), getattr(again, name)), name
        assert not torch.allclose(getattr(first, name), getattr(other, name)), name


def test_global_randomness_is_not_used(network):
    network.eval()
    with torch.no_grad():
        torch.manual_seed(1)
        first = network(windows(), random())
        torch.manual_seed(2)
        assert torch.equal(network(windows(), random()).joints_m, first.joints_m)


def test_every_parameter_gets_a_gradient(network):
    network.double()
    generated = network(windows().double(), random())
    (
        generated.joints_m.square().sum() + (generated.joints_m[..., 0] ** 3).sum() + generated.position_m.sum()
    ).backward()
    still = {name for name, parameter in network.named_parameters() if not parameter.grad.abs().max() > 1e-9}
    assert still == set()


class TestCamera:
    def test_rotations_are_proper(self):
        torch.manual_seed(0)
        with torch.no_grad():
            rotation = CameraRotation().double()(windows()[:, MIDDLE].double(), random())
        identity = torch.eye(3, dtype=torch.float64).expand(64, 3, 3)
        torch.testing.assert_close(rotation @ rotation.mT, identity)
        torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(64, dtype=torch.float64))

    def test_the_head_is_used(self):
        """Trap 2 of the reference: mean, deviation and angle come from seven outputs of their own."""
        torch.manual_seed(0)
        network = CameraRotation().eval()
        poses = windows()[:, MIDDLE]
        assert network.trunk.head.out_features == 7
        with torch.no_grad():
            before = network(poses, random())
            for output in range(7):
                network.trunk.head.bias[output] += 0.5
                after = network(poses, random())
                network.trunk.head.bias[output] -= 0.5
                assert not torch.allclose(after, before, atol=1e-3), output

    def test_the_distribution_itself_is_learned(self):
        """Trap 1: torch.normal's gradient is zero; here the means and deviations get one, the deviations too."""
        torch.manual_seed(0)
        network = CameraRotation()
        (network(windows()[:, MIDDLE], random())[:, 0, 1]).sum().backward()
        gradient = network.trunk.head.bias.grad
        assert (gradient[:3].abs() > 1e-4).all()  # means
        assert (gradient[3:6].abs() > 1e-4).all()  # deviations
        assert gradient[6].abs() > 1e-4  # angle

    def test_the_axis_is_drawn(self):
        """One pose, the same network noise, many draws: the rotations differ in axis, not in angle."""
        torch.manual_seed(0)
        network = CameraRotation().eval()
        with torch.no_grad():
            network.trunk.head.weight.zero_()
            network.trunk.head.bias.copy_(torch.tensor([1.0, 0, 0, -1, -1, -1, 0.6]))
            rotation = network(torch.zeros(4000, 16, 3), random()).double()
        angle = torch.acos((rotation.diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2)
        torch.testing.assert_close(angle, torch.full_like(angle, 0.6), atol=1e-4, rtol=0)
        axis = torch.stack([rotation[:, 2, 1] - rotation[:, 1, 2], rotation[:, 0, 2] - rotation[:, 2, 0],
                            rotation[:, 1, 0] - rotation[:, 0, 1]], -1)  # fmt: skip
        axis = axis / axis.norm(dim=-1, keepdim=True)
        assert axis.mean(0)[0] > 0.8
        assert (axis.std(0)[1:] > 0.1).all()
        assert axis.median(0).values[1:].abs().max() < 0.05

    def test_untrained_depth_is_the_start_depth(self):
        for depth in (2.0, 5.0, 20.0):
            torch.manual_seed(0)
            network = CameraTranslation(depth)
            with torch.no_grad():
                network.trunk.head.weight.zero_()
                found = network(windows()[:, MIDDLE], random())
            torch.testing.assert_close(found, torch.tensor([0.0, 0.0, depth]).expand(64, 3))


def test_bone_length_reads_the_lengths():
    """The length generator sees the bones' lengths, which the pose alone states only implicitly."""
    torch.manual_seed(0)
    network = BoneLength().eval()
    pose = root_relative(windows()[:, MIDDLE])
    with torch.no_grad():
        first = network(pose, bone_lengths(pose), random())
        second = network(pose, bone_lengths(pose) * 1.5, random())
    assert not torch.allclose(first, second, atol=1e-4)
