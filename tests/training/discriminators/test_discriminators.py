"""Discriminators: what they see, what they are blind to, and what perturbation leaves alone."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from sdk.skeletons.skeleton import H36M16
from training.discriminators.domain_discriminator import DiscriminatorBranch, DomainDiscriminator
from training.discriminators.pose_discriminator import (
    LARGEST_PERTURBATION_RAD,
    LIMBS,
    LimbPerturbation,
    PoseDiscriminator,
)
from training.geometry.bones import joints_to_bones

TRUNK = ("spine", "thorax", "head", "right_hip", "left_hip", "right_shoulder", "left_shoulder")


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def poses(dimensions, count=32, seed=0):
    return torch.randn(count, 16, dimensions, dtype=torch.float64, generator=random(seed)) * 0.3


@pytest.fixture
def domain():
    torch.manual_seed(0)
    return DomainDiscriminator().double()


@pytest.fixture
def pose():
    torch.manual_seed(0)
    return PoseDiscriminator().double()


def test_branch_by_hand():
    """One input, width one, weights one: leaky(x) + leaky(leaky(x)) out."""
    branch = DiscriminatorBranch(1, 1, 2, 1).double()
    with torch.no_grad():
        for parameter in branch.parameters():
            parameter.fill_(0.0 if parameter.ndim == 1 else 1.0)
        found = branch(torch.tensor([[2.0], [-1.0]], dtype=torch.float64)).flatten().tolist()
    assert found == pytest.approx([4.0, -0.01 - 0.0001])


def test_domain_discriminator_is_as_wide_as_published(domain):
    linear = [tuple(m.weight.shape) for m in domain.modules() if isinstance(m, torch.nn.Linear)]
    keypoints = [(100, 32), (100, 100), (100, 100), (100, 100), (100, 100)]
    chain = [(256, 225), (256, 256), (256, 256), (100, 256)]
    assert linear == [*keypoints, *chain, (100, 200), (1, 100)]


def test_without_its_chain_branch_the_keypoints_decide(domain):
    """The same layers without those of the chain; the answer is the keypoint branch's through the decision."""
    torch.manual_seed(0)
    plain = DomainDiscriminator(kinematic_chain=False).double()
    linear = [tuple(m.weight.shape) for m in plain.modules() if isinstance(m, torch.nn.Linear)]
    assert linear == [(100, 32), (100, 100), (100, 100), (100, 100), (100, 100), (100, 100), (1, 100)]
    with torch.no_grad():
        found = plain(poses(2))
        assert torch.equal(found, plain.decision(plain.keypoints(poses(2).flatten(1))))
    assert found.shape == (32, 1)


def test_domain_discriminator_sees_place_and_size(domain):
    """Section 4.3: 2D is not root-centred."""
    with torch.no_grad():
        answer = domain(poses(2))
        assert not torch.allclose(domain(poses(2) + 0.2), answer, atol=1e-3)
        assert not torch.allclose(domain(poses(2) * 1.3), answer, atol=1e-3)
    assert answer.shape == (32, 1)


def test_pose_discriminator_sees_neither_place_nor_size_nor_viewpoint(pose):
    rotation = torch.tensor(Rotation.from_rotvec([0.6, -0.2, 1.0]).as_matrix())
    with torch.no_grad():
        answer = pose(poses(3))
        for other in (poses(3) + 2.0, poses(3) * 1.7, poses(3) @ rotation.T):
            torch.testing.assert_close(pose(other), answer)
    assert answer.shape == (32, 5)


@pytest.mark.parametrize("limb", range(4))
def test_each_limb_has_a_branch_of_its_own(pose, limb):
    """Bending a limb's last joint moves that limb's answer and no other's."""
    bent = poses(3)
    last = LIMBS[limb][-1] + 1
    bent[:, last] += 0.2
    with torch.no_grad():
        changed = ((pose(bent) - pose(poses(3))).abs() > 1e-9).any(0)
    assert changed.tolist() == [branch == limb for branch in range(5)]


def test_limbs_by_name():
    names = [tuple(H36M16.joints[bone + 1] for bone in limb) for limb in LIMBS]
    assert ("right_hip", "right_knee", "right_ankle") in names
    assert ("left_shoulder", "left_elbow", "left_wrist") in names
    assert len(names) == 4


def test_raising_a_straight_arm_is_seen(pose):
    """A limb's inner angles alone would not tell where it points; the torso bones beside it do."""
    joints = poses(3)
    arm = [H36M16.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist")]
    thorax = H36M16.index("thorax")
    rotation = torch.tensor(Rotation.from_rotvec([0.0, 0.6, 0.3]).as_matrix())
    raised = joints.clone()
    raised[:, arm] = (joints[:, arm] - joints[:, [thorax]]) @ rotation.T + joints[:, [thorax]]
    branch = next(i for i, limb in enumerate(LIMBS) if limb[0] + 1 == arm[0])
    with torch.no_grad():
        assert ((pose(raised) - pose(joints))[:, branch].abs() > 1e-4).all()


def test_perturbation_is_below_ten_degrees_on_limbs_and_nothing_on_the_rest():
    bones = torch.nn.functional.normalize(joints_to_bones(poses(3, 4000)), dim=-1)
    turned = LimbPerturbation()(bones, random())
    # atan2 of the cross product: acos has no digits left near zero.
    angle = torch.atan2(torch.linalg.cross(bones, turned).norm(dim=-1), (bones * turned).sum(-1))
    limbs = [bone for limb in LIMBS for bone in limb]
    others = [bone for bone in range(15) if bone not in limbs]
    assert math.degrees(LARGEST_PERTURBATION_RAD) == pytest.approx(10)
    assert angle.max() < math.pi / 18 + 1e-9
    assert angle[:, limbs].max() > 0.9 * math.pi / 18
    assert (angle[:, limbs].mean(0) > 0.03).all()
    assert torch.equal(turned[:, others], bones[:, others])
    torch.testing.assert_close(turned.norm(dim=-1), torch.ones(4000, 15, dtype=torch.float64))


def test_perturbation_leaves_the_trunk_branch_alone(pose):
    with torch.no_grad():
        plain, perturbed = pose(poses(3)), pose(poses(3), perturbation=random())
    assert torch.equal(plain[:, 4], perturbed[:, 4])
    assert ((plain - perturbed)[:, :4].abs() > 1e-9).all()
    assert set(pose.parts[4]) == {H36M16.index(joint) - 1 for joint in TRUNK}


def test_perturbation_is_the_generators(pose):
    with torch.no_grad():
        first, again, other = (pose(poses(3), perturbation=random(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def without_chain():
    return DomainDiscriminator(kinematic_chain=False)


@pytest.mark.parametrize(("make", "dimensions"), [(DomainDiscriminator, 2), (without_chain, 2), (PoseDiscriminator, 3)])
def test_every_parameter_gets_a_gradient(make, dimensions):
    torch.manual_seed(0)
    network = make().double()
    (network(poses(dimensions)) - 1).square().mean().backward()
    assert {n for n, parameter in network.named_parameters() if not parameter.grad.abs().max() > 1e-9} == set()


@pytest.mark.parametrize(("make", "dimensions"), [(DomainDiscriminator, 2), (PoseDiscriminator, 3)])
def test_learns_to_tell_two_kinds_of_poses_apart(make, dimensions):
    """One person whose hands and feet are held to the right, or to the left."""
    torch.manual_seed(0)
    network = make()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    noise, person = random(5), poses(dimensions, 1).float()

    def batch(held):
        made = person + torch.randn(64, 16, dimensions, generator=noise) * 0.05
        made[:, [3, 6, 12, 15], 0] += held
        return made

    for _ in range(25):
        loss = (network(batch(0.2)) - 1).square().mean() + network(batch(-0.2)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        right, left = network(batch(0.2)).mean(-1), network(batch(-0.2)).mean(-1)
    assert (right > 0.5).float().mean() > 0.95
    assert (left < 0.5).float().mean() > 0.95
