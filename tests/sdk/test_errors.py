"""Errors name the thing, the value, the choices and the way out, and are what callers expect to catch."""

import sys

import pytest

from sdk import errors


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (errors.UnknownSkeleton("x", ["a", "b"]), ValueError),
        (errors.BadKeypoints("x"), ValueError),
        (errors.BadModelFile("x"), ValueError),
        (errors.DeviceUnavailable("x"), RuntimeError),
        (errors.MissingDependency("p", "e", "This"), ImportError),
        (errors.BadOutput("x"), OSError),
    ],
)
def test_every_error_is_ours_and_a_builtin_kind(error, also):
    assert isinstance(error, errors.AdaptPoseError)
    assert isinstance(error, also)


def test_unknown_choice_lists_the_choices_and_the_way_out():
    error = errors.UnknownDevice("tpu", ("cpu", "cuda"), "Use the CPU.")
    assert str(error) == "'tpu' is not a known device. Known: cpu, cuda. Use the CPU."


def test_missing_dependency_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    error = errors.MissingDependency("mediapipe", "mediapipe", "The mediapipe detector")
    assert str(error) == (
        "The mediapipe detector needs the package 'mediapipe'. Install it with: pip install 'adaptpose[mediapipe]'"
    )


@pytest.mark.parametrize(("package", "extra"), [("mediapipe", "mediapipe"), ("mmpose", "mmpose"), ("mmcv", "mmpose")])
def test_a_python_without_wheels_is_told_and_so_is_another_detector(monkeypatch, package, extra):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    error = errors.MissingDependency(package, extra, "This detector")
    assert str(error) == (
        f"This detector needs the package '{package}'. adaptpose[{extra}] has wheels for Python 3.10 to 3.12 only, and "
        "this is Python 3.13. Take one of those, or --detector movenet, which needs no extra and runs on any."
    )


@pytest.mark.parametrize(("package", "extra"), [("viser", "demo"), ("h5py", "deeplabcut")])
def test_what_python_3_13_can_have_is_installed_there(monkeypatch, package, extra):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    assert str(errors.MissingDependency(package, extra, "This")).endswith(f"pip install 'adaptpose[{extra}]'")
