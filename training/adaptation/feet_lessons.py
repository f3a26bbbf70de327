"""Lessons for a lifter of 20 joints: batches with feet, up and contact, the loss, and errors on held-out clips.

Positions are learned as always. Beside them it learns which way is up (drawn cameras know), which feet stand (motion
capture shows), and how sure it is: a normal likelihood of its own errors, which changes no position. In the end its
spread is calibrated on held-out clips.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.lifting.answers import FEET_IN_CONTACT
from sdk.skeletons.skeleton import H36M20
from training.adaptation.spread_calibration import calibrate_spread
from training.adaptation.telling import contact_loss, pose_distance, telling_loss
from training.cameras.detector_noise import add_detector_noise
from training.cameras.occlusion_and_lookahead import all_seen, cut_future, hide_joints
from training.cameras.random_cameras import ANY_CAMERA, CameraRanges, CameraWindows, film
from training.evaluation.metrics import mpjpe, procrustes_aligned
from training.lifter.feet_head import ANKLES, BODY, FEET
from training.lifter.lifter import LifterOutputs, TemporalLifter
from training.losses.likelihood import angle_between
from training.motion.body_variation import mirrored, vary_bodies
from training.motion.ground_contact import ground_contact
from training.motion.limb_swap import swap_limbs
from training.motion.motion_clip import MotionClip
from training.motion.source_windows import SourceWindows
from training.settings.pretrain import Pretrain

SWAPPED = 0.75
"""Largest share of windows with swapped limbs. The others know which of their feet stand."""
_WINDOWS = 3072
_LESSONS = 12
_SEED = 20_220_619
_MIRRORED_FEET = [FEET_IN_CONTACT.index(H36M20.joints[H36M20.mirror[H36M20.index(joint)]]) for joint in FEET_IN_CONTACT]


@dataclass(frozen=True)
class FeetTarget:
    """Right answers of a batch.

    Attributes:
        pose_m: (B, 20, 3) root-relative, camera axes.
        up: (B, 3) of length 1, camera axes.
        contact: (C, 4) 1 where the joints of `FEET_IN_CONTACT` stand, of the last C windows.
    """

    pose_m: Tensor
    up: Tensor
    contact: Tensor

    def to(self, device: torch.device) -> FeetTarget:
        """The same on a device."""
        return FeetTarget(self.pose_m.to(device), self.up.to(device), self.contact.to(device))


DrawLessons = Callable[[torch.Generator], tuple[Tensor, FeetTarget]]
"""Draws keypoints (B, T, 20, 3) as detectors see them, and their right answers."""


class FeetSource:
    """Motion of 20 joints in windows, with the contact of its feet.

    Args:
        clips: H36M-20.
        frames: Frames in a window.
        time_step_s: Smallest and largest time between two frames of a window.
    """

    def __init__(self, clips: Sequence[MotionClip], frames: int, time_step_s: tuple[float, float]) -> None:
        self._windows = SourceWindows(clips, frames, time_step_s)
        self._contact = torch.cat([torch.from_numpy(ground_contact(clip)) for clip in clips])

    def draw(
        self, count: int, random: torch.Generator, ranges: CameraRanges, swapped: float, bodies: tuple[float, float]
    ) -> tuple[CameraWindows, FeetTarget]:
        """Windows through drawn cameras, half of them mirrored, and their right answers.

        Args:
            count: Number of windows.
            random: Source of randomness, on the CPU.
            ranges: Of the cameras.
            swapped: Share of the windows with swapped limbs; these come first.
            bodies: Standard deviations of size and of limb lengths.
        """
        centre = self._windows.draw(count, random)
        motion = swap_limbs(self._windows.around(centre, random), swapped, random)
        turned = torch.rand(count, generator=random) < 0.5
        motion = torch.where(turned.reshape(-1, 1, 1, 1), mirrored(motion), motion)
        contact = self._contact[centre].float()
        contact = torch.where(turned[:, None], contact[:, _MIRRORED_FEET], contact)
        seen = film(vary_bodies(motion, *bodies, random), ranges, random)
        assert seen.up is not None
        return seen, FeetTarget(seen.middle_pose_m, seen.up, contact[round(swapped * count) :])


def feet_batch(source: FeetSource, config: Pretrain, random: torch.Generator) -> tuple[Tensor, FeetTarget]:
    """Keypoints (B, T, 20, 3) as detectors see them, and their right answers."""
    swapped = min(config.limb_exchange, SWAPPED)
    seen, target = source.draw(config.batch, random, ANY_CAMERA, swapped, (config.body_size, config.bone_length))
    keypoints = add_detector_noise(seen.keypoints, config.noise, random)
    keypoints = cut_future(keypoints, config.shortest_lookahead, random)
    return hide_joints(keypoints, config.hidden, random), target


def feet_loss(outputs: LifterOutputs, target: FeetTarget) -> Tensor:
    """What is learned from: positions in metres, and what else is told, weighted."""
    told = outputs.contact[len(outputs.contact) - len(target.contact) :]
    return (
        pose_distance(outputs.joints_m, target.pose_m).mean()
        + telling_loss(outputs, target.pose_m, target.up)
        + contact_loss(told, target.contact)
    )


class FeetValidation:
    """Held-out clips at their own speed, filmed once: how far a lifter is off, and how often as far as it says.

    Args:
        clips: H36M-20.
        frames: Frames in a window.
        frame_rate_hz: Of the windows.
        draw_lessons: Draws lessons of held-out clips, for the spread to be true of.
    """

    def __init__(
        self, clips: Sequence[MotionClip], frames: int, frame_rate_hz: float, draw_lessons: DrawLessons
    ) -> None:
        random = torch.Generator().manual_seed(_SEED)
        source = FeetSource(clips, frames, (1 / frame_rate_hz, 1 / frame_rate_hz))
        self._seen, self._target = source.draw(_WINDOWS, random, CameraRanges(), 0.0, (0.0, 0.0))
        lessons = [draw_lessons(random) for _ in range(_LESSONS)]
        self._lesson_keypoints = torch.cat([keypoints for keypoints, _ in lessons])
        self._lesson_poses_m = torch.cat([target.pose_m for _, target in lessons])

    def calibrated(self, network: TemporalLifter) -> TemporalLifter:
        """A copy in evaluation mode, whose spread is true of lessons that it did not learn from."""
        network = copy.deepcopy(network).eval()
        calibrate_spread(network, self._lesson_keypoints, self._lesson_poses_m)
        return network

    def errors(self, network: TemporalLifter) -> dict[str, float]:
        """Of a network, left in evaluation mode: millimetres, degrees and shares. Once without feet, once with."""
        return self._errors(network, 0.0, "") | self._errors(network, 1.0, "_feet_seen")

    def _errors(self, network: TemporalLifter, feet_seen: float, suffix: str) -> dict[str, float]:
        network.eval()
        keypoints = all_seen(self._seen.keypoints)
        keypoints[:, :, FEET] *= feet_seen
        with torch.no_grad():
            outputs = network.outputs(keypoints.to(next(network.parameters()).device))
        outputs = LifterOutputs(*(one.cpu() for one in outputs))
        target = self._target
        error = outputs.joints_m - target.pose_m
        body, truth = outputs.joints_m[:, :BODY], target.pose_m[:, :BODY]
        soles, true_soles = (
            (joints[:, FEET[1::2]] - joints[:, FEET[::2]]).flatten(0, 1) for joints in (outputs.joints_m, target.pose_m)
        )
        far = (error / outputs.deviations_m)[:, 1:].abs()
        values = {
            "mpjpe_mm": float(mpjpe(body, truth)) * 1000,
            "pa_mpjpe_mm": float(mpjpe(procrustes_aligned(body, truth), truth)) * 1000,
            "feet_to_ankle_mm": float((error[:, FEET] - error[:, ANKLES]).norm(dim=-1).mean()) * 1000,
            "foot_direction_deg": float(torch.rad2deg(angle_between(soles, true_soles)).median()),
            "up_deg": float(torch.rad2deg(angle_between(outputs.up, target.up)).median()),
            "within_one_deviation": float((far < 1).float().mean()),
            "within_two_deviations": float((far < 2).float().mean()),
            "contact_right": float(((outputs.contact > 0) == (target.contact > 0.5)).float().mean()),
        }
        return {f"validation/{name}{suffix}": value for name, value in values.items()}
