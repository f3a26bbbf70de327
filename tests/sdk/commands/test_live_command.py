"""`adaptpose-live` as a user calls it, on a rendered clip, and what it says to bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.commands.live_command import LiveOptions, run
from sdk.detectors.detection import Detections
from sdk.errors import BadOutput, BadVideo
from sdk.lifting.lifter import Lifter
from sdk.lifting.shipped_lifters import DEFAULT_LIFTER, SHIPPED_LIFTERS
from sdk.video.source import open_video
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.live_sources import FailingDetector
from tests.sdk.stick_figures import SIZE, KnowingDetector, read_index, render, walk, write_video
from tests.sdk.video.video_files import H263_SIZE, damage, write

ROOT = Path(__file__).parents[3]
PEOPLE = [(k,) for k in walk(40, (60, 60), (2, 0))]


def live(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command without a display."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "sdk.commands.live_command", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_video(tmp_path / "walk.mp4", PEOPLE)
    write_linear_lifter(tmp_path / "linear.onnx")
    return tmp_path


def test_poses_and_overlay_of_a_clip(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detector = KnowingDetector(PEOPLE)
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: detector)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    output, save = clip / "o.mp4", clip / "p.npz"
    run(LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", output=output, save=(save,), smooth=False))

    with np.load(save, allow_pickle=False) as poses:
        keypoints, joints_m = poses["keypoints_px"], poses["joints_m"]
        assert poses["track_id"].tolist() == [1] * 40
        assert bool(poses["complete"])
    np.testing.assert_array_equal(keypoints, np.stack([k for (k,) in PEOPLE]))
    expected = Lifter(clip / "linear.onnx")(keypoints, image_size=SIZE, skeleton="coco17", fps=25.0)
    np.testing.assert_allclose(joints_m, expected, atol=2e-6)
    with open_video(output) as video:
        assert video.image_size[0] > SIZE[0]
        assert len(list(video)) == 40

    told = capsys.readouterr()
    assert "walk.mp4: 40 frames, 1 people (at most 1 at once), 40 poses in 3D; 0 frames without a person." in told.out
    assert "Delay: 0.52 s" in told.out
    assert f"Wrote {output}" in told.out
    assert f"Wrote {save}" in told.out
    for stage in ("read", "detect", "track", "lift", "output"):
        assert f"\n{stage}" in told.out
    assert "No window: there is no display" in told.err


def test_command_line_with_the_default_detector(clip: Path, movenet_cache: Path) -> None:
    """MoveNet, from weights in the cache; mediapipe and torch are not there."""
    for name in ("mediapipe", "torch"):
        (clip / f"{name}.py").write_text(f"raise ImportError('no {name} here')")  # found first: in the working folder
    done = live(
        "walk.mp4", "--model", "linear.onnx", "--output", "o.mp4", "--save", "p.npz", "--max-frames", 9, cwd=clip
    )
    assert done.returncode == 0, done.stderr
    assert "walk.mp4: 9 frames" in done.stdout
    with open_video(clip / "o.mp4") as video:
        assert len(list(video)) == 9
    with np.load(clip / "p.npz", allow_pickle=False) as poses:
        assert len(poses["frame_timestamps_s"]) == 9
        assert str(poses["skeleton"]) == "coco17"


def test_help_names_every_option(tmp_path: Path) -> None:
    done = live("--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("SOURCE", "--model", "--detector", "--boxes", "--device", "--output", "--save", "--no-show", "--fps"):
        assert word in done.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'cv2', 'onnxruntime', 'supervision', 'torch'}"
    program = f"import sys, sdk.commands.live_command; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["walk.mp4"], "no window (there is no display"),
        (["walk.mp4", "--no-show"], "no window (--no-show was given) and no file. Add --output out.mp4"),
        (["missing.mp4", "--save", "p.npz"], "missing.mp4: no such file or folder"),
        (["text.mp4", "--save", "p.npz"], "text.mp4 can't be opened: it is not a video"),
        (["empty", "--save", "p.npz"], "empty: no images"),
        (["walk.mp4", "--save", "p.fbx"], "p.fbx: poses are written as .npz, .json, .csv, .trc, .c3d, .bvh"),
        (["walk.mp4", "--output", "none/o.mp4"], "there is no folder none"),
        (
            ["walk.mp4", "--save", "p.npz", "--people", "0"],
            "people is 0; it must be all, largest, central, or",
        ),
        (["walk.mp4", "--save", "p.npz", "--steady-feet", "--upright"], "add --upright, and --field-of-view DEGREES"),
        (["walk.mp4", "--save", "p.npz", "--upright"], "does not tell which way is up: take --model feet"),
        (["walk.mp4", "--save", "p.npz", "--max-frames", "0"], "--max-frames is 0; it must be 1 or more"),
        (["walk.mp4", "--save", "p.npz", "--model", "none"], "no lifter at none"),
        (["walk.mp4", "--save", "p.npz", "--model", "linear.onnx", "--device", "tpu"], "'tpu' is not a known device"),
        (
            ["walk.mp4", "--save", "p.npz", "--model", "linear.onnx", "--detector", "hrnet"],
            "'hrnet' is not a known",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(clip: Path, words: list[str], message: str) -> None:
    (clip / "text.mp4").write_text("no video")
    (clip / "empty").mkdir()
    before = set(clip.iterdir())
    done = live(*words, cwd=clip)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert set(clip.iterdir()) == before


def test_error_in_mid_stream_keeps_what_was_recorded(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = clip / "frames"
    frames.mkdir()
    for index in range(30):
        cv2.imwrite(str(frames / f"{index}.png"), render(index, PEOPLE[index]))
    (frames / "30.png").write_bytes(b"damaged")
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector(PEOPLE))
    with pytest.raises(BadVideo, match=r"30.png is not a readable image"):
        run(LiveOptions(str(frames), model=clip / "linear.onnx", save=(clip / "p.npz",), show=False, fps=25.0))
    with np.load(clip / "p.npz", allow_pickle=False) as poses:
        assert poses["frame_index"].tolist() == list(range(17))  # the others still waited for their future
        assert not bool(poses["complete"])


def test_interrupt_keeps_what_was_recorded(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(KnowingDetector):
        def __call__(self, image_bgr: np.ndarray) -> Detections:
            if read_index(image_bgr) == 25:
                raise KeyboardInterrupt
            return super().__call__(image_bgr)

    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: Interrupted(PEOPLE))
    output, save = clip / "o.mp4", clip / "p.npz"
    with pytest.raises(KeyboardInterrupt):
        run(LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", output=output, save=(save,), show=False))
    with np.load(save, allow_pickle=False) as poses, open_video(output) as video:
        assert poses["frame_index"].tolist() == list(range(12))
        assert len(list(video)) == 12


@pytest.mark.skipif(sys.platform == "win32", reason="signals to another process are POSIX's")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_whoever_asks_it_to_end_finds_whole_files(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """A service manager or a container, a terminal that closes, and Ctrl-C."""
    write_linear_lifter(tmp_path / "linear.onnx")
    program = """
import signal, sys
from sdk.commands import live_command
from sdk.video import source
from sdk.detectors import factory
from tests.sdk.live_sources import EndlessReader
from tests.sdk.stick_figures import KnowingDetector, render, walk
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
signal.signal(signal.SIGHUP, signal.SIG_DFL)
track = walk(1, (60, 60), (0, 0))
reader = EndlessReader(render(0, [track[0]]))
source.open_video = lambda *_, **__: source.VideoSource("endless", reader, 25.0)
factory.open_detector = lambda *_, **__: KnowingDetector([(track[0],)])
sys.argv = ["adaptpose-live", "0", "--no-show", *sys.argv[1:]]
live_command.main()
"""
    files = ["--output", tmp_path / "o.mp4", "--save", tmp_path / "p.npz", tmp_path / "p.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--model", tmp_path / "linear.onnx", *files],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "p.json").exists() or (tmp_path / "p.json").stat().st_size < 1000:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(number)
        if number is not signal.SIGINT:
            process.send_signal(number)  # who asks twice does not cost the files either
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linear.onnx", "o.mp4", "p.json", "p.npz"]
    with np.load(tmp_path / "p.npz", allow_pickle=False) as poses, open_video(tmp_path / "o.mp4") as video:
        assert len(poses["frame_index"]) == len(json.loads((tmp_path / "p.json").read_text())) > 0
        assert not bool(poses["complete"])
        assert len(list(video)) > 0
    assert f"Wrote {tmp_path / 'o.mp4'}" in out


@pytest.mark.parametrize("way", ["same", "relative", "hard link", "link", "save", "folder"])
def test_source_is_not_written_over(clip: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    video, other, saved = clip / "walk.mp4", clip / "other.mp4", clip / "other.npz"
    before = video.read_bytes()
    source, output, save = video, video, ()
    if way == "relative":
        monkeypatch.chdir(clip)
        output = Path("..") / clip.name / "walk.mp4"
    if way == "hard link":
        other.hardlink_to(video)
        output = other
    if way == "link":
        other.symlink_to(video)
        output = other
    if way == "save":
        saved.hardlink_to(video)
        output, save = None, (saved,)
    if way == "folder":
        source = clip / "images"
        source.mkdir()
        cv2.imwrite(str(source / "1.png"), render(1, []))
        output = source / "o.mp4"
        output.hardlink_to(source / "1.png")
        before = (source / "1.png").read_bytes()
    options = LiveOptions(str(source), model=clip / "linear.onnx", output=output, save=save, show=False)
    with pytest.raises(BadOutput, match=r"is the source .* itself: it would be overwritten"):
        run(options)
    assert (source / "1.png" if way == "folder" else video).read_bytes() == before


def test_one_file_for_two_outputs_is_refused(clip: Path) -> None:
    save = (clip / "p.csv", clip / "." / "p.csv")
    with pytest.raises(BadOutput, match="are the same file"):
        run(LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", save=save, show=False))


def test_damage_in_the_middle_is_reported(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = damage(write(clip / "d.3gp", "H263", 40, size=H263_SIZE), 0.4, 0.1)
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector([()] * 1024))
    run(LiveOptions(str(video), model=clip / "linear.onnx", save=(clip / "p.npz",), show=False))
    out = capsys.readouterr().out
    assert re.search(r"DAMAGED: (\d+) of 40 frames could not be read: \1 between 0\.\d+ and [01]\.\d+ s\.", out)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_name_that_is_no_utf8(clip: Path) -> None:
    name = os.fsdecode(b"w\xe9.mp4")
    (clip / "walk.mp4").rename(clip / name)
    program = "import sdk.detectors.factory as f, sys\nfrom sdk.commands.live_command import main\n"
    program += "from tests.sdk.stick_figures import KnowingDetector\n"
    program += "f.open_detector = lambda *_, **__: KnowingDetector([()] * 40)\nmain()"
    options = ["--model", clip / "linear.onnx", "--save", clip / os.fsdecode(b"p\xe9.npz"), "--no-show"]
    done = subprocess.run([sys.executable, "-c", program, clip / name, *options], capture_output=True, timeout=100)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert b"w\\xe9.mp4: 40 frames" in done.stdout
    assert (clip / os.fsdecode(b"p\xe9.npz")).exists()


def test_truncated_video_is_reported(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = cv2.VideoWriter(str(clip / "walk.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    for index, figures in enumerate(PEOPLE):
        writer.write(render(index, figures))
    writer.release()
    whole = (clip / "walk.avi").read_bytes()
    (clip / "cut.avi").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector(PEOPLE))
    run(LiveOptions(str(clip / "cut.avi"), model=clip / "linear.onnx", save=(clip / "p.npz",), show=False))
    assert "TRUNCATED: the container announces 40 frames" in capsys.readouterr().out


def test_video_without_people_is_reported(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector([()] * 40))
    run(LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", save=(clip / "p.npz",), show=False))
    assert "40 frames, 0 people (at most 0 at once), 0 poses in 3D; 40 frames without" in capsys.readouterr().out
    with np.load(clip / "p.npz", allow_pickle=False) as poses:
        assert poses["joints_m"].shape == (0, 16, 3)


def test_webcam_demo_draws_a_file(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from demos.webcam import main as webcam

    monkeypatch.setattr("sdk.stream.pose_stream.open_detector", lambda spec, **_: KnowingDetector(PEOPLE))
    monkeypatch.setitem(SHIPPED_LIFTERS, DEFAULT_LIFTER, clip / "linear.onnx")
    webcam(str(clip / "walk.mp4"), "movenet", str(clip / "o.mp4"))
    with open_video(clip / "o.mp4") as video:
        assert len(list(video)) == 40


def test_every_format_is_written_and_angles_are_measured(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector(PEOPLE))
    save = tuple(clip / f"p{suffix}" for suffix in (".npz", ".json", ".csv", ".trc", ".c3d", ".bvh"))
    run(
        LiveOptions(
            str(clip / "walk.mp4"),
            model=clip / "linear.onnx",
            save=save,
            show=False,
            measure=("angles",),
            field_of_view=60.0,
            settle_bones=True,
        )
    )
    written = {path.name for path in clip.iterdir()}
    assert written >= {"p.npz", "p.json", "p.csv", "p_person1.trc", "p_person1.c3d", "p_person1.bvh"}
    entries = json.loads((clip / "p.json").read_text())
    assert len(entries) == 40
    assert "left_knee_flexion" in entries[0]["measurements"]
    assert f"Wrote {clip / 'p_person1.bvh'}" in capsys.readouterr().out


def test_failing_detector_is_in_the_summary(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = FailingDetector(PEOPLE, lambda index: index in (7, 20))
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: failing)
    run(LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", save=(clip / "p.npz",), show=False))
    told = capsys.readouterr().out
    assert "FAILED: the detector failed on 2 frames. They have no people." in told
    assert "Bridged, not detected in their own frame: 2 poses." in told
    assert "From arrival to 3D, p50/p95/p99 of the last 40 frames" in told


def test_webcam_demo_writes_a_file_where_there_is_no_display(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from demos.webcam import main as webcam

    monkeypatch.setattr("sdk.stream.pose_stream.open_detector", lambda spec, **_: KnowingDetector(PEOPLE))
    monkeypatch.setitem(SHIPPED_LIFTERS, DEFAULT_LIFTER, clip / "linear.onnx")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(clip)
    webcam(str(clip / "walk.mp4"), "movenet")
    with open_video(clip / "webcam.mp4") as video:
        assert len(list(video)) == 40


def test_the_summary_says_whom_it_took(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = walk(40, (250, 20), (0, 0)) * 0.6
    both = [(person, small[t]) for t, (person,) in enumerate(PEOPLE)]
    monkeypatch.setattr("sdk.detectors.factory.open_detector", lambda spec, **_: KnowingDetector(both))
    save = clip / "p.npz"
    options = LiveOptions(str(clip / "walk.mp4"), model=clip / "linear.onnx", save=(save,), show=False)
    run(replace(options, people="largest"))
    told = capsys.readouterr().out
    assert "1 people (at most 1 at once)" in told
    assert "Taken: the largest (--people largest). Left out: 1 other people, 40 times in an image." in told
    with np.load(save, allow_pickle=False) as poses:
        np.testing.assert_array_equal(poses["keypoints_px"], np.stack([k for (k,) in PEOPLE]))
    run(options)
    assert "Taken:" not in capsys.readouterr().out
