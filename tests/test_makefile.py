"""`make demo` and `make test` install what has wheels for the Python at hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None or sys.platform == "win32", reason="needs make")


def stand_in(folder, version):
    """A `make` in the folder whose Python says that it is of that version, and does nothing else."""
    for name in ("Makefile", "setup.py", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    python = folder / "python"
    python.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' \"$2\"\n"
    )
    python.chmod(0o755)
    return ["make", f"PYTHON={python}"]


def installed_extras(folder, version):
    """What `make` would install with a Python of that version; nothing is run but questions to the stand-in."""
    make = stand_in(folder, version)
    done = subprocess.run([*make, "-n", "test"], cwd=folder, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if "constraints.txt -e" in line)
    return line.split("[")[1].split("]")[0].split(",")


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12)])
def test_every_python_gets_every_extra_of_the_tests(tmp_path, version):
    expected = [
        "train",
        "demo",
        "mediapipe",
        "mmpose",
        "deeplabcut",
        "datasets",
        "openvino",
        "tensorrt",
        "triton",
        "docs",
        "dev",
    ]
    assert sorted(installed_extras(tmp_path, version)) == sorted(expected)


@pytest.mark.parametrize("version", [(3, 9), (3, 13)])
def test_another_python_is_refused_and_the_sdk_alone_is_named(tmp_path, version):
    make = stand_in(tmp_path, version)
    done = subprocess.run([*make, ".venv/installed"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        f"needs Python 3.10 to 3.12, for which mediapipe and mmpose have wheels; this is 3.{version[1]}" in done.stderr
    )
    assert "The SDK alone also runs on 3.13: pip install ." in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_sdk_alone_is_tested_on_any_python():
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "test-sdk", "PYTHON=/opt/python3.13", "WITH=numpy==1.26.4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    made, installed, tested = done.stdout.splitlines()
    assert made == "/opt/python3.13 -m venv --clear build/sdk-python3.13"
    assert '".[test-sdk]" numpy==1.26.4' in installed
    assert tested == "build/sdk-python3.13/bin/python -m pytest tests/sdk"
