"""Extras ask pip only for packages that have wheels for the Python at hand."""

import runpy
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
WITHOUT_WHEELS_ON_3_13 = {"mediapipe", "mmpose", "onedl-mmcv", "chumpy", "xtcocotools"}


@pytest.fixture(scope="module")
def extras():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", lambda **arguments: None)
        return runpy.run_path(str(ROOT / "setup.py"))["EXTRAS"]


def wanted(requirements, version):
    """What pip would look for on this Python."""
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    parsed = [Requirement(one) for one in requirements]
    return {one.name: one for one in parsed if one.marker is None or one.marker.evaluate(environment)}


@pytest.mark.parametrize("extra", ["mediapipe", "mmpose"])
def test_nothing_without_a_wheel_on_python_3_13(extras, extra):
    packages = wanted(extras[extra], "3.13")
    assert not WITHOUT_WHEELS_ON_3_13 & packages.keys()
    assert "numpy" not in packages  # numpy 1 has none


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12"])
def test_the_detectors_on_earlier_ones(extras, version):
    assert "mediapipe" in wanted(extras["mediapipe"], version)
    mmpose = wanted(extras["mmpose"], version)
    assert {"torch", "torchvision", "onedl-mmcv", "onedl-mmengine", "numpy"} <= mmpose.keys()
    assert ("mmpose" in mmpose, "pycocotools" in mmpose) == ((False, True) if version == "3.12" else (True, False))


def test_no_command_or_demo_brings_mediapipe(extras):
    """It is a word and an extra of its own: with it come jax and an end at Python 3.12."""
    with_it = {name for name, needs in extras.items() if "mediapipe" in wanted(needs, "3.11")}
    assert with_it == {"mediapipe"}
