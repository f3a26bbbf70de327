"""Every snippet and every command of README and docs runs, or is at least one that the real command line takes."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import sdk
from tests.docs.pages import LANGUAGES, README, ROOT, SITE, WEIGHTS, Snippet, blocks, commands
from tests.sdk.stick_figures import SIZE, KnowingDetector, walk, write_video
from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp
from training.datasets.preparation import prepare

tyro = pytest.importorskip("tyro")
pytest.importorskip("torch")

PAGES = [README, WEIGHTS, *SITE]
PYTHON = [one for page in PAGES for one in blocks(page) if one.language == "python"]
COMMANDS = [one for page in PAGES for one in commands(page)]
FRAMES = 60

RUN = ("adaptpose-live video.mp4", "python -m demos.webcam video.mp4")
"""Commands that begin so are run to their end on a small video."""
PARSED = {
    "adaptpose-train": "minutes of training; tests/training/commands runs it for a few steps",
    "adaptpose-export": "seconds to minutes, some need mmpose or TensorRT; tests/export runs it",
    "adaptpose-evaluate": "needs labelled sequences; tests/training/evaluation measures some",
    "adaptpose-reproduce": "minutes to weeks, on data that is not here; tests/training/reproduction runs a rehearsal",
    "adaptpose-data": "needs the data sets; tests/training/datasets runs it on miniature ones",
    "adaptpose-predict": "names recordings that are not here; tests/sdk/prediction runs it on small ones",
    "adaptpose-live": "needs a camera, or is cut short in a sentence",
    "python -m demos.webcam": "the same",
    "python -m demos.viewer": "serves until it is stopped; tests/demos looks at it in a browser",
    "python -m demos.before_after": "needs the video of make demo; tests/demos runs it on another",
    "python -m benchmarks.": "minutes to hours, on data that is not part of the project",
    "python benchmarks/": "the same",
}
"""Exceptions: commands that the real command line takes, and that are not run; and why."""
LOOKED_UP = {
    "make": "installs, or takes minutes: its target must be in the Makefile",
    "pip install": "needs a package index and minutes: its extras must be in setup.py",
    "pip uninstall": "would change the environment of the tests",
}
"""Exceptions: commands of others' programs; and why."""
NOT_RUN = {
    "docs/benchmarks/motion_model.md": "it samples for some seconds; the motion model's own tests sample less",
    "docs/guides/export.md": "a Triton client: tests/export/test_triton_client.py runs it against a stand-in",
}
"""Exceptions: pages whose Python is compiled and no more; and why."""
SUBCOMMANDS = (["bench"], ["detector"], ["pretrain"], ["motion-model"], ["prepare"], ["show"], ["check"])


@pytest.fixture(scope="module")
def made_files(tmp_path_factory):
    """The files that snippets speak of, small: a video, keypoints, and a run folder with the shipped lifter."""
    folder = tmp_path_factory.mktemp("reader")
    people = list(zip(walk(FRAMES, (100, 60), (1, 0)), walk(FRAMES, (220, 70), (-0.5, 0.2), 1.0), strict=True))
    write_video(folder / "video.mp4", people)
    scored = np.concatenate([walk(FRAMES, (100, 60), (1, 0)), np.full((FRAMES, 17, 1), 0.9)], -1).astype(np.float32)
    np.savez(folder / "keypoints.npz", keypoints=scored, image_size=SIZE, skeleton="coco17", frame_rate_hz=25.0)
    sdk.write_keypoints(folder / "alphapose-results.json", sdk.read_keypoints(folder / "keypoints.npz"))
    write_mpi_inf_3dhp(folder / "3dhp", frames=12, subjects=(), tests=(6,))
    prepare("3dhp", folder / "3dhp", folder / "data" / "3dhp")
    run = folder / "runs" / "ski_videos"
    run.mkdir(parents=True)
    shipped = sdk.Lifter().path
    shutil.copy(shipped, run / "lifter.onnx")
    onnx.save(onnx.load(shipped.with_name("fast.stream.onnx")), run / "lifter.stream.onnx")  # it holds its own weights
    return folder, people


@pytest.fixture
def reader(made_files, monkeypatch):
    """Makes the test a reader in a folder with those files; every detector's word is one that knows the video."""
    folder, people = made_files

    def open_detector(*words, **options):
        return KnowingDetector(people)

    for module in {sdk.open_detector.__module__, sdk.PoseStream.__module__}:
        monkeypatch.setattr(sys.modules[module], "open_detector", open_detector)
    monkeypatch.chdir(folder)
    return folder


class Parsed(Exception):
    """The command line was understood; nothing was done."""


def entry_point(script):
    """The function behind a console script, as setup.py says."""
    (place,) = re.findall(rf'"{script}=([\w.]+):main"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    return importlib.import_module(place).main


def call(words, monkeypatch):
    """Run a command line of ours in this process, as a shell would."""
    if words[0].startswith("adaptpose-"):
        monkeypatch.setattr(sys, "argv", words)
        entry_point(words[0])()
        return
    assert words[0] == "python"
    if words[1] == "-m":
        spec = importlib.util.find_spec(words[2])
        assert spec is not None, words[2]
        path, arguments = spec.origin, words[3:]
    else:
        path, arguments = str(ROOT / words[1]), words[2:]
    monkeypatch.setattr(sys, "argv", [path, *arguments])
    runpy.run_path(path, run_name="__main__")


def without_prefix(snippet: Snippet) -> list[str]:
    """Its words, without `time` and settings of the environment."""
    words = shlex.split(snippet.text)
    while words[0] == "time" or re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    return words


def begins(snippet: Snippet, starts) -> str | None:
    """Which of these it begins with."""
    text = shlex.join(without_prefix(snippet))
    return next((start for start in starts if text.startswith(start)), None)


RUN_ONES = [one for one in COMMANDS if begins(one, RUN)]
PARSED_ONES = [one for one in COMMANDS if one not in RUN_ONES and begins(one, PARSED)]


def test_every_command_is_run_or_a_known_exception():
    rest = [one for one in COMMANDS if one not in RUN_ONES and one not in PARSED_ONES]
    assert [f"{one}: {one.text}" for one in rest if not begins(one, LOOKED_UP)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_what_it_is(page):
    assert {block.language for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_python_runs(snippet, reader, capsys):
    code = compile("\n" * snippet.line + snippet.text, str(ROOT / snippet.page), "exec")
    if snippet.page in NOT_RUN:
        return
    exec(code, {"__name__": "__main__"})
    if "print(" in snippet.text:
        assert capsys.readouterr().out.strip(), "the snippet prints, and nothing was printed"


@pytest.mark.parametrize("snippet", RUN_ONES, ids=str)
def test_quick_command_runs(snippet, reader, monkeypatch):
    call(without_prefix(snippet), monkeypatch)
    words = shlex.split(snippet.text)
    named = [word for word in words[2:] if Path(word).suffix in (".npz", ".json", ".mp4") and word != "video.mp4"]
    assert all((reader / name).stat().st_size > 0 for name in named)


@pytest.mark.filterwarnings("ignore")  # of packages that a script imports
@pytest.mark.parametrize("snippet", PARSED_ONES, ids=str)
def test_command_line_takes_it(snippet, reader, monkeypatch, capsys):
    parse, parse_args = tyro.cli, argparse.ArgumentParser.parse_args

    def cli(*arguments, **options):
        parsed = parse(*arguments, **options)
        if options.get("return_unknown_args"):
            return parsed  # another call takes the rest
        raise Parsed

    def standard(*arguments):
        parse_args(*arguments)
        raise Parsed

    monkeypatch.setattr(tyro, "cli", cli)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", standard)
    words = without_prefix(snippet)
    try:
        call(words, monkeypatch)
    except Parsed:
        return
    except SystemExit:
        assert snippet.language == "inline", capsys.readouterr().err
    # Named in a sentence, without what it needs: its options must be among those that --help lists.
    program = 3 if words[1:2] == ["-m"] else 2 if words[0] == "python" or words[1:2] in SUBCOMMANDS else 1
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        call([*words[:program], "--help"], monkeypatch)
    assert end.value.code == 0
    listed = capsys.readouterr().out
    assert [word for word in words[program:] if word.startswith("--") and word not in listed] == []


@pytest.mark.parametrize("snippet", [one for one in COMMANDS if begins(one, ["make "])], ids=str)
def test_make_knows_the_target(snippet):
    (target,) = [word for word in without_prefix(snippet)[1:] if "=" not in word] or ["test"]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("snippet", [one for one in COMMANDS if begins(one, ["pip install "])], ids=str)
def test_extras_exist(snippet):
    known = re.findall(r'^    "([\w-]+)": \[', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE)
    asked = re.findall(r"\[([\w,-]+)\]", snippet.text)
    assert set(",".join(asked).split(",")) - {""} <= set(known)
