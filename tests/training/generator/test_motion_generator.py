"""The generator as a whole: what each part may change, and that all of it learns and repeats."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from training.generator.bone_length import LARGEST_CHANGE, BoneLength
from training.generator.camera_generator import CameraRotation, CameraTranslation, rotation_of
from training.generator.motion_generator import MotionGenerator
from training.geometry.bones import LENGTH_GROUPS, TORSO_BONES, bone_lengths, joints_to_bones
from training.geometry.camera import root_relative, turn

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


def dead_parameters(network):
    """Names of parameters without a gradient after a loss that every part answers for."""
    network.double()
    made = network(windows().double(), random())
    loss = made.joints_m.square().sum() + (made.joints_m[..., 0] ** 3).sum()
    (loss if made.position_m is None else loss + made.position_m.sum()).backward()
    return {name for name, parameter in network.named_parameters() if not parameter.grad.abs().max() > 1e-9}


NUMBERS = ("axis-angle", "euler", "quaternion")
CAMERAS = [*itertools.product(("probabilistic", "deterministic"), NUMBERS), ("none", "axis-angle")]


@pytest.mark.parametrize("bones", ["bg1", "bg2", "bg3", "constant", "none"])
def test_every_parameter_gets_a_gradient_whatever_turns_the_bones(bones):
    torch.manual_seed(0)
    assert dead_parameters(MotionGenerator(5.0, bone_rotation=bones)) == set()


@pytest.mark.parametrize(("camera", "numbers"), CAMERAS)
def test_every_parameter_gets_a_gradient_whatever_the_camera(camera, numbers):
    torch.manual_seed(0)
    assert dead_parameters(MotionGenerator(5.0, camera=camera, camera_rotation=numbers)) == set()


@pytest.mark.parametrize("bones", ["bg1", "bg2", "bg3", "constant", "none"])
def test_one_frame_is_turned_as_well(bones):
    """The last of n frames turns by all of it; so does an only one."""
    torch.manual_seed(0)
    network = MotionGenerator(5.0, frames=1, bone_rotation=bones).eval()
    frame = windows()[:, MIDDLE:14]
    with torch.no_grad():
        body = network(frame, random()).body_m
    assert body.shape == (64, 1, 16, 3)
    directions = [torch.nn.functional.normalize(joints_to_bones(joints), dim=-1) for joints in (frame, body)]
    assert torch.allclose(*directions, atol=1e-5) == (bones == "none")


class TestPartsLeftOut:
    def made(self, **changes):
        torch.manual_seed(0)
        with torch.no_grad():
            return MotionGenerator(5.0, **changes)(windows(), random())

    def test_no_bone_turns(self):
        directions = [
            torch.nn.functional.normalize(joints_to_bones(joints), dim=-1)
            for joints in (windows(), self.made(bone_rotation="none").body_m)
        ]
        torch.testing.assert_close(*directions, rtol=1e-4, atol=1e-5)

    def test_no_bone_changes_its_length(self):
        made = self.made(bone_lengths=False)
        assert made.length_ratios.shape == (64, 9)
        assert not made.length_ratios.any()
        torch.testing.assert_close(bone_lengths(made.body_m), bone_lengths(windows()), rtol=1e-3, atol=1e-4)

    def test_the_sources_camera_stays(self):
        made = self.made(camera="none")
        assert made.position_m is None
        assert torch.equal(made.joints_m, made.body_m)
        assert not torch.allclose(made.body_m, windows(), atol=0.1)

    def test_bones_alone_stay(self):
        made = self.made(bone_rotation="none", bone_lengths=False)
        torch.testing.assert_close(made.body_m, windows(), rtol=1e-4, atol=1e-5)
        assert not torch.allclose(made.joints_m, windows(), atol=0.1)

    def test_nothing_is_left(self):
        with pytest.raises(ValueError, match="this one does nothing"):
            MotionGenerator(5.0, bone_rotation="none", bone_lengths=False, camera="none")


class TestRotationNumbers:
    values = np.random.default_rng(0).normal(size=(50, 4))

    def test_axis_angle_is_scipys(self):
        found = rotation_of(torch.tensor(self.values[:, :3]), "axis-angle")
        np.testing.assert_allclose(found, Rotation.from_rotvec(self.values[:, :3]).as_matrix(), atol=1e-12)

    def test_euler_angles_are_scipys(self):
        """Eq. 12: Rz(alpha) Ry(beta) Rx(gamma), which SciPy calls intrinsic ZYX."""
        found = rotation_of(torch.tensor(self.values[:, :3]), "euler")
        np.testing.assert_allclose(found, Rotation.from_euler("ZYX", self.values[:, :3]).as_matrix(), atol=1e-12)

    def test_quaternions_are_scipys_whatever_their_length(self):
        found = rotation_of(torch.tensor(self.values), "quaternion")
        expected = Rotation.from_quat(np.roll(self.values, -1, axis=1)).as_matrix()  # SciPy: real part last
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_by_hand(self):
        """0.6 rad about z turns x towards y, in all three."""
        for values, numbers in (
            ([0, 0, 0.6], "axis-angle"),
            ([0.6, 0, 0], "euler"),
            ([2 * np.cos(0.3), 0, 0, 2 * np.sin(0.3)], "quaternion"),
        ):  # fmt: skip
            column = rotation_of(torch.tensor([values], dtype=torch.float64), numbers)[0, :, 0]
            np.testing.assert_allclose(column, [np.cos(0.6), np.sin(0.6), 0], atol=1e-12)


class TestCamera:
    @pytest.mark.parametrize(("camera", "numbers"), CAMERAS[:-1])
    def test_rotations_are_proper(self, camera, numbers):
        torch.manual_seed(0)
        network = CameraRotation(numbers, probabilistic=camera == "probabilistic").double()
        with torch.no_grad():
            rotation = network(windows()[:, MIDDLE].double(), random())
        identity = torch.eye(3, dtype=torch.float64).expand(64, 3, 3)
        torch.testing.assert_close(rotation @ rotation.mT, identity)
        torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(64, dtype=torch.float64))

    @pytest.mark.parametrize(
        ("camera", "numbers", "outputs"),
        [
            ("probabilistic", "axis-angle", 7),
            ("probabilistic", "euler", 6),
            ("probabilistic", "quaternion", 8),
            ("deterministic", "axis-angle", 3),
            ("deterministic", "euler", 3),
            ("deterministic", "quaternion", 4),
        ],
    )
    def test_the_whole_head_is_used(self, camera, numbers, outputs):
        """Trap 2 of the reference: means, deviations and angle come from outputs of their own."""
        torch.manual_seed(0)
        network = CameraRotation(numbers, probabilistic=camera == "probabilistic").eval()
        poses = windows()[:, MIDDLE]
        assert network.trunk.head.out_features == outputs
        with torch.no_grad():
            before = network(poses, random())
            for output in range(outputs):
                network.trunk.head.bias[output] += 0.5
                after = network(poses, random())
                network.trunk.head.bias[output] -= 0.5
                assert not torch.allclose(after, before, atol=1e-3), output

    @pytest.mark.parametrize("numbers", NUMBERS)
    def test_the_distribution_itself_is_learned(self, numbers):
        """Trap 1: torch.normal's gradient is zero; here means and deviations get one each, and the angle."""
        torch.manual_seed(0)
        network = CameraRotation(numbers)
        (network(windows()[:, MIDDLE], random())[:, 0, 1]).sum().backward()
        gradient = network.trunk.head.bias.grad.abs()
        # Rz Ry Rx's first row, second column: the angles about all three axes are in it.
        assert (gradient > 1e-4).all()

    @pytest.mark.parametrize(("numbers", "count"), [("euler", 3), ("quaternion", 4)])
    def test_what_is_drawn_has_the_learned_distribution(self, numbers, count):
        """Means 0.1, 0.2, ... and deviations softplus(-3), read back from the matrices by SciPy."""
        torch.manual_seed(0)
        network = CameraRotation(numbers).double().eval()
        mean = torch.arange(1, count + 1) / 10
        if numbers == "quaternion":
            mean = mean / mean.norm()
        with torch.no_grad():
            network.trunk.head.weight.zero_()
            network.trunk.head.bias.copy_(torch.cat([mean, torch.full((count,), -3.0)]))
            rotation = Rotation.from_matrix(network(torch.zeros(4000, 16, 3).double(), random()).numpy())
        deviation = np.log1p(np.exp(-3.0))
        if numbers == "euler":
            found = rotation.as_euler("ZYX")
            np.testing.assert_allclose(found.std(0), deviation, rtol=0.05)
        else:
            found = np.roll(rotation.as_quat(), 1, axis=1)
            found *= np.sign(found @ mean.numpy())[:, None]
        np.testing.assert_allclose(found.mean(0), mean, atol=0.01)

    @pytest.mark.parametrize("numbers", NUMBERS)
    def test_deterministic_draws_nothing_but_the_networks_noise(self, numbers):
        """With the network's answer fixed, every pose gets the same rotation; probabilistic, each its own."""
        spread = {}
        for camera in ("probabilistic", "deterministic"):
            torch.manual_seed(0)
            network = CameraRotation(numbers, probabilistic=camera == "probabilistic").eval()
            with torch.no_grad():
                network.trunk.head.weight.zero_()
                network.trunk.head.bias.fill_(0.5)
                spread[camera] = float(network(windows()[:, MIDDLE], random()).std(0).max())
        assert spread["deterministic"] < 1e-6
        assert spread["probabilistic"] > 0.1

    def test_deterministic_angle_is_the_axis_length(self):
        """Section 4.2: R = H(r), the angle is |r|."""
        torch.manual_seed(0)
        network = CameraRotation(probabilistic=False).double().eval()
        with torch.no_grad():
            network.trunk.head.weight.zero_()
            network.trunk.head.bias.copy_(torch.tensor([0.3, -0.2, 0.5]))
            found = network(windows()[:1, MIDDLE].double(), random())[0]
        np.testing.assert_allclose(found, Rotation.from_rotvec([0.3, -0.2, 0.5]).as_matrix(), atol=1e-7)

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
