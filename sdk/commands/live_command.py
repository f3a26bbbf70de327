"""`adaptpose-live`: shows and saves people in a video or in front of a camera, in 3D."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sdk.commands.command_line import run_command
from sdk.errors import BadOutput
from sdk.video.frame_queue import QueuePolicy
from sdk.video.source import open_video

if TYPE_CHECKING:
    from rich.progress import Progress

    from sdk.results.processors.base import Processor


@dataclass(frozen=True)
class LiveOptions:
    """Find people in a video or in front of a camera, lift them to 3D, show and save the result."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """A video file, a folder of images, the index of a camera (0 is the first), or an address (rtsp://, http://)."""
    model: Path | None = None
    """The lifter: a run folder of adaptpose-train, an .onnx file, an engine, or a shipped one: fast or base.
    Default: fast."""
    lookahead: int | str = "offline"
    """How much future to wait for: a number of frames at the lifter's rate, live (none), balanced (0.2 s) or offline
    (the lifter's whole window). A longer look-ahead is more exact, but later."""
    field_of_view: float | None = None
    """Field of view of the image's longer side, in degrees. If given, people get their position in the camera."""
    settle_bones: bool = False
    """Let every person's bone lengths settle over time."""
    detector: str = "mediapipe"
    """The 2D detector: movenet, movenet-fast, mediapipe, rtmpose-m (t, s, m, l), rtmo-s, onnx:PATH.onnx,
    mmpose:CONFIG.py:CHECKPOINT.pth."""
    boxes: str | None = None
    """Detector that finds the people for a top-down --detector (RTMPose). Same values as --detector."""
    det_every: int = 1
    """With a top-down --detector: look for people in every n-th frame only. In between, follow their last poses."""
    device: str = "cpu"
    """Device for detector and lifter: cpu, cuda, cuda:N, or auto. An engine always runs in TensorRT."""
    output: Path | None = None
    """Write the drawn video here (.mp4)."""
    save: tuple[Path, ...] = ()
    """Write 2D and 3D poses here; the suffix says how: .npz (everything), .json (AlphaPose's with 3D), .csv (a table),
    or one file a person, y up, .trc (OpenSim), .c3d, .bvh (Blender, Unity). Several files are possible."""
    smooth: bool = True
    """Smooth the poses (One Euro filter)."""
    repair_sides: bool = True
    """Repair left-right swaps of the detector."""
    policy: QueuePolicy | None = None
    """What happens to frames when the detector is busy. latest: old frames are dropped. all: the source waits. Default:
    latest for cameras and live streams, all for recordings."""
    measure: tuple[Literal["angles", "skiing"], ...] = ()
    """Add joint angles, or estimates of a skier's edge angles, to every person. They are written to .json files."""
    show: bool = True
    """Open a window, if there is a display. q or Esc closes it."""
    max_frames: int | None = None
    """Stop after this many frames."""
    fps: float | None = None
    """Frame rate of an image folder, and of a recording that does not state its own; these need it."""


def run(options: LiveOptions) -> None:
    """Do what the options say and print a summary.

    Raises:
        AdaptPoseError: for anything a user can cause; files hold what was recorded until then.
    """
    no_window = _check(options)

    from sdk.camera.one_euro import Smoothing
    from sdk.camera.pinhole_camera import Pinhole
    from sdk.commands.live_summary import LiveSummary
    from sdk.detectors.factory import open_detector
    from sdk.drawing.frame_drawing import draw_frame
    from sdk.drawing.live_window import LiveWindow
    from sdk.drawing.video_writer import OverlayWriter
    from sdk.lifting.lifter import Lifter
    from sdk.runtime.sessions import ENGINE_SUFFIX
    from sdk.stream.pose_stream import PoseStream
    from sdk.video.reconnection import Reconnection
    from sdk.writers.factory import open_writer

    with ExitStack() as inputs:
        video = inputs.enter_context(open_video(options.source, fps=options.fps, reconnection=Reconnection()))
        engine = options.model is not None and options.model.suffix == ENGINE_SUFFIX
        device = "tensorrt" if engine else options.device
        lifter = Lifter(options.model, lookahead=options.lookahead, device=device, threads=1)  # beside a detector
        detector = open_detector(
            options.detector, boxes=options.boxes, device=options.device, det_every=options.det_every
        )
        stream = PoseStream(
            video,
            detector,
            lifter,
            policy=options.policy,
            smoothing=Smoothing() if options.smooth else None,
            repair_sides=options.repair_sides,
            camera=None if options.field_of_view is None else Pinhole.of_field_of_view(options.field_of_view),
            settle_bones=options.settle_bones,
            processors=_processors(options.measure),
        )
        inputs.enter_context(stream)
        summary = LiveSummary(stream)
        overlay = OverlayWriter(options.output, video.frame_rate_hz) if options.output else None
        writers = [open_writer(p, stream.skeleton, video.image_size, video.frame_rate_hz) for p in options.save]
        window = None if no_window else LiveWindow(f"AdaptPose: {video.name}")
        try:
            with ExitStack() as outputs:
                for output in (overlay, *writers, window):
                    if output is not None:
                        outputs.enter_context(output)
                progress = outputs.enter_context(_progress())
                task = progress.add_task(video.name, total=options.max_frames or video.frame_count)
                for frame in stream:
                    started = time.perf_counter()
                    for writer in writers:
                        writer.write(frame)
                    if overlay is not None or window is not None:
                        image = draw_frame(frame, stream.skeleton, stream.delay_s)
                        if overlay is not None:
                            overlay.write(image, frame.timestamp_s)
                        if window is not None and not window.show(image):
                            break
                    summary.add(frame, time.perf_counter() - started)
                    progress.advance(task)
                    if summary.frames == options.max_frames:
                        break
        finally:  # also after an error or Ctrl-C: what was recorded until then is there
            written = [overlay.path] if overlay is not None and overlay.written else []
            print(summary.text(written + [path for writer in writers for path in writer.paths]))
            if overlay is not None and overlay.scale < 1:
                print(f"{overlay.path} is drawn {overlay.scale:.2f} times as large: MPEG-4 ends at 8191 pixels.")


def _processors(words: tuple[str, ...]) -> list[Processor]:
    from sdk.results.processors.joint_angles import JointAngles
    from sdk.results.processors.skiing import SkiingMeasures

    known: dict[str, type[JointAngles] | type[SkiingMeasures]] = {"angles": JointAngles, "skiing": SkiingMeasures}
    return [known[word]() for word in words]


def main() -> None:
    """Entry point of the `adaptpose-live` script."""
    run_command(lambda: run(tyro.cli(LiveOptions, prog="adaptpose-live")))


def _check(options: LiveOptions) -> str | None:
    """Refuse what can't work before models are loaded; return why there is no window, None if there is one."""
    from sdk.drawing.live_window import why_no_window
    from sdk.files.output_files import check_not_input, check_output_path
    from sdk.writers.factory import check_writer_suffix

    if options.max_frames is not None and options.max_frames < 1:
        raise BadOutput(f"--max-frames is {options.max_frames}; it must be 1 or more.")
    if options.output is not None:
        check_output_path(options.output, ".mp4")
    for path in options.save:
        check_writer_suffix(path)
        check_output_path(path, path.suffix.lower())
    check_not_input([*([options.output] if options.output is not None else []), *options.save], options.source)
    no_window = why_no_window() if options.show else "--no-show was given"
    if no_window and not (options.output or options.save):
        raise BadOutput(
            f"nothing would come of it: no window ({no_window}) and no file. "
            "Add --output out.mp4 or --save poses.npz, or run it where there is a display."
        )
    if no_window and options.show:
        print(f"No window: {no_window}.", file=sys.stderr)
    return no_window


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    main()
