"""Feet for motion that has none: drawn from how people's feet follow their legs.

Most sources of motion end at the ankles: the motion model, most files of users. A lifter with feet needs feet to learn
from. Here a small network tells the usual foot of each frame from the leg and its movement. How people differ from it
is drawn: a rotation for the whole clip, and one that changes, which is small while the foot stands.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, normalize, pad

from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import H36M16, H36M20
from training.files.tensor_file import load_tensors, save_atomically
from training.motion.body_variation import mirrored
from training.motion.motion_clip import MotionClip

SHIPPED_FEET = Path(__file__).parents[1] / "weights" / "feet_of_motion.pt"
FORMAT = 1
_OFFSETS_S = (-0.2, -0.1, 0.0, 0.1, 0.2)
"""Instants at which the leg is looked at."""
_INPUTS = 15 + len(_OFFSETS_S) * 7
_WIDTH = 96
_HIP, _KNEE, _ANKLE = (H36M16.index(f"right_{joint}") for joint in ("hip", "knee", "ankle"))
_OTHER_HIP, _OTHER_ANKLE = H36M16.index("left_hip"), H36M16.index("left_ankle")
_SIDES = ("right", "left")
_LOW, _SLOW_PER_S = 0.14, 0.5
"""A foot stands where its ankle is this low and this slow (unit: leg length)."""
_FLOOR_PERCENTILE = 2.0
_LEG_LENGTH = 14
"""Index of the leg's length among its features."""
_SETTLES_S = 0.05
"""Standard deviation of the window over which a foot comes to stand."""
_RATE, _DECAY, _BATCH, _NOISE = 2e-3, 1e-4, 1024, 0.02
_LAG_S = 0.2
"""Lag at which the correlation of differences within a clip is measured."""


class FootNetwork(nn.Module):
    """The usual foot of a leg: directions from the ankle to heel and tip of the toes, in the axes of the shin.

    Attributes:
        spread_rad: (3, 3) standard deviation of the rotations by which feet differ from the usual one, about the shin's
            forward, left and up axis: between clips; within a clip, while the foot stands; and while it does not.
        lasting_s: How long such a difference within a clip lasts (standard deviation of a Gaussian window).
        lengths: (2, 2) mean and standard deviation of the logarithms of the lengths ankle to heel and ankle to toes, in
            leg lengths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(_INPUTS, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, 6)
        )
        self.spread_rad: Tensor
        self.lasting_s: Tensor
        self.lengths: Tensor
        self.register_buffer("spread_rad", torch.zeros(3, 3))
        self.register_buffer("lasting_s", torch.tensor(0.1))
        self.register_buffer("lengths", torch.zeros(2, 2))

    def forward(self, leg: Tensor) -> Tensor:
        """(N, inputs) of `leg_features` to (N, 2, 3) of length 1."""
        return normalize(self.layers(leg).unflatten(-1, (2, 3)), dim=-1)


def leg_features(joints_m: Tensor, frame_rate_hz: float) -> tuple[Tensor, Tensor, Tensor]:
    """What the right foot is told from, in each frame.

    Args:
        joints_m: (T, 16 or more, 3) of a clip, z up.
        frame_rate_hz: Of the clip.

    Returns:
        (T, inputs) numbers; (T, 3, 3) axes of the shin, of which the columns point forward, left and up along it; and
        (T,) whether the foot stands.
    """
    hip, knee, ankle, other = (joints_m[:, joint] for joint in (_HIP, _KNEE, _ANKLE, _OTHER_ANKLE))
    leg_m = ((hip - knee).norm(dim=-1) + (knee - ankle).norm(dim=-1)).median()
    up = normalize(knee - ankle, dim=-1)
    left = joints_m[:, _OTHER_HIP] - hip
    left = normalize(left - (left * up).sum(-1, keepdim=True) * up, dim=-1)
    axes = torch.stack([torch.linalg.cross(left, up, dim=-1), left, up], -1)
    lowest = torch.quantile(torch.minimum(ankle[:, 2], other[:, 2]), _FLOOR_PERCENTILE / 100)
    height = (ankle[:, 2:] - lowest) / leg_m
    vertical = joints_m.new_tensor([0.0, 0.0, 1.0]).expand(len(joints_m), 3)
    across = normalize(joints_m[:, _OTHER_HIP] - hip, dim=-1)

    def local(vectors: Tensor) -> Tensor:
        return (vectors[:, None] @ axes)[:, 0]

    frames = torch.arange(len(joints_m))
    parts = [
        local(normalize(hip - knee, dim=-1)), local(vertical), local(across), local(other - ankle) / leg_m,
        height, height.clamp(max=0.3), leg_m.expand(len(joints_m), 1),
    ]  # fmt: skip
    for offset in _OFFSETS_S:
        at = (frames + round(offset * frame_rate_hz)).clamp(0, len(joints_m) - 1)
        parts += [local(up[at]), local(ankle[at] - ankle) / leg_m, height[at]]
    speed = torch.from_numpy(np.gradient(ankle.numpy(), 1 / frame_rate_hz, axis=0)).norm(dim=-1) / leg_m
    return torch.cat(parts, -1), axes, (height[:, 0] < _LOW) & (speed < _SLOW_PER_S)


def with_drawn_feet(
    clips: Sequence[MotionClip], seed: int, network: FootNetwork | None = None
) -> tuple[MotionClip, ...]:
    """Clips of H36M-20: those without feet get drawn ones.

    Args:
        clips: H36M-16 or H36M-20; the latter stay as they are.
        seed: Of what is drawn.
        network: None: the shipped one.

    Raises:
        BadModelFile: the shipped file is damaged.
    """
    network = network or shipped_feet()
    random = torch.Generator().manual_seed(seed)
    return tuple(
        clip if clip.joints_world_m.shape[1] == len(H36M20) else _with_feet(clip, network, random) for clip in clips
    )


@torch.no_grad()
def _with_feet(clip: MotionClip, network: FootNetwork, random: torch.Generator) -> MotionClip:
    body = torch.from_numpy(clip.joints_world_m)
    whole = torch.zeros(len(body), len(H36M20), 3)
    whole[:, : len(H36M16)] = body
    lengths = (network.lengths[0] + network.lengths[1] * torch.randn(2, generator=random).clamp(-2.5, 2.5)).exp()
    for side in _SIDES:
        seen = body if side == "right" else mirrored(body)
        features, axes, stands = leg_features(seen, clip.frame_rate_hz)
        leg_m = features[0, _LEG_LENGTH]
        turned = _drawn_rotations(stands, network, clip.frame_rate_hz, random)
        feet = (axes[:, None] @ turned[:, None] @ network(features)[..., None])[..., 0] * (lengths * leg_m)[:, None]
        if side == "left":
            feet = feet * feet.new_tensor([-1.0, 1.0, 1.0])
        for foot, part in enumerate(("heel", "toe")):
            ankle = body[:, H36M16.index(f"{side}_ankle")]
            whole[:, H36M20.index(f"{side}_{part}")] = ankle + feet[:, foot]
    return dataclasses.replace(clip, joints_world_m=whole.numpy())


def _drawn_rotations(stands: Tensor, network: FootNetwork, frame_rate_hz: float, random: torch.Generator) -> Tensor:
    """(T, 3, 3) rotations in the axes of the shin."""
    between, standing, free = network.spread_rad
    usual = between * torch.randn(3, generator=random).clamp(-2.5, 2.5)
    window = _gaussian(float(network.lasting_s) * frame_rate_hz)
    noise = torch.randn(3, 1, len(stands) + len(window) - 1, generator=random)
    changing = conv1d(noise, (window / window.norm())[None, None])[:, 0].T
    short = _gaussian(_SETTLES_S * frame_rate_hz)
    reach = len(short) // 2
    padded = pad(stands.float()[None, None], (reach, reach), mode="replicate")
    share = conv1d(padded, (short / short.sum())[None, None])[0].T
    return roma.rotvec_to_rotmat(usual + changing * (share * standing + (1 - share) * free))


def _gaussian(deviation: float) -> Tensor:
    reach = max(1, round(3 * deviation))
    return torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / max(deviation, 0.1)) ** 2)


def fit_feet(clips: Sequence[MotionClip], seed: int, steps: int = 1500) -> FootNetwork:
    """Learn from motion with feet how feet follow legs, and how far people differ from that.

    Args:
        clips: H36M-20, named PERSON_NUMBER.
        seed: Of the network and of its batches.
        steps: Of the optimiser.
    """
    legs = [_leg(clip, side) for clip in clips for side in _SIDES]
    network = _fitted(legs, seed, steps)
    # How far people differ is measured on people whom a network does not know: each half by the other half's.
    people = sorted({leg.person for leg in legs})
    halves = [[leg for leg in legs if leg.person in people[first::2]] for first in (0, 1)]
    if all(halves):
        known = [_fitted(half, seed, steps) for half in halves]
        _fit_spread(network, [(known[1 - i], leg) for i, half in enumerate(halves) for leg in half])
    else:
        _fit_spread(network, [(network, leg) for leg in legs])
    by_person: dict[str, list[Tensor]] = {}
    for leg in legs:
        by_person.setdefault(leg.person, []).append(leg.lengths)
    lengths = torch.stack([torch.stack(one).median(0).values for one in by_person.values()]).log()
    network.lengths.copy_(torch.stack([lengths.mean(0), lengths.std(0) if len(lengths) > 1 else 0 * lengths[0]]))
    return network.eval()


def _fitted(legs: Sequence[_Leg], seed: int, steps: int) -> FootNetwork:
    features, feet = (torch.cat([getattr(leg, name) for leg in legs]) for name in ("features", "feet"))
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = FootNetwork()
    optimiser = torch.optim.Adam(network.parameters(), _RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(len(features), (_BATCH,), generator=random)
        off = network(features[rows] + _NOISE * torch.randn(_BATCH, _INPUTS, generator=random)) - feet[rows]
        optimiser.zero_grad(set_to_none=True)
        off.square().sum((1, 2)).mean().backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@dataclass(frozen=True)
class _Leg:
    """One leg of a clip, as a right one: see `leg_features`; `feet` are (T, 2, 3) directions in the shin's axes."""

    person: str
    frame_rate_hz: float
    features: Tensor
    stands: Tensor
    feet: Tensor
    lengths: Tensor


def _leg(clip: MotionClip, side: str) -> _Leg:
    joints = torch.from_numpy(clip.joints_world_m)
    joints = joints if side == "right" else mirrored(joints)
    features, axes, stands = leg_features(joints, clip.frame_rate_hz)
    feet = joints[:, [H36M20.index(f"right_{part}") for part in ("heel", "toe")]] - joints[:, _ANKLE, None]
    lengths = feet.norm(dim=-1).median(0).values / features[0, _LEG_LENGTH]
    return _Leg(
        clip.name.partition("_")[0], clip.frame_rate_hz, features, stands, normalize(feet, dim=-1) @ axes, lengths
    )


@torch.no_grad()
def _fit_spread(network: FootNetwork, legs: Sequence[tuple[FootNetwork, _Leg]]) -> None:
    """Measure how feet differ from the usual ones of the networks beside them: between clips, and within them."""
    usual, standing, free, lasting = [], [], [], []
    for known, leg in legs:
        turned = roma.rotmat_to_rotvec(roma.rigid_vectors_registration(known(leg.features), leg.feet))
        usual.append(turned.median(0).values)
        changing = turned - usual[-1]
        standing.append(changing[leg.stands])
        free.append(changing[~leg.stands])
        still = changing - changing.mean(0)
        later = round(_LAG_S * leg.frame_rate_hz)
        if len(still) > 2 * later:
            lasting.append(torch.stack([(still[later:] * still[:-later]).mean(0), still.square().mean(0)]))
    together, alone = torch.stack(lasting).sum(0).sum(-1)
    # Noise smoothed with a Gaussian of deviation d is correlated by exp(-(lag / 2d)^2).
    kept = float((together / alone.clamp(min=1e-12)).clamp(0.01, 0.99))
    network.lasting_s.fill_(_LAG_S / (2 * (-math.log(kept)) ** 0.5))
    spread = [_robust(torch.stack(usual)), _robust(torch.cat(standing)), _robust(torch.cat(free))]
    network.spread_rad.copy_(torch.stack(spread))


def _robust(values: Tensor) -> Tensor:
    """(3,) standard deviations about zero of (N, 3), from the middle of their distribution; zero of none."""
    if not len(values):
        return torch.zeros(3)
    thinned = values[:: 1 + len(values) // 1_000_000]  # the quantiles of torch take no more
    return thinned.abs().quantile(0.68, dim=0)


def save_feet(network: FootNetwork, path: Path) -> None:
    """Write the network, whole or not at all, in half precision."""
    weights = {
        key: value.half() if value.ndim == 2 and value.numel() > 9 else value
        for key, value in network.state_dict().items()
    }
    save_atomically({"card": {"format": FORMAT, "name": "feet of motion"}, "weights": weights}, path)


def load_feet(path: Path) -> FootNetwork:
    """Read what `save_feet` wrote.

    Raises:
        BadModelFile: missing, damaged, or of another kind.
    """
    content = load_tensors(path)
    card, weights = content.get("card"), content.get("weights")
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(weights, dict):
        raise BadModelFile(f"{path} does not hold the feet of motion. Install the package again.")
    network = FootNetwork()
    try:
        network.load_state_dict({key: value.float() for key, value in weights.items()})
    except (TypeError, AttributeError, RuntimeError) as error:
        raise BadModelFile(f"{path}: its weights do not fit: {error}") from error
    return network.eval()


@lru_cache(maxsize=1)
def shipped_feet() -> FootNetwork:
    """The network in the package."""
    return load_feet(SHIPPED_FEET)
