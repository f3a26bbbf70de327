"""Frames of the target's videos beside their 3D, before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.pages.page import NO_BREAK, Section, card, grid, key, missing, note
from training.report.content import TargetSample
from training.report.frame_crops import Crop, crop_round, read_frames
from training.report.pose_drawing import AFTER, BEFORE, DETECTED, TARGET, panel_frame, pose_panel, skeleton

IMAGE_PX = 420
"""Longest side of an embedded image."""


def samples_section(samples: Sequence[TargetSample]) -> Section:
    """One card per frame: image with 2D, 3D from the front, 3D from the side. All 3D has one scale."""
    how = (
        "Left: a frame of your video with the 2D joints that the lifter was given. Middle and right: the 3D pose it "
        "makes of them, before and after, laid over each other at the pelvis; from the front as the camera sees it, "
        "and from the camera's right, where errors in depth show. Darker limbs are the person's right ones; the grey "
        "line is the level of the lowest joint."
    )
    if not samples:
        return Section("samples", "Target frames", how, [missing("No target frames were recorded in this run.")])
    images = sample_images(samples)
    frame_m = panel_frame([_root_relative(j) for s in samples for j in (s.joints_before_m, s.joints_after_m)])
    cards = [_card(sample, image, frame_m) for sample, image in zip(samples, images, strict=True)]
    lost = [
        f"{sample.name}, frame {sample.frame_index}"
        for sample, image in zip(samples, images, strict=True)
        if sample.video and image is None
    ]
    legend = key([(BEFORE.middle, "before"), (AFTER.middle, "after")])
    body = [legend, grid(cards, 2)]
    if lost:
        body.append(note(f"Images that could not be read again from the video: {'; '.join(lost)}."))
    return Section("samples", "Target frames", how, body)


def sample_images(samples: Sequence[TargetSample]) -> list[np.ndarray | None]:
    """The image of each sample, (H, W, 3) BGR; None if there is no readable video. Opens each video once."""
    frames = {}
    for video in {sample.video for sample in samples if sample.video}:
        of_video = [sample for sample in samples if sample.video == video]
        found = read_frames(video, [s.frame_index for s in of_video], [s.timestamp_s for s in of_video])
        frames.update({(video, index): image for index, image in found.items()})
    return [frames.get((sample.video, sample.frame_index)) if sample.video else None for sample in samples]


def keypoints_over_image(keypoints_px: np.ndarray, crop: Crop, address: str, label: str) -> str:
    """An SVG of the crop's size in pixels: the image (blank if there is none) with the joints over it."""
    width = max(crop.width, crop.height) / 130
    points = keypoints_px - [crop.left, crop.top]
    size = f'width="{crop.width}" height="{crop.height}"'
    ground = f'<image href="{address}" {size}/>' if address else f'<rect {size} fill="#eef1f4"/>'
    # A dark line below the bright one keeps the joints visible over any image.
    shadow = skeleton(points, type(DETECTED)(*["#10151c"] * 3), 2 * width) if address else ""
    return (
        f'<svg viewBox="0 0 {crop.width} {crop.height}" role="img" aria-label="{label}">{ground}{shadow}'
        f"{skeleton(points, DETECTED if address else TARGET, width if address else 1.6 * width)}</svg>"
    )


def _card(sample: TargetSample, image: np.ndarray | None, frame_m: tuple[float, float, float]) -> str:
    crop = crop_round(sample.keypoints_px, sample.image_size)
    address = crop.cut(image, IMAGE_PX, 82) if image is not None else ""
    poses = [(_root_relative(sample.joints_before_m), BEFORE), (_root_relative(sample.joints_after_m), AFTER)]
    views = [
        (keypoints_over_image(sample.keypoints_px, crop, address, "2D joints over the video"), "video and 2D"),
        (pose_panel(poses, "front", frame_m, "3D pose from the front, before and after"), "front"),
        (pose_panel(poses, "side", frame_m, "3D pose from the side, before and after"), "side"),
    ]
    if not address:
        views[0] = (views[0][0], "2D joints")
    body = "".join(f"<figure>{svg}<figcaption>{caption}</figcaption></figure>" for svg, caption in views)
    title = f"{sample.name} · frame {sample.frame_index} · {sample.timestamp_s:.2f}{NO_BREAK}s"
    return card(title, f'<div class="views">{body}</div>')


def _root_relative(joints_m: np.ndarray) -> np.ndarray:
    return joints_m - joints_m[:1]
