"""How command lines end."""

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
