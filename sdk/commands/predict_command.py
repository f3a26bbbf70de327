"""`adaptpose-predict`: recordings to files of poses, one folder a recording; any number of them, on any machines."""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from sdk.commands.command_line import SOME_FAILED, run_command
from sdk.errors import AdaptPoseError, BadOutput, BadSetting
from sdk.prediction.settings import PredictionSettings, processors_of
from sdk.workers.running import WorkerSettings, check_device, check_workers, of_shard, parse_shard

if TYPE_CHECKING:
    from rich.table import Table

    from sdk.prediction.prediction import Prediction
    from sdk.prediction.sources import Sources
    from sdk.workers.tasks import Outcome

_MOST_ROWS = 40
_FILE_WIDTH = 240
"""Columns of the table in a log file."""


@dataclass(frozen=True)
class PredictOptions(PredictionSettings, WorkerSettings):
    """Lift recordings to 3D, offline: the lifter sees all of its window.

    Each recording has a folder in --save, which appears when it is complete. The same command again does only what is
    missing: results know the content, the models and the settings that they were made with. A recording that can't be
    used is listed with the reason, and stops no other. predictions.json lists everything.
    """

    sources: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SOURCES")]
    """Videos, keypoint files (AlphaPose, OpenPose, MMPose, MediaPipe, Sports2D, DeepLabCut, npz), folders of these or
    of images (searched with their sub-folders), and addresses that fsspec knows: s3://, gs://, hf://, ..."""
    save: Path
    """Folder of the results; it is made."""


def run(options: PredictOptions) -> int:
    """Do what the options say, print a table, and return how many recordings failed.

    Raises:
        AdaptPoseError: nothing can be done, or no more: the disk is full, a model is missing. What is done is kept.
        KeyboardInterrupt: on Ctrl-C; what is done is kept.
    """
    settings, workers = _check(options)

    from sdk.prediction.prediction import PredictionWork, predict
    from sdk.prediction.result_folder import remove_abandoned_results, write_json
    from sdk.prediction.settings import open_lifter_of
    from sdk.prediction.sources import find_sources
    from sdk.workers.progress import WorkProgress
    from sdk.workers.running import run_tasks
    from sdk.workers.tasks import Task

    save = options.save.expanduser().absolute()
    sources = find_sources(options.sources, save)
    if not options.keypoints_only:
        open_lifter_of(settings)  # refused before any process is started
    recordings = of_shard(sources.recordings, workers)
    if not recordings:
        print(f"--shard {workers.shard}: none of the {len(sources.recordings)} recordings falls to this part.")
        return 0
    tasks = [Task(one.name, PredictionWork(one, save, settings)) for one in recordings]
    outcomes: dict[str, Outcome[Prediction]] = {}
    names = [one.name for one in recordings]
    remove_abandoned_results(save, names)
    try:
        with WorkProgress(len(tasks), noun="recordings") as progress:
            for outcome in run_tasks(predict, tasks, workers, progress):
                outcomes[outcome.name] = outcome
                done = outcome.result
                text = f"failed: {outcome.error}" if done is None else done.summary.text()
                there = done is not None and not done.worked
                progress.finish(text + ", there already" * there, outcome.name, worked=not there)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"Results of {_done(outcomes)} recordings are in {save}: {_GO_ON}") from stop
    finally:
        remove_abandoned_results(save, names)
        if outcomes:
            _print_table(outcomes.values(), sources)
            place = save / _list_name(workers)
            try:
                write_json(place, _listing(sources, names, outcomes))
                print(f"Wrote {place}")
            except BadOutput as error:  # what is done lies in its folders all the same
                print(f"warning: {error}", file=sys.stderr)
    stopped = next((one for one in outcomes.values() if one.stops), None)
    if stopped is not None:
        left = len(tasks) - _done(outcomes)
        raise AdaptPoseError(f"{stopped.error} {_done(outcomes)} recordings are done, {left} are left: {_GO_ON}")
    return sum(bool(one.error) for one in outcomes.values())


_GO_ON = "the same command goes on with the others."


def _check(options: PredictOptions) -> tuple[PredictionSettings, WorkerSettings]:
    """Refuse what can't work before anything is loaded; split the options, with absolute paths for other processes."""
    from sdk.detectors.factory import absolute_detector_spec
    from sdk.files.output_files import check_output_folder
    from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
    from sdk.runtime.sessions import ENGINE_SUFFIX
    from sdk.skeletons.skeleton import find_skeleton
    from sdk.tracking.people_choice import check_people

    def part(kind: type, **changed: Any) -> Any:
        return kind(**{field.name: getattr(options, field.name) for field in dataclasses.fields(kind)} | changed)

    workers: WorkerSettings = part(WorkerSettings)
    check_workers(workers)
    engine = options.model is not None and options.model.suffix == ENGINE_SUFFIX
    check_device("tensorrt" if engine else options.device, workers)
    if not options.sources:
        raise BadSetting("SOURCES names nothing: name videos, keypoint files, or folders of them.")
    _check_numbers(options)
    if options.skeleton is not None:
        find_skeleton(options.skeleton)
    check_people(options.people)
    processors_of(options)
    if options.camera_motion != "auto" and (not options.upright or options.tilt is not None):
        raise BadSetting("--camera-motion is for the vertical that the lifter tells: add --upright, without --tilt.")
    if options.camera_motion == "moving" and options.steady_feet:
        raise BadSetting(
            "--steady-feet holds feet in the room of a camera that stands still: leave out --camera-motion moving."
        )
    check_output_folder(options.save.expanduser())
    if options.compare is not None and not options.report:
        raise BadSetting("--compare shows an earlier folder of results in the report: add --report.")
    if options.compare is not None and not options.compare.is_dir():
        raise BadSetting(f"--compare {options.compare}: there is no such folder.")
    if options.keypoints_only and (options.overlay or options.report or options.measure):
        raise BadSetting("--keypoints-only lifts nothing: leave out --overlay, --report and --measure.")
    if options.measure and "json" not in options.format:
        raise BadSetting("--measure is written to .json files: add json to --format.")
    if not options.format and not (options.overlay or options.report or options.keypoints_only):
        raise BadOutput("nothing would come of it: --format names no file, and there is no --overlay and no --report.")
    model = options.model
    if model is not None and str(model) not in SHIPPED_LIFTERS:
        model = model.expanduser().absolute()
    return part(
        PredictionSettings,
        model=model,
        detector=absolute_detector_spec(options.detector),
        boxes=None if options.boxes is None else absolute_detector_spec(options.boxes),
        compare=None if options.compare is None else options.compare.expanduser().absolute(),
    ), workers


def _check_numbers(options: PredictOptions) -> None:
    """Refuse what would fail in every recording, or be passed over in all that do not need it.

    Raises:
        BadSetting: a number is out of its range.
    """
    from sdk.keypoint_files.limits import FASTEST_HZ

    rules: dict[str, tuple[bool, str]] = {
        "det_every": (options.det_every >= 1, "1 or more"),
        "field_of_view": (
            options.field_of_view is None or 0 < options.field_of_view < 180,
            "degrees between 0 and 180",
        ),
        "fps": (options.fps is None or 0 < options.fps <= FASTEST_HZ, f"above 0, and {FASTEST_HZ:g} at most"),
        "image_size": (options.image_size is None or min(options.image_size) >= 1, "a width and a height in pixels"),
    }
    for name, (fits, words) in rules.items():
        if not fits:
            value = getattr(options, name)
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
            raise BadSetting(f"--{name.replace('_', '-')} is {shown}; it must be {words}.")


def _done(outcomes: dict[str, Outcome[Prediction]]) -> int:
    return sum(not one.error for one in outcomes.values())


def _list_name(workers: WorkerSettings) -> str:
    """Shards that write to one folder have a list each."""
    if workers.shard is None:
        return "predictions.json"
    part, parts = parse_shard(workers.shard)
    return f"predictions.{part}-of-{parts}.json"


def _listing(sources: Sources, names: Sequence[str], outcomes: dict[str, Outcome[Prediction]]) -> dict[str, Any]:
    from sdk.files.addresses import masked_text
    from sdk.prediction.summary import summary_to_json

    paths = {one.name: one.path for one in sources.recordings}
    entries = []
    for name in names:
        entry: dict[str, Any] = {"name": name, "source": masked_text(paths[name])}
        outcome = outcomes.get(name)
        if outcome is None:
            entry["status"] = "not begun"
        elif outcome.result is None:
            entry |= {"status": "failed", "reason": outcome.error}
            entry |= {"trace": masked_text(outcome.trace)} if outcome.trace else {}
        else:
            worked, summary = outcome.result.worked, outcome.result.summary
            entry |= {"status": "done" if worked else "there already", **summary_to_json(summary)}
            if worked:
                entry |= {"took_s": round(outcome.seconds, 3), "peak_memory_bytes": outcome.peak_memory_bytes}
        entries.append(entry)
    skipped = [dataclasses.asdict(one) for one in sources.skipped]
    return {"recordings": entries, "skipped": skipped, "notes": list(sources.notes)}


def _print_table(outcomes: Iterable[Outcome[Prediction]], sources: Sources) -> None:
    """What was found; of many recordings the failures, and the sum of the others."""
    from sdk.workers.progress import duration_text

    outcomes = sorted(outcomes, key=lambda one: one.name)
    good = [one for one in outcomes if one.result is not None]
    if good and len(good) <= _MOST_ROWS:
        _show(_table(good))
    for one in outcomes:
        if one.result is None:
            print(f"failed    {one.name}: {one.error}")
        else:
            for note in one.result.summary.notes:
                print(f"note      {note}")
    for skipped in sources.skipped:
        print(f"skipped   {skipped.name}: {skipped.reason}")
    for note in sources.notes:
        print(f"note      {note}")
    results = [one.result for one in good if one.result is not None]
    worked = sum(result.worked for result in results)
    print(
        f"recordings: {worked} done, {len(results) - worked} were there already, {len(outcomes) - len(good)} failed; "
        f"{duration_text(sum(result.summary.duration_s for result in results))}, "
        f"{sum(result.summary.poses for result in results)} poses."
    )


def _show(table: Table) -> None:
    """On a terminal as wide as that; in a file, which has no width, with whole names."""
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    text = io.StringIO()
    Console(file=text, width=_FILE_WIDTH).print(table)
    print("\n".join(line.rstrip() for line in text.getvalue().splitlines()))


def _table(outcomes: Sequence[Outcome[Prediction]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("recording", overflow="fold")
    for heading in ("people", "seconds", "lifted", "bridged", "nobody", "longest\ngap", "frames/s"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        assert outcome.result is not None
        one = outcome.result.summary
        speed = f"{one.frames / outcome.seconds:.1f}" if outcome.result.worked and outcome.seconds else "-"
        table.add_row(
            escape(outcome.name),
            str(one.people),
            f"{one.duration_s:.1f}",
            _percent(one.lifted, one.poses),
            _percent(one.bridged, one.poses),
            _percent(one.empty_frames, one.frames),
            f"{one.longest_gap_s:.1f} s",
            speed,
        )
    return table


def _percent(part: int | None, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole and part is not None else "-"


def _main() -> None:
    if run(tyro.cli(PredictOptions, prog="adaptpose-predict")):
        sys.exit(SOME_FAILED)


def main() -> None:
    """Entry point of the `adaptpose-predict` script."""
    run_command(_main)


if __name__ == "__main__":
    main()
