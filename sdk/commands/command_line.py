"""How every command line of the project ends: errors on purpose are one message, exit code 2."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

from sdk.errors import AdaptPoseError, MissingDependency

USAGE_ERROR = 2
INTERRUPTED = 130


def run_command(command: Callable[[], None]) -> None:
    """Run a command line's body; exits with 2 after an error the user can mend, 130 after Ctrl-C.

    What the KeyboardInterrupt was given, such as the way to go on, is printed with it.
    """
    try:
        command()
    except AdaptPoseError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt as stop:
        print(f"interrupted. {stop}".removesuffix(". "), file=sys.stderr)
        sys.exit(INTERRUPTED)


def require_packages(*modules: str, extra: str, purpose: str) -> None:
    """Say which extra is missing before an import says it in a traceback; nothing is imported for it.

    Raises:
        MissingDependency: for the first of them that is not installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingDependency(module, extra, purpose)
