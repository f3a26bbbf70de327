"""Settings that can't work are refused by name, value and range; all others pass."""

from dataclasses import replace
from pathlib import Path

import pytest

import sdk.errors
from sdk.errors import UnknownDetector, UnknownDevice, UnknownSkeleton
from training.settings.adapt import Adapt
from training.settings.pretrain import Pretrain
from training.settings.settings_check import BadSetting, check_adapt, check_pretrain

ADAPT, PRETRAIN = Adapt(target=Path("videos")), Pretrain(source=Path("motion"))
NAN, INFINITE = float("nan"), float("inf")


def test_defaults_and_limits_pass():
    check_adapt(ADAPT)
    check_adapt(Adapt(steps=1, batch=4, save_every=1, seed=2**63 - 1, fps=0.5, image_size=(1, 1)))
    check_adapt(Adapt(detector="onnx:a.onnx", boxes="mediapipe", skeleton="coco17", device="cuda:3"))
    for people in ("largest", "central", 1, 30):
        check_adapt(replace(ADAPT, people=people))
    check_pretrain(PRETRAIN)
    check_pretrain(replace(PRETRAIN, batch=2, channels=1, filter_widths=(1,), dropout=0.0, noise=0.0, time_step=(1, 1)))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("steps", 0, "--steps is 0; it must be 1 or more, and 10^9 at most."),
        ("steps", -5, "--steps is -5; it must be 1 or more, and 10^9 at most."),
        ("save_every", 0, "--save-every is 0; it must be 1 or more, and 10^9 at most."),
        ("seed", -1, "--seed is -1; it must be 0 or more, and below 2^63."),
        ("seed", 2**63, f"--seed is {2**63}; it must be 0 or more, and below 2^63."),
        ("threads", -1, "--threads is -1; it must be 0 or more, and 1024 at most."),
    ],
)
def test_settings_of_both(name, value, says):
    for check, config in ((check_adapt, ADAPT), (check_pretrain, PRETRAIN)):
        with pytest.raises(BadSetting) as error:
            check(replace(config, **{name: value}))
        assert str(error.value) == says


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("batch", 3, "--batch is 3; it must be 4 or more, and 10^6 at most."),
        ("fps", NAN, "--fps is nan; it must be a positive number, and 10^6 at most."),
        ("fps", 0.0, "--fps is 0.0; it must be a positive number, and 10^6 at most."),
        ("height", 171.0, "--height is 171.0; it must be metres, between 0.5 and 2.6."),
        ("source_fps", 0.0, "--source-fps is 0.0; it must be a positive number, and 10^6 at most."),
        ("image_size", (1920, 0), "--image-size is 1920 0; it must be a width and a height in pixels, both 1 or more."),
    ],
)
def test_settings_of_adaptation(name, value, says):
    with pytest.raises(BadSetting) as error:
        check_adapt(replace(ADAPT, **{name: value}))
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch", 1), ("channels", 0), ("filter_widths", ()), ("filter_widths", (3, 2)), ("filter_widths", (-3,)),
        ("dropout", 1.0), ("body_size", -0.1), ("bone_length", NAN), ("noise", INFINITE), ("time_step", (2.0, 0.6)),
        ("time_step", (0.0, 1.0)), ("learning_rate", 0.0), ("learning_rate", NAN), ("average", 1.0), ("average", NAN),
    ],
)  # fmt: skip
def test_settings_of_pretraining(name, value):
    with pytest.raises(BadSetting, match=f"^--{name.replace('_', '-')} is "):
        check_pretrain(replace(PRETRAIN, **{name: value}))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"detector": "yolo"}, UnknownDetector),
        ({"boxes": "yolo"}, UnknownDetector),
        ({"skeleton": "coco19"}, UnknownSkeleton),
        ({"device": "gpu"}, UnknownDevice),
    ],
)
def test_words_are_checked_whether_the_target_needs_them_or_not(changes, error):
    with pytest.raises(error):
        check_adapt(replace(ADAPT, **changes))


@pytest.mark.parametrize("people", [0, -2, "everyone"])
def test_people_that_can_not_be_meant(people):
    with pytest.raises(sdk.errors.BadSetting, match="it must be all, largest, central, or a number of people"):
        check_adapt(replace(ADAPT, people=people))


def test_one_default_detector_for_all():
    import inspect

    from sdk import PoseStream
    from sdk.commands.live_command import LiveOptions

    words = {
        Adapt().detector,
        LiveOptions("video.mp4").detector,
        inspect.signature(PoseStream).parameters["detector"].default,
    }
    assert words == {"movenet"}
