"""People before a camera in 3D, in a window or, without a display, in a file: python -m demos.webcam [SOURCE [OUT.mp4]].

SOURCE is a camera's index (default 0), a video file, a folder of images or an address.
"""

from __future__ import annotations

import sys

import cv2

from sdk import AdaptPoseError, OverlayWriter, PoseStream, draw_frame


def main(source: str = "0", output: str | None = None) -> None:
    """Draw every result; q ends the window."""
    with PoseStream(source, detector="mediapipe") as stream:
        writer = OverlayWriter(output, stream.source.frame_rate_hz) if output else None
        for frame in stream:
            for person in frame.people:
                if person.joints_m is not None:
                    print(f"{frame.timestamp_s:.2f} s, person {person.track_id}: head {person.joints_m[9].round(2)} m")
            picture = draw_frame(frame, stream.skeleton, stream.delay_s)
            if writer is not None:
                writer.write(picture, frame.timestamp_s)
                continue
            cv2.imshow("AdaptPose", picture)
            if cv2.waitKey(1) == ord("q"):
                break
        if writer is not None:
            writer.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3])
    except AdaptPoseError as error:
        sys.exit(f"webcam: {error}")
