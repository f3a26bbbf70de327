"""`adaptpose-live`: shows and saves people in a video or in front of a camera, in 3D."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sdk.commands.command_line import run_command
from sdk.errors import BadOutput
from sdk.prediction.settings import PoseSettings, open_detector_of, open_lifter_of, open_stream_of, processors_of
from sdk.tracking.people_choice import check_people
from sdk.video.frame_queue import QueuePolicy

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True)
class LiveOptions(PoseSettings):
    """Find people in a video or in front of a camera, lift them to 3D, show and save the result."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """A video file, a folder of images, the index of a camera (0 is the first), or an address (rtsp://, http://)."""
    lookahead: int | str = "offline"
    """How much future to wait for: a number of frames at the lifter's rate, live (none), balanced (0.2 s) or offline
    (the lifter's whole window). A longer look-ahead is more exact, but later."""
    output: Path | None = None
    """Write the drawn video here (.mp4)."""
    save: tuple[Path, ...] = ()
    """Write 2D and 3D poses here; the suffix says how: .npz (everything), .json (AlphaPose's with 3D), .csv (a table),
    or one file a person, y up, .trc (OpenSim), .c3d, .bvh (Blender, Unity). Several files are possible."""
    policy: QueuePolicy | None = None
    """What happens to frames when the detector is busy. latest: old frames are dropped. all: the source waits. Default:
    latest for cameras and live streams, all for recordings."""
    show: bool = True
    """Open a window, if there is a display. q or Esc closes it."""
    max_frames: int | None = None
    """Stop after this many frames."""


def run(options: LiveOptions) -> None:
    """Do what the options say and print a summary.

    Raises:
        AdaptPoseError: for anything a user can cause; files hold what was recorded until then.
    """
    no_window = _check(options)

    from sdk.commands.live_summary import LiveSummary
    from sdk.drawing.frame_drawing import draw_frame
    from sdk.drawing.live_window import LiveWindow
    from sdk.drawing.video_writer import OverlayWriter
    from sdk.video.reconnection import Reconnection
    from sdk.video.source import open_video
    from sdk.writers.factory import open_writer

    with ExitStack() as inputs:
        video = inputs.enter_context(open_video(options.source, fps=options.fps, reconnection=Reconnection()))
        lifter = open_lifter_of(options, options.lookahead)
        stream = open_stream_of(options, video, open_detector_of(options), lifter, options.policy)
        inputs.enter_context(stream)
        summary = LiveSummary(stream)
        overlay = OverlayWriter(options.output, video.frame_rate_hz) if options.output else None
        writers = [
            open_writer(path, stream.skeleton, video.image_size, video.frame_rate_hz, lifter.skeleton)
            for path in options.save
        ]
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


def main() -> None:
    """Entry point of the `adaptpose-live` script."""
    run_command(lambda: run(tyro.cli(LiveOptions, prog="adaptpose-live")))


def _check(options: LiveOptions) -> str | None:
    """Refuse what can't work before models are loaded; return why there is no window, None if there is one."""
    from sdk.drawing.live_window import why_no_window
    from sdk.files.output_files import check_not_input, check_output_path
    from sdk.writers.factory import check_writer_suffix

    check_people(options.people)
    processors_of(options)
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
