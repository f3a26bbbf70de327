from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.precision import BOUNDS, Bound
from export.verification import Difference, UnequalExport, measure_difference
from sdk.errors import BadKeypoints, BadModelFile
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from training.lifter.checkpoint import LifterCheckpoint, starting_checkpoint
from training.lifter.onnx_graphs import write_lifter_onnx


@pytest.fixture(scope="module")
def onnx_file(checkpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("verification") / "lifter.onnx"
    write_lifter_onnx(checkpoint.network, checkpoint.metadata, path)
    return path


@pytest.fixture
def windows():
    return np.random.default_rng(0).uniform(-1, 1, (40, 27, 16, 2)).astype(np.float32)


def change_head(onnx_file, path, change):
    """A copy of the file whose last bias, (48,), went through `change`."""
    model = onnx.load(onnx_file)
    bias = next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [48])
    values = onnx.numpy_helper.to_array(bias).copy()
    change(values)
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    onnx.save(model, path)
    return path


def test_rounding_is_all_that_differs(checkpoint, onnx_file, windows):
    difference = measure_difference(onnx_file, checkpoint.network, windows)
    assert 0 < difference.mean_mm <= difference.largest_mm < 0.01
    assert difference.windows == 40
    difference.require()


def test_a_known_shift_is_measured_in_millimetres(checkpoint, onnx_file, windows, tmp_path):
    def shift(bias):  # joint 5 by (3, 4, 0) mm: a distance of 5 mm at one joint in sixteen
        bias[15:17] += [0.003, 0.004]

    tampered = change_head(onnx_file, tmp_path / "tampered.onnx", shift)
    difference = measure_difference(tampered, checkpoint.network, windows)
    assert difference.largest_mm == pytest.approx(5, abs=0.01)
    assert difference.mean_mm == pytest.approx(5 / 16, abs=0.01)
    with pytest.raises(UnequalExport, match=r"up to 5\.?\d* mm .* largest 0.05 mm is allowed"):
        difference.require()


def test_an_answer_that_is_no_number_fails(checkpoint, onnx_file, windows, tmp_path):
    def spoil(bias):
        bias[0] = np.nan

    with pytest.raises(BadModelFile, match="the lifter's answer is not finite"):
        measure_difference(change_head(onnx_file, tmp_path / "nan.onnx", spoil), checkpoint.network, windows)


def test_a_difference_that_is_no_number_fails():
    with pytest.raises(UnequalExport):
        Difference(float("nan"), 0.0, 40).require()


@pytest.mark.parametrize("count", [1, 8, 521, 1100])
def test_every_window_counts(checkpoint, onnx_file, count):
    """The last window alone is made to differ, wherever batches are cut."""
    windows = np.zeros((count, 27, 16, 2), np.float32)
    windows[-1] = 1

    class Off(torch.nn.Module):
        def told(self, batch):
            return (checkpoint.network(batch) + (batch[:, 0, 0, 0] == 1)[:, None, None] * 0.001,)

    difference = measure_difference(onnx_file, Off(), windows)
    assert difference.largest_mm == pytest.approx(3**0.5, rel=1e-2)
    assert difference.mean_mm == pytest.approx(3**0.5 / count, rel=1e-1)


def test_tolerance_is_inclusive():
    Difference(0.05, 0.01, 3).require(Bound(0.05, 0.05))
    with pytest.raises(UnequalExport, match=r"largest 0\.05 mm is allowed"):
        Difference(0.0501, 0.01, 3).require(Bound(0.05, 0.05))


def test_where_the_mean_decides():
    Difference(40.0, 3.0, 3).require(Bound(None, 3.0))
    for mean in (3.001, float("nan")):
        with pytest.raises(UnequalExport, match=r"mean 3\.0 mm is allowed"):
            Difference(40.0, mean, 3).require(Bound(None, 3.0))


def test_each_output_has_its_bound():
    """Among 60 exact deviations, a wrong joint, direction or probability must not disappear."""
    fine = {"deviations": (0.2, 0.001), "up": (9.0, 0.3), "contact": (50.0, 0.4)}
    Difference(0.1, 0.1, 3, fine).require(Bound(None, 0.2))
    for name, bad in (("up", (9.0, 0.41)), ("contact", (1.0, float("nan")))):
        with pytest.raises(UnequalExport, match=rf"output '{name}' differs .* mean 0\.4 is allowed\. It must not"):
            Difference(0.1, 0.1, 3, fine | {name: bad}).require(Bound(None, 0.2))
    with pytest.raises(UnequalExport, match=r"output 'deviations' differs .* up to 0\.2 .* largest 0\.1 is allowed"):
        Difference(0.01, 0.001, 3, {"deviations": (0.2, 0.001)}).require(Bound(0.05, 0.05))


def test_outputs_are_measured_apart():
    """The shipped lifter with feet against a twin whose contact is off by 0.01, and one whose joints are by 5 mm."""
    network = LifterCheckpoint.load(starting_checkpoint(Path("feet"))).network
    windows = np.random.default_rng(0).uniform(-0.5, 0.5, (9, 27, 20, 2)).astype(np.float32)
    off = {"joints": torch.tensor([0.003, 0.004, 0.0]), "contact": torch.tensor(0.01)}

    class Off(torch.nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def told(self, batch):
            joints, *others, contact = network.told(batch)
            shift = off[self.name]
            return (joints + shift, *others, contact) if self.name == "joints" else (joints, *others, contact + shift)

    rounding = 1.0  # millimetres and thousandths: the graph is stored in half precision
    contact = measure_difference(SHIPPED_LIFTERS["feet"], Off("contact"), windows)
    assert contact.told["contact"][1] == pytest.approx(10, abs=rounding)
    assert contact.mean_mm < rounding
    joints = measure_difference(SHIPPED_LIFTERS["feet"], Off("joints"), windows)
    assert joints.mean_mm == pytest.approx(5, abs=rounding)
    assert max(mean for _, mean in joints.told.values()) < rounding
    with pytest.raises(UnequalExport, match=r"mean 3\.0 mm is allowed"):
        joints.require(BOUNDS["int8"])


def test_bounds_are_the_products():
    assert {name: (b.largest_mm, b.mean_mm, b.mpjpe_percent) for name, b in BOUNDS.items()} == {
        "fp32": (0.05, 0.05, 1.0),
        "fp16": (None, 0.2, 1.0),
        "int8": (None, 3.0, 1.0),
    }


def test_windows_of_another_length_are_refused(checkpoint, onnx_file):
    with pytest.raises(BadKeypoints, match="27, 16, 2"):
        measure_difference(onnx_file, checkpoint.network, np.zeros((3, 9, 16, 2), np.float32))
