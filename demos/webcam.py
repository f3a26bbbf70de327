"""Shows people in front of a camera in 3D: python -m demos.webcam [SOURCE] [--output OUT.mp4] [--detector DETECTOR].

SOURCE is the index of a camera (default 0), a video file, a folder of images or an address. The result is shown in a
window. Without a display, or with --output, it is written to a file.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from sdk import LiveWindow, OverlayWriter, PoseStream, draw_frame, run_command
from sdk.errors import BadOutput


def main(source: str, detector: str, output: str | None = None) -> None:
    """Draw every result. q closes the window."""
    with ExitStack() as stack:
        stream = stack.enter_context(PoseStream(source, detector))
        window = None
        if output is None:
            try:
                window = stack.enter_context(LiveWindow("AdaptPose"))
            except BadOutput as error:
                output = "webcam.mp4"
                print(f"{error} Writing {output}; Ctrl-C ends it.", file=sys.stderr)
        if output and Path(output).exists() and Path(source).exists() and Path(output).samefile(source):
            raise BadOutput(f"{output} is the source itself: it would be overwritten. Name another with --output.")
        writer = stack.enter_context(OverlayWriter(output, stream.source.frame_rate_hz)) if output else None
        for frame in stream:
            # frame.people: track_id, keypoints_px, and joints_m in metres relative to the pelvis
            image = draw_frame(frame, stream.skeleton, stream.delay_s)
            if writer is not None:
                writer.write(image, frame.timestamp_s)
            if window is not None and not window.show(image):
                break


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="People before a camera in 3D.")
    parser.add_argument(
        "source", nargs="?", default="0", help="camera's index, video file, folder of images or address"
    )
    parser.add_argument("--output", help="video to write, in place of the window")
    parser.add_argument("--detector", default="movenet", help="as for adaptpose-live")
    run_command(lambda: main(**vars(parser.parse_args())))  # after Ctrl-C or SIGTERM, too, the file is complete
