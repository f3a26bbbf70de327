"""How every command line of the project ends: errors on purpose are one message, exit code 2."""

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
"""What shells add to a signal's number."""
_PIPE = 13
"""Of SIGPIPE, which Python ignores."""
_ASKED_TO_END = ("SIGTERM", "SIGHUP")
"""What service managers, containers and terminals that close send first; Windows has none of them."""


def run_command(command: Callable[[], None]) -> None:
    """Run a command line's body; exits with 2 after an error the user can mend, 130 after Ctrl-C, 143 after SIGTERM.

    SIGTERM (and SIGHUP, 129) ends it as Ctrl-C does: files are closed, and hold what was written until then. What the
    KeyboardInterrupt was given, such as the way to go on, is printed. A pipe that nobody reads any more (`| head`) ends
    it without a word (141), as it ends other programs. `command` reads the arguments as well: help is printed too.
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
    """Print file names of any bytes, and end where nobody reads what is printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would say there what it could not.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):
                stream.flush()
                continue
            os.dup2(nowhere, stream.fileno())
        sys.exit(_BY_SIGNAL + _PIPE)


@contextmanager
def _ending_as_ctrl_c(received: list[int]) -> Iterator[None]:
    """Raise KeyboardInterrupt in the main thread at the first signal that asks to end, and ignore more of them."""
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # a child that was forked: nothing of ours is to be closed there
            os._exit(_BY_SIGNAL + number)
        if not received:
            received.append(number)
            raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _ASKED_TO_END if hasattr(signal, name)]
        # What is ignored (nohup) or handled already stays so.
        before = {n: signal.signal(n, end) for n in numbers if signal.getsignal(n) is signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require_packages(*modules: str, extra: str, purpose: str) -> None:
    """Say which extra is missing before an import says it in a traceback; nothing is imported for it.

    Raises:
        MissingDependency: for the first of them that is not installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingDependency(module, extra, purpose)
