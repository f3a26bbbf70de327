"""An adaptation in one process and in two: the same losses, whoever began it, and what two can't do."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from sdk.errors import BadSetting
from tests.training.commands.test_adapt import keypoint_file, source_motion
from tests.training.runs.small_adaptations import HALF, STEPS, adapted
from training.generator.generator_trunk import Noise
from training.runs.processes import Processes
from training.runs.shared_layers import SharedNoise
from training.settings.adapt import Adapt
from training.settings.adapt_options import AdaptOptions, one_run
from training.settings.run_settings import resumed_settings
from training.settings.settings_check import check_adapt, check_adapt_processes


def same(one, other):
    """Losses and norms of gradients of two adaptations, step by step."""
    assert [list(values) for values in one] == [list(values) for values in other]
    for number, (values, others) in enumerate(zip(one, other, strict=True)):
        for name, value in values.items():
            near = pytest.approx(value, rel=2e-4 if name.startswith("norm") else 1e-5, abs=1e-12)
            assert others[name] == near, (number, name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_losses_are_the_same_and_each_goes_on_with_what_the_other_began(tmp_path):
    """One process and two, which change places in the middle.

    Learning rates are small: with its own, the paper's recipe enlarges the last bit of a weight to a thousandth of a
    loss in five steps, in one process too. (Adam without momentum makes whole steps of any gradient, and eq. 21 has
    steps.) The norms of all gradients are compared too, because Adam hides a wrong scale of them.
    """
    one, two, copied = (tmp_path / name for name in ("one", "two", "copied"))
    alone = adapted(one, HALF, Processes())
    shutil.copytree(one, copied)
    words = ["-m", "tests.training.runs.small_adaptations", "2", f"{two}={HALF}", f"{copied}={STEPS}"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    both, from_one = (
        [json.loads((folder / f"values.{number}").read_text()) for number in range(2)] for folder in (two, copied)
    )
    assert both[0] == both[1]
    from_two = adapted(two, STEPS, Processes())
    for recipe in ("paper", "default"):
        assert [len(values[recipe]) for values in (alone, both[0], from_two, from_one[0])] == [HALF] * 4
        same(alone[recipe], both[0][recipe])
        same(from_two[recipe], from_one[0][recipe])
    learned = [values["generator/adversarial_2d"] for values in alone["paper"]]
    assert np.ptp(learned) > 1e-3 * learned[0]


def test_one_command_in_two_processes_makes_one_run(tmp_path):
    keypoint_file(tmp_path / "person.npz")
    (tmp_path / "motion").mkdir()
    source_motion(tmp_path / "motion")
    words = (
        "--target", tmp_path / "person.npz", "--source", tmp_path / "motion", "--out", tmp_path / "run", "--recipe",
        "paper", "--steps", 4, "--batch", 16, "--threads", 1, "--devices", 2,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "training.commands.command", *map(str, words)],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("weights ") == 1  # only the first process speaks and writes
    assert done.stderr.count("person.npz") == 1
    assert (tmp_path / "run" / "report.html").is_file()
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


def test_noise_is_this_processs_part_of_what_one_would_draw():
    for noise in (Noise(5), Noise(15, 3), Noise(15, 1, uniform=True)):
        whole = noise(torch.empty(8), torch.Generator().manual_seed(1))
        parts = [SharedNoise(noise, number, 2)(torch.empty(4), torch.Generator().manual_seed(1)) for number in range(2)]
        torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=0)


class TestWhatCanNotBe:
    def test_a_batch_without_equal_shares(self):
        with pytest.raises(
            BadSetting, match=r"--batch is 100; of an adaptation by 3 processes .* multiple of 12: use 96"
        ):
            check_adapt_processes(Adapt(devices=3), 100, False)
        check_adapt_processes(Adapt(devices=4, num_nodes=2), 256, False)
        check_adapt_processes(Adapt(), 7, True)

    def test_a_lifter_that_tells_more(self):
        with pytest.raises(BadSetting, match=r"is adapted in one process. Leave them out, or take --start fast"):
            check_adapt_processes(Adapt(devices=2), 256, True)

    def test_no_process(self):
        with pytest.raises(BadSetting, match="--devices is 0; it must be 1 or more"):
            check_adapt(Adapt(devices=0))

    def test_several_adaptations(self, tmp_path):
        with pytest.raises(BadSetting, match=r"--devices .* share out one adaptation, .* give --workers N"):
            one_run(AdaptOptions(target=(tmp_path / "a", tmp_path / "b"), devices=2))

    def test_a_run_goes_on_with_as_many_processes_as_this_call_names(self, tmp_path):
        stored = Adapt(target=tmp_path, devices=4, num_nodes=2)
        assert resumed_settings(stored, Adapt(resume=tmp_path), tmp_path).devices == 1
        found = resumed_settings(stored, Adapt(resume=tmp_path, devices=2), tmp_path)
        assert (found.devices, found.num_nodes) == (2, 1)
