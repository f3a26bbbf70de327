import os
import subprocess
import sys

import pytest

from sdk.runtime.captured_stderr import captured_stderr


def test_lines_of_native_code_without_colours(capfd):
    with captured_stderr() as lines:
        os.write(2, b"\x1b[1;31mfirst\x1b[0m\n\nsecond")
    os.write(2, b"afterwards")
    assert lines == ["first", "second"]
    assert capfd.readouterr().err == "afterwards"


def test_of_other_processes_too_and_restored_after_an_error(capfd):
    kept = []

    def fail():
        with captured_stderr() as lines:
            kept.append(lines)
            subprocess.run([sys.executable, "-c", "import sys; print('child', file=sys.stderr)"], check=True)
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    (lines,) = kept
    print("after", file=sys.stderr)
    assert lines == ["child"]
    assert capfd.readouterr().err == "after\n"
