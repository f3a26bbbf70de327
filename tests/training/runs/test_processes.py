"""One training in two processes on the CPU (gloo): the same losses as in one, and each resumes the other's state."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from sdk.errors import DeviceUnavailable
from tests.training.motion.clips import STANDING
from training.runs.device import open_device
from training.runs.processes import Processes
from training.runs.shared_layers import SharedBatchNorm, SharedDropout, look_beyond_rows
from training.settings.motion_model import TrainMotionModel
from training.settings.pretrain import Pretrain
from training.settings.settings_check import BadSetting, check_motion_model, check_pretrain

STEPS = 50
PROGRAM = """
import json, os, sys
from pathlib import Path
from training.commands import command
from training.runs import processes

losses, mean = [], processes.Processes.mean

def kept(self, loss):
    losses.append(mean(self, loss))
    return losses[-1]

processes.Processes.mean = kept
command._run(sys.argv[2:])
Path(sys.argv[1] + os.environ.get("LOCAL_RANK", "0")).write_text(json.dumps(losses))
"""


def trained(folder, name, *words):
    """Losses of all steps, by process, of a training from the command line, each process in one thread."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, program, folder / f"{name}.losses", *map(str, words), "--threads", "1"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(path.read_text()) for path in sorted(folder.glob(f"{name}.losses*"))], done


@pytest.fixture(scope="module")
def motion(tmp_path_factory):
    """Ten seconds each of joints that wander about a standing person."""
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    clips = {}
    for seed in range(4):
        steps = np.random.default_rng(seed).normal(0, 0.005, (500, 16, 3))
        moved = STANDING + np.cumsum(steps, 0) * np.linspace(0, 1, 16)[:, None]
        clips[f"0{seed}_1"] = moved.astype(np.float32)
    np.savez(path, **clips, frame_rate_hz=50.0)
    return path


TINY = ("--steps", STEPS, "--batch", 32, "--channels", 16, "--filter-widths", 3, 3, "--save-every", 20)


def test_pretraining_has_the_same_losses_and_one_process_resumes_what_two_began(motion, tmp_path):
    pretrain = ("pretrain", "--source", motion, *TINY, "--out")
    (alone,), _ = trained(tmp_path, "alone", *pretrain, tmp_path / "alone")
    both, done = trained(tmp_path, "both", *pretrain, tmp_path / "both", "--devices", 2)
    assert [len(losses) for losses in (alone, *both)] == [STEPS] * 3
    np.testing.assert_allclose(both[0], alone, rtol=1e-5)
    assert both[0] == both[1]
    assert done.stdout.count("weights") == 1  # only the first process speaks and writes
    assert len(list((tmp_path / "both" / "tensorboard").iterdir())) == 1
    assert json.loads((tmp_path / "both" / "config.json").read_text())["devices"] == 2

    states = [torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("alone", "both")]
    assert [state["step"] for state in states] == [STEPS] * 2
    assert states[0]["config"] == states[1]["config"]
    network, other = (state["parts"]["average"] for state in states)
    assert network.keys() == other.keys()
    for name, value in network.items():
        torch.testing.assert_close(other[name], value, rtol=1e-2, atol=1e-4)
    # It goes on from the state of two: nothing is left to do, and no setting is another.
    (rest,), _ = trained(tmp_path, "rest", *pretrain, tmp_path / "both", "--resume")
    assert rest == []


def test_the_motion_model_has_the_same_losses(motion, tmp_path):
    words = (
        "motion-model", "--source", motion, "--steps", STEPS, "--batch", 16, "--points", 8, "--beginning", 3,
        "--components", 24, "--starts", 32, "--start-components", 8, "--width", 32, "--blocks", 1, "--precision",
        "32-true", "--out",
    )  # fmt: skip
    (alone,), _ = trained(tmp_path, "alone", *words, tmp_path / "alone")
    both, _ = trained(tmp_path, "both", *words, tmp_path / "both", "--devices", 2)
    assert len(alone) == STEPS
    np.testing.assert_allclose(both[0], alone, rtol=1e-5)
    assert both[0] == both[1]


class SecondOfTwo:
    """As Fabric in the second process. The first one sends it `word`."""

    world_size, global_rank = 2, 1

    def __init__(self, word):
        self.word = word

    def broadcast(self, _):
        return self.word


def test_what_the_first_process_does_is_done_once_and_its_error_is_everybodys():
    done = []
    Processes().first_does(lambda: done.append(0))
    Processes(SecondOfTwo(None)).first_does(lambda: done.append(1))
    assert done == [0]
    with pytest.raises(BadSetting, match="taken"):
        Processes(SecondOfTwo(BadSetting("taken"))).first_does(lambda: done.append(1))


class Alone:
    """Sums over processes, of which there is one."""

    @staticmethod
    def all_sum(values):
        return values


class TestLayers:
    def test_batch_normalisation_is_torchs(self, monkeypatch):
        """Outputs, gradients and statistics; over processes it is the test of the losses."""
        monkeypatch.setattr("training.runs.shared_layers.all_sum", Alone.all_sum)
        torch.manual_seed(0)
        plain = nn.BatchNorm1d(5)
        nn.init.uniform_(plain.weight)
        other = nn.BatchNorm1d(5)
        other.load_state_dict(plain.state_dict())
        shared = SharedBatchNorm(other, 1)
        x = torch.randn(64, 5) * 3 + 7
        inputs = [x.clone().requires_grad_() for _ in range(2)]
        answers = [norm(one) for norm, one in zip((plain, shared), inputs, strict=True)]
        for answer in answers:
            (answer * torch.arange(5)).square().mean().backward()
        torch.testing.assert_close(answers[1], answers[0])
        torch.testing.assert_close(inputs[1].grad, inputs[0].grad)
        torch.testing.assert_close(shared.weight.grad, plain.weight.grad)
        for name, value in plain.state_dict().items():
            torch.testing.assert_close(shared.state_dict()[name], value)
        assert shared.weight is other.weight
        torch.testing.assert_close(shared.eval()(x), plain.eval()(x))

    def test_dropout_is_this_processs_part_of_the_mask_of_all(self):
        x = torch.rand(8, 3) + 1
        torch.manual_seed(1)
        whole = nn.Dropout(0.4)(x)
        parts = []
        for number in range(2):
            torch.manual_seed(1)
            parts.append(SharedDropout(0.4, number, 2)(x[4 * number : 4 * number + 4]))
        torch.testing.assert_close(torch.cat(parts), whole)
        assert SharedDropout(0.4, 0, 2).eval()(x) is x

    def test_all_of_a_networks_layers_are_replaced_and_none_of_its_weights(self):
        network = nn.Sequential(nn.Linear(2, 4), nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.1)), nn.ReLU())
        weights, names = list(network.parameters()), list(network.state_dict())
        look_beyond_rows(network, 0, 2)
        assert [type(layer) for layer in network[1]] == [SharedBatchNorm, SharedDropout]
        assert all(one is other for one, other in zip(network.parameters(), weights, strict=True))
        assert list(network.state_dict()) == names

    def test_one_process_changes_nothing(self):
        network, batch = nn.Sequential(nn.BatchNorm1d(4)), torch.rand(6, 4)
        processes = Processes()
        assert processes.setup(network) is network
        assert torch.equal(processes.share(batch), batch)
        assert (processes.first, processes.mean(torch.tensor(2.0))) == (True, 2.0)


class TestWhatIsNotThere:
    @pytest.mark.parametrize(
        ("device", "there", "says"),
        [
            ("cuda", 0, "--devices 2 --device cuda: torch .* sees no CUDA device on this machine. Use --device cpu"),
            ("cuda", 1, "--devices 2: torch .* sees 1 CUDA devices on this machine. Use --devices 1, or --device cpu"),
            ("cuda:1", 2, "--device cuda:1 names one device, and --devices 2 --num-nodes 1 asks for 2 processes"),
        ],
    )
    def test_devices(self, monkeypatch, device, there, says):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
        with pytest.raises(DeviceUnavailable, match=says):
            open_device(device, devices=2)

    def test_a_batch_that_can_not_be_shared(self, tmp_path):
        with pytest.raises(BadSetting, match=r"--batch is 256; 3 processes .* Use 255 or another multiple of 3"):
            check_pretrain(Pretrain(tmp_path, devices=3))
        with pytest.raises(BadSetting, match=r"--batch is 256; 6 processes"):
            check_motion_model(TrainMotionModel(tmp_path, devices=3, num_nodes=2))
        with pytest.raises(BadSetting, match=r"--devices is 0; it must be 1 or more"):
            check_pretrain(Pretrain(tmp_path, devices=0))
