"""How command lines end."""

import os
import subprocess
import sys

import pytest

from sdk.commands.command_line import require_packages, run_command
from sdk.errors import BadVideo, MissingDependency


def failing(error):
    def command():
        raise error

    return command


def test_success_returns(capsys):
    assert run_command(lambda: print("done")) is None
    assert capsys.readouterr().out == "done\n"


def test_an_error_on_purpose_is_one_message_and_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        run_command(failing(BadVideo("clip.mp4 holds no frames.")))
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.err == "error: clip.mp4 holds no frames.\n"
    assert printed.out == ""


def test_ctrl_c_is_130_without_a_trace(capsys):
    with pytest.raises(SystemExit) as stop:
        run_command(failing(KeyboardInterrupt()))
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_ctrl_c_may_say_the_way_on(capsys):
    with pytest.raises(SystemExit) as stop:
        run_command(failing(KeyboardInterrupt("Go on with --resume.")))
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted. Go on with --resume.\n"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), ZeroDivisionError()])
def test_a_bug_keeps_its_trace(error):
    with pytest.raises(type(error)):
        run_command(failing(error))


def test_a_missing_package_is_named_with_its_extra_and_nothing_is_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "roma", None)  # as Python marks what is not to be had
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    require_packages("colorsys", extra="train", purpose="Training")
    assert "colorsys" not in sys.modules
    with pytest.raises(MissingDependency, match=r"Training needs the package 'roma'.*adaptpose\[train\]"):
        require_packages("colorsys", "roma", extra="train", purpose="Training")


PRINTS = """
import sys
from sdk.commands.command_line import run_command
def command():
    for line in range(100_000):
        print(line)
run_command(command)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="head")
@pytest.mark.parametrize("program", [["-c", PRINTS], ["-m", "sdk.commands.live_command", "--help"]])
def test_a_pipe_that_is_closed_ends_without_a_word(program):
    """As with `| head -1`, which may be gone before the first line comes."""
    for lines in (1, 0):
        process = subprocess.Popen([sys.executable, *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(lines):
            process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(60) in ((141, 0) if lines else (141,))


def test_names_of_any_bytes_are_printed():
    program = "import os\nfrom sdk.commands.command_line import run_command\n"
    program += "run_command(lambda: print(os.fsdecode(b'caf\\xe9')))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    )
    assert (done.stdout, done.stderr) == (b"caf\\udce9\n", b"")
