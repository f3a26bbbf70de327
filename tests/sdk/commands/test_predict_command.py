"""`adaptpose-predict` as a user calls it: many recordings, some broken, killed on the way, on a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sdk.commands.predict_command import PredictOptions, _listing, run
from sdk.errors import AdaptPoseError, BadSetting, UnknownSkeleton
from sdk.keypoint_files.writing import write_keypoints
from sdk.prediction.prediction import Prediction
from sdk.prediction.sources import Source, Sources
from sdk.workers.tasks import Outcome
from tests.sdk.prediction.recordings import FRAMES, contents, track, write_models, write_plain_video

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are POSIX's")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Six videos that can be used, a keypoint file, and ten that can't be."""
    folder = tmp_path / "archive"
    (folder / "deep").mkdir(parents=True)
    for at in range(6):
        write_plain_video(folder / ("deep" if at % 2 else ".") / f"v{at}.mp4", FRAMES + at)
    write_keypoints(folder / "walk.npz", [track()])
    whole = (folder / "v0.mp4").read_bytes()
    broken = {"empty": b"", "text": b"no video", "zeros": bytes(4096), "half": whole[: len(whole) // 2]}
    broken |= {f"cut{at}": whole[: 40 * at] for at in range(1, 6)}
    for name, content in broken.items():
        (folder / f"{name}.mp4").write_bytes(content)
    (folder / "bad.json").write_text("{}")
    write_models(tmp_path)
    return folder


BROKEN = {"empty.mp4", "text.mp4", "zeros.mp4", "half.mp4", *(f"cut{at}.mp4" for at in range(1, 6)), "bad.json"}
GOOD = {"v0.mp4", "deep/v1.mp4", "v2.mp4", "deep/v3.mp4", "v4.mp4", "deep/v5.mp4", "walk.npz"}


def options(archive: Path, save: str, **changed: object) -> PredictOptions:
    models = {"model": archive.parent / "linear.onnx", "detector": f"onnx:{archive.parent / 'toy.onnx'}"}
    given = {"sources": (str(archive),), "save": archive.parent / save, **models, **changed}
    return PredictOptions(**given)  # type: ignore[arg-type]  # settings of many types in one dict


def command(archive: Path, save: str, *words: str, program: tuple[str, ...] = ()) -> list[str]:
    models = ["--model", str(archive.parent / "linear.onnx"), "--detector", f"onnx:{archive.parent / 'toy.onnx'}"]
    start = program or ("-m", "sdk.commands.predict_command")
    return [sys.executable, *start, str(archive), "--save", str(archive.parent / save), *models, *words]


def listed(folder: Path, name: str = "predictions.json") -> dict[str, dict]:
    return {one["name"]: one for one in json.loads((folder / name).read_text())["recordings"]}


def test_workers_and_shards_make_the_same_and_broken_ones_stop_nothing(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options(archive, "one")) == len(BROKEN)
    told = capsys.readouterr()
    assert "recordings: 7 done, 0 were there already, 10 failed; 7 s, " in told.out
    assert "text.mp4 can't be opened: it is not a video" in told.out
    entries = listed(archive.parent / "one")
    assert {name for name, one in entries.items() if one["status"] == "failed"} == BROKEN
    assert {name for name, one in entries.items() if one["status"] == "done"} == GOOD
    assert all(one["reason"] for one in entries.values() if one["status"] == "failed")

    assert run(options(archive, "two", workers=2)) == len(BROKEN)
    assert contents(archive.parent / "two") == contents(archive.parent / "one")

    for part in (1, 2):
        run(options(archive, "shards", shard=f"{part}/2"))
    assert contents(archive.parent / "shards") == contents(archive.parent / "one")
    parts = [listed(archive.parent / "shards", f"predictions.{part}-of-2.json") for part in (1, 2)]
    assert not parts[0].keys() & parts[1].keys()
    assert parts[0].keys() | parts[1].keys() == GOOD | BROKEN

    run(options(archive, "shards"))
    entries = listed(archive.parent / "shards")
    assert {name for name, one in entries.items() if one["status"] == "there already"} == GOOD


def test_in_a_log_file_the_table_has_the_whole_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "2026-season/game-03-away/second-half/camera-01.mp4"
    archive = tmp_path / "archive"
    (archive / name).parent.mkdir(parents=True)
    write_plain_video(archive / name, FRAMES)
    write_models(tmp_path)
    assert run(options(archive, "out")) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in told if name in line] == [[name, "1", "0.8"]]
    assert all(line == line.rstrip() for line in told)


def test_a_shard_without_a_recording_says_so(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options(archive, "out", shard="60/64")) == 0
    assert capsys.readouterr().out == "--shard 60/64: none of the 17 recordings falls to this part.\n"


def test_a_killed_run_goes_on(archive: Path) -> None:
    """kill -9 of the first process, its workers in the middle of something: no half results, nothing twice."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    save = archive.parent / "out"
    process = subprocess.Popen(
        command(archive, "out", "--workers", "2"), env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"person in" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    process.stderr.close()
    until = time.monotonic() + 60
    while time.monotonic() < until and any(has_group(path, process.pid) for path in Path("/proc").glob("[0-9]*")):
        time.sleep(0.2)  # the workers end by themselves
    for folder in {path.parent for path in save.rglob("summary.json") if not path.parent.name.startswith(".")}:
        assert (folder / "poses.npz").is_file()
    run(options(archive, "out"))
    run(options(archive, "clean"))
    assert contents(save) == contents(archive.parent / "clean")
    assert any(one["status"] == "there already" for one in listed(save).values())


def has_group(process: Path, group: int) -> bool:
    """Whether a process of /proc belongs to a group, and is not only waited for."""
    try:
        state, _, found = (process / "stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(found) == group and state != "Z"


FULL_DISK = """
import resource, signal, sys
from sdk.commands import predict_command
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop()), resource.RLIM_INFINITY))
predict_command.main()
"""


def test_a_full_disk_stops_what_can_not_succeed_and_loses_nothing(archive: Path) -> None:
    write_plain_video(archive / "deep" / "v3.mp4", 150)  # the only one that is too large
    done = subprocess.run(
        command(archive, "out", "30000", program=("-c", FULL_DISK)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert f"{archive.parent / 'out' / 'deep' / 'v3.mp4'} can't be written: File too large." in last
    assert "kept" not in last  # the rows of the hidden folder are not
    assert last.endswith("the same command goes on with the others.")
    save = archive.parent / "out"
    assert not any(path.name.startswith(".") for path in save.rglob("*"))
    there = {path.parent.relative_to(save).as_posix() for path in save.rglob("summary.json")}
    assert there == {"v0.mp4", "v2.mp4", "v4.mp4", "walk.npz", "deep/v1.mp4"}  # before it
    run(options(archive, "out"))
    run(options(archive, "clean"))
    assert contents(save) == contents(archive.parent / "clean")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"workers": 0}, "--workers is 0"),
        ({"shard": "3/2"}, "--shard is '3/2'"),
        ({"address": "auto", "device": "cuda"}, "--device cuda with --address auto: .* holds CPUs and no GPU"),
        ({"address": "auto", "model": Path("lifter.engine")}, "an engine with --address auto: .* no GPU"),
        ({"compare": Path("x")}, "add --report"),
        ({"compare": Path("x"), "report": True}, "--compare x: there is no such folder"),
        ({"steady_feet": True, "upright": True}, "add --upright, and --field-of-view DEGREES"),
        ({"tilt": (3.0, 0.0)}, "add --upright"),
        ({"camera_motion": "moving"}, "--camera-motion .* add --upright"),
        ({"camera_motion": "still", "upright": True, "tilt": (3.0, 0.0)}, "--camera-motion .* without --tilt"),
        (
            {"camera_motion": "moving", "upright": True, "steady_feet": True, "field_of_view": 60.0},
            "leave out --camera-motion moving",
        ),
        ({"keypoints_only": True, "overlay": True}, "--keypoints-only lifts nothing"),
        ({"sources": ()}, "SOURCES names nothing"),
        ({"measure": ("angles",)}, "--measure is written to .json files: add json to --format"),
        ({"tilt": (float("nan"), 0.0), "upright": True}, "--tilt is nan 0; it must be two angles"),
        ({"field_of_view": 180.0}, "--field-of-view is 180.0; it must be degrees between 0 and 180"),
        ({"fps": float("nan")}, "--fps is nan; it must be above 0, and 10000 at most"),
        ({"det_every": 0}, "--det-every is 0; it must be 1 or more"),
        ({"image_size": (0, 480)}, "--image-size is 0 480; it must be a width and a height in pixels"),
    ],
)
def test_settings_that_can_not_be(archive: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(BadSetting, match=message):
        run(options(archive, "out", **changed))
    assert not (archive.parent / "out").exists()


def test_a_skeleton_that_nobody_knows_is_said_once_before_anything_runs(archive: Path) -> None:
    with pytest.raises(UnknownSkeleton, match=r"'nope' is not a known skeleton. Known: h36m16"):
        run(options(archive, "out", skeleton="nope"))
    assert not (archive.parent / "out").exists()


def test_a_missing_model_is_said_once_before_anything_runs(archive: Path) -> None:
    with pytest.raises(AdaptPoseError, match="no lifter at"):
        run(options(archive, "out", model=Path("nowhere")))
    with pytest.raises(AdaptPoseError, match=r"nowhere.*0 recordings are done, 17 are left"):
        run(options(archive, "out", detector="onnx:nowhere.onnx"))


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'cv2', 'onnxruntime', 'ray', 'supervision', 'torch'}"
    program = f"import sys, sdk.commands.predict_command; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr


def test_the_list_of_recordings_holds_no_secret_of_an_address() -> None:
    address = "https://user:geheim@door/a.mp4?token=geheim"
    sources = Sources((Source("a.mp4", address, "video"), Source("b.mp4", "/films/b.mp4", "video")), (), ())
    outcomes: dict[str, Outcome[Prediction]] = {
        "a.mp4": Outcome("a.mp4", error="it failed", trace=f"RuntimeError: {address}")
    }
    listing = _listing(sources, ["a.mp4", "b.mp4"], outcomes)
    assert [one["source"] for one in listing["recordings"]] == ["https://***@door/a.mp4?token=***", "/films/b.mp4"]
    assert "geheim" not in json.dumps(listing)
