"""What a lifter of 20 joints learns beside the joints of the body: feet, how sure it is, which way is up, contact.

The weights are those of its first training (`feet_lessons.py`). Contact is not known of drawn motion: there the lifter
keeps what it said before adaptation.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from training.lifter.feet_head import ANKLES, BODY, FEET
from training.lifter.lifter import LifterOutputs
from training.losses.likelihood import angle_between, angle_likelihood, coordinate_likelihood

FEET_WEIGHT, FEET_TO_ANKLE, UP, LIKELIHOOD, UP_LIKELIHOOD, CONTACT = 0.3, 0.6, 0.05, 0.003, 0.0006, 0.003
"""Weights beside the 1 of the body's joints in metres: feet, feet relative to their ankles, and up in metres at one
metre; the others in nats. A tenth of a nat weighs as much as 0.3 mm: what is told costs the positions little."""
_LEAST_M, _MOST_M, _LEAST_RAD, _MOST_RAD = 1e-3, 2.0, 1e-2, 3.0


def pose_distance(joints_m: Tensor, pose_m: Tensor) -> Tensor:
    """How far poses are off: the mean over the body's joints, and the weighted feet.

    Args:
        joints_m: (B, 16 or 20, 3) metres.
        pose_m: (B, 16 or 20, 3) the right answers.

    Returns:
        (B,) metres.
    """
    error = joints_m - pose_m
    distance = error.norm(dim=-1)
    body = distance[:, :BODY].mean(-1)
    if distance.shape[1] == BODY:
        return body
    to_ankle = (error[:, FEET] - error[:, ANKLES]).norm(dim=-1)
    return body + FEET_WEIGHT * distance[:, FEET].mean(-1) + FEET_TO_ANKLE * to_ankle.mean(-1)


def telling_loss(outputs: LifterOutputs, pose_m: Tensor, up: Tensor | None) -> Tensor:
    """The loss of what is told about positions and about up.

    Args:
        outputs: Of B windows, at least one.
        pose_m: (B, 20, 3) the right poses.
        up: (B, 3) of length 1, camera axes; NaN where it is not known. None: nowhere.
    """
    deviations = outputs.deviations_m.clamp(_LEAST_M, _MOST_M)
    loss = LIKELIHOOD * coordinate_likelihood((outputs.joints_m - pose_m)[:, 1:], deviations[:, 1:])
    if up is None:
        return loss
    known = up.isfinite().all(-1)
    if not known.any():
        return loss
    said, right = outputs.up[known], up[known]
    deviation = outputs.up_deviation[known].clamp(_LEAST_RAD, _MOST_RAD)
    loss = loss + UP * (said - right).norm(dim=-1).mean()
    return loss + UP_LIKELIHOOD * angle_likelihood(angle_between(said, right), deviation)


def contact_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """The loss of contact: (B, 4) logits against (B, 4) probabilities; zero of no windows."""
    return CONTACT * binary_cross_entropy_with_logits(logits, wanted) if len(wanted) else logits.new_zeros(())
