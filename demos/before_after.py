"""Draws a frame with its 2D, and the 3D of two lifters beside it: python -m demos.before_after VIDEO --model RUN.

The left panel is from the shipped lifter, the right panel from --model. After `make demo`, this makes the README's
image:

    python -m demos.before_after demo/videos/demo.mp4 --model demo/run --at 0.5 --out docs/images/before_after.jpg
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import cv2
import numpy as np

from sdk import Detector, Lifter, PoseFrame, PoseStream, Skeleton, draw_frame, run_command
from sdk.errors import BadOutput, BadVideo

HEIGHT_PX = 720
"""Height of the image. The crop around the person is scaled to it."""
TITLE_PX = 46
MARGIN = 0.25
"""Margin around the person, as a share of the box height."""
JPEG_QUALITY = 85


def main(video: str, model: str, at: float, detector: str | Detector, out: Path) -> None:
    """Write the image.

    Raises:
        BadVideo: nobody was lifted at that time.
        BadOutput: the file can't be written.
    """
    if out.suffix.lower() not in (".jpg", ".png"):
        raise BadOutput(f"--out {out}: the suffix must be .jpg or .png.")
    before, after = (_lifted(video, lifter, at, detector) for lifter in (Lifter(), Lifter(model)))
    drawn = [draw_frame(*one) for one in (before, after)]
    width = before[0].image.shape[1]
    image = np.hstack([drawn[0], drawn[1][:, width:]])
    image = cv2.copyMakeBorder(image, TITLE_PX, 0, 0, 0, cv2.BORDER_CONSTANT, value=(34, 28, 24))
    panel = drawn[0].shape[1] - width
    for title, left in (("2D keypoints", 0), ("before adaptation", width), ("after adaptation", width + panel)):
        at_px = (left + TITLE_PX // 3, round(0.7 * TITLE_PX))
        cv2.putText(image, title, at_px, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (240, 240, 240), 2, cv2.LINE_AA)
    if not cv2.imwrite(str(out), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
        raise BadOutput(f"{out} can't be written. Does its folder exist?")
    print(out)


def _lifted(video: str, lifter: Lifter, at_s: float, detector: str | Detector) -> tuple[PoseFrame, Skeleton, float]:
    """The first frame from `at_s` on with a person in 3D, cropped around the tallest one."""
    with PoseStream(video, detector, lifter) as stream:
        for frame in stream:
            if frame.timestamp_s >= at_s and any(person.joints_m is not None for person in frame.people):
                return _around_tallest(frame), stream.skeleton, stream.delay_s
        name = stream.source.name  # without the password of an address
    raise BadVideo(f"{name}: nobody was lifted at {at_s} s or later. Choose another --at.")


def _around_tallest(frame: PoseFrame) -> PoseFrame:
    person = max(
        (one for one in frame.people if one.joints_m is not None), key=lambda one: float(one.box[3] - one.box[1])
    )
    height, width = frame.image.shape[:2]
    margin = MARGIN * (person.box[3] - person.box[1])
    left, top = np.maximum(person.box[:2] - margin, 0).astype(int)
    right, bottom = np.minimum(person.box[2:] + margin, (width, height)).astype(int)
    scale = HEIGHT_PX / int(bottom - top)
    image = cv2.resize(frame.image[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    corner = np.array([left, top], np.float32)
    moved = dataclasses.replace(
        person,
        keypoints_px=(person.keypoints_px - corner) * scale,
        box=((person.box.reshape(2, 2) - corner) * scale).reshape(4),
    )
    return dataclasses.replace(frame, image=image, people=(moved,))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One frame with its 2D, and the 3D of two lifters beside it.")
    parser.add_argument("video", help="video file")
    parser.add_argument("--model", required=True, help="the adapted lifter: a run folder of adaptpose-train")
    parser.add_argument("--at", type=float, default=0.0, metavar="SECONDS", help="the first frame from here on")
    parser.add_argument("--detector", default="movenet", help="as for adaptpose-live")
    parser.add_argument("--out", type=Path, default=Path("before_after.jpg"), help="image to write, .jpg or .png")
    run_command(lambda: main(**vars(parser.parse_args())))
