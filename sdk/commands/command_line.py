"""How all commands of the project end: our errors are printed as one message, with exit code 2."""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from sdk.errors import AdaptPoseError, MissingDependency

USAGE_ERROR = 2
SOME_FAILED = 1
"""Of many recordings or runs some failed; the others have their results."""
INTERRUPTED = 130
_BY_SIGNAL = 128
"""Shells add this to a signal's number."""
_PIPE = 13
"""Number of SIGPIPE, which Python ignores."""
_ASKED_TO_END = ("SIGTERM", "SIGHUP")
"""Service managers, containers and closing terminals send these first. Windows does not have them."""


def run_command(command: Callable[[], None]) -> None:
    """Run a command. Exit codes: 2 after one of our errors, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.

    SIGTERM and SIGHUP end the command as Ctrl-C does: files are closed and keep what was written so far. The text of
    the KeyboardInterrupt, such as how to resume, is printed. If nobody reads the output any more (`| head`), it ends
    silently with 141, as other programs do. `command` also reads the arguments and prints the help.
    """
    received: list[int] = []
    try:
        with _ending_as_ctrl_c(received), _printing():
            command()
    except AdaptPoseError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt as stop:
        print(f"interrupted. {stop}".removesuffix(". "), file=sys.stderr)
        sys.exit(_BY_SIGNAL + received[0] if received else INTERRUPTED)


@contextmanager
def _printing() -> Iterator[None]:
    """Let file names of any bytes be printed, and end the command if nobody reads the output."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at exit, and would print an error then.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):
                stream.flush()
                continue
            os.dup2(nowhere, stream.fileno())
        sys.exit(_BY_SIGNAL + _PIPE)


@contextmanager
def _ending_as_ctrl_c(received: list[int]) -> Iterator[None]:
    """Raise KeyboardInterrupt in the main thread at the first such signal, and ignore further ones."""
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # in a forked child, there is nothing to close
            os._exit(_BY_SIGNAL + number)
        if not received:
            received.append(number)
            raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _ASKED_TO_END if hasattr(signal, name)]
        # A signal that is ignored (nohup) or handled already stays so.
        before = {n: signal.signal(n, end) for n in numbers if signal.getsignal(n) is signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require_packages(*modules: str, extra: str, purpose: str) -> None:
    """Check that packages are installed, without importing them, so that the error names the extra to install.

    Raises:
        MissingDependency: the first package that is not installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingDependency(module, extra, purpose)
