"""People before a camera in 3D: python -m demos.webcam [SOURCE [OUT.mp4]].

SOURCE is a camera's index (default 0), a video file, a folder of images or an address; OUT.mp4 takes the place of the
window, for instance where there is no display.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from sdk import AdaptPoseError, LiveWindow, OverlayWriter, PoseStream, draw_frame


def main(source: str = "0", output: str | None = None) -> None:
    """Draw every result; q ends the window."""
    with ExitStack() as stack:
        stream = stack.enter_context(PoseStream(source, detector="mediapipe"))
        writer = stack.enter_context(OverlayWriter(output, stream.source.frame_rate_hz)) if output else None
        window = None if output else stack.enter_context(LiveWindow("AdaptPose"))
        for frame in stream:
            # frame.people: track_id, keypoints_px and, in metres round the pelvis, joints_m
            picture = draw_frame(frame, stream.skeleton, stream.delay_s)
            if writer is not None:
                writer.write(picture, frame.timestamp_s)
            if window is not None and not window.show(picture):
                break


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3])
    except AdaptPoseError as error:
        sys.exit(f"error: {error}")
