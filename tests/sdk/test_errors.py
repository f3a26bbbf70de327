"""Errors name the thing, the value, the choices and the way out, and are what callers expect to catch."""

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


def test_missing_dependency_says_how_to_get_it():
    error = errors.MissingDependency("mediapipe", "mediapipe", "The mediapipe detector")
    assert str(error) == (
        "The mediapipe detector needs the package 'mediapipe'. Install it with: pip install 'adaptpose[mediapipe]'"
    )
