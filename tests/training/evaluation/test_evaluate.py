"""Evaluation on a file made by hand, whose errors are known; wrong files are named."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from sdk.errors import BadTarget
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.commands import evaluate_command
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.evaluate import evaluate
from training.lifter.onnx_graphs import write_lifter_onnx

LENGTHS = [7, 1, 23]
OFFSET_M = np.array([0.0, 0.06, 0.08])  # 100 mm


@pytest.fixture(scope="module")
def lifter(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluate") / "lifter.onnx"
    write_lifter_onnx(random_lifter(channels=16), LifterMetadata(), path)
    return Lifter(path)


def keypoints(aspect=1.0):
    random = np.random.default_rng(0)
    return (random.uniform(-1, 1, (sum(LENGTHS), 16, 2)) * max(1, aspect)).astype(np.float32)


def write(path, joints, **changes):
    starts = np.cumsum([0, *LENGTHS[:-1]])
    arrays = {
        "keypoints": keypoints(), "joints_camera_m": joints, "start": starts, "length": np.array(LENGTHS),
        "frame_rate_hz": np.array(25.0), "aspect": np.ones(len(LENGTHS)),
    }  # fmt: skip
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


def answers(lifter):
    """What the lifter says of each frame, in windows padded with the edge frame, by hand."""
    poses = []
    for frames in np.split(keypoints(), np.cumsum(LENGTHS)[:-1]):
        padded = np.concatenate([frames[:1]] * 13 + [frames] + [frames[-1:]] * 13)
        poses.append(lifter.lift_windows(np.stack([padded[i : i + 27] for i in range(len(frames))])))
    return np.concatenate(poses)


@pytest.fixture
def labelled(tmp_path, lifter):
    """The lifter's own answers, all joints but the pelvis 100 mm off; somewhere in the camera's space."""
    joints = answers(lifter) + OFFSET_M
    joints[:, 0] = 0
    return write(tmp_path / "test.npz", joints + np.array([3.0, -1.0, 7.0]))


def test_a_known_constant_error(lifter, labelled):
    lifted = answers(lifter)
    pelvis = np.linalg.norm(lifted[::1, 0], axis=-1)
    errors = evaluate(lifter, load_labelled_sequences(labelled))
    counted = np.concatenate([np.arange(0, 7, 5), [7], np.arange(8, 31, 5)])  # every 5th frame of each sequence
    assert errors.poses == len(counted) == 8
    expected = (15 * 100 + pelvis[counted].mean() * 1000) / 16
    assert errors.mpjpe_mm == pytest.approx(expected, rel=1e-4)


def test_exact_answers_have_no_error_by_any_measure(lifter, tmp_path):
    joints = answers(lifter)
    # The truth is root-relative, so its pelvis is at zero: let the lifter's be there, too.
    path = write(tmp_path / "exact.npz", joints + np.array([3.0, -1.0, 7.0]))
    sequences = load_labelled_sequences(path)
    shifted = type(lifter)(lifter.path)
    shifted.lift_windows = lambda windows: (lambda p: p - p[:, :1])(lifter.lift_windows(windows))
    errors = evaluate(shifted, sequences)
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "velocity_mm"):
        assert getattr(errors, name) == pytest.approx(0, abs=0.02), name
    assert errors.pck_percent == 100
    assert errors.auc_percent == pytest.approx(100 * 30 / 31)  # nothing is nearer than 0 mm


def test_velocity_is_the_mean_over_all_displacements(lifter, tmp_path):
    """Not over sequences: 6 and 22 displacements, the sequence of one frame has none."""
    joints = np.zeros((31, 16, 3))
    errors = evaluate(lifter, load_labelled_sequences(write(tmp_path / "still.npz", joints)))
    steps = [np.linalg.norm(np.diff(part, axis=0), axis=-1) for part in np.split(answers(lifter), [7, 8])]
    assert errors.velocity_mm == pytest.approx(np.concatenate(steps).mean() * 1000, rel=1e-4)


def test_portrait_files_are_divided_by_the_height(tmp_path):
    """The file divides by the width; a lifter's screen coordinates by the longer side."""
    aspect = np.array([0.5625, 1.0, 16 / 9])
    loaded = load_labelled_sequences(write(tmp_path / "a.npz", np.zeros((31, 16, 3)), aspect=aspect))
    np.testing.assert_allclose(loaded.keypoints[:8], keypoints()[:8], atol=1e-7)
    np.testing.assert_allclose(loaded.keypoints[8:], keypoints()[8:] * 9 / 16, rtol=1e-6)
    assert loaded.keypoints.dtype == np.float32


@pytest.mark.parametrize(
    "changes",
    [
        {"joints_camera_m": None},
        {"keypoints": None},
        {"aspect": None},
        {"keypoints": np.zeros((30, 16, 2))},
        {"joints_camera_m": np.zeros((30, 16, 3))},
        {"keypoints": np.zeros((31, 17, 2))},
        {"joints_camera_m": np.zeros((31, 17, 3))},
        {"length": np.array([7, 1, 24])},
        {"length": np.array([7, -1, 25])},
        {"start": np.array([0, 7, 30])},
        {"start": np.array([0, 7])},
        {"aspect": np.ones(2)},
        {"frame_rate_hz": np.array([])},
        {"start": np.zeros(0, int), "length": np.zeros(0, int), "keypoints": np.zeros((0, 16, 2)),
         "joints_camera_m": np.zeros((0, 16, 3)), "aspect": 1.0},
        {"keypoints": np.full((31, 16, 2), np.nan)},
        {"joints_camera_m": np.array([object()] * 31)},
    ],
    ids=lambda changes: ", ".join(f"{n} {getattr(v, 'shape', v)}" for n, v in changes.items()),
)  # fmt: skip
def test_wrong_arrays(tmp_path, changes):
    with pytest.raises(BadTarget, match=r"test\.npz"):
        load_labelled_sequences(write(tmp_path / "test.npz", np.zeros((31, 16, 3)), **changes))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_not_a_file_of_arrays(tmp_path, content):
    path = tmp_path / "test.npz"
    path.write_bytes(content)
    with pytest.raises(BadTarget, match=r"test\.npz is not an \.npz file"):
        load_labelled_sequences(path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("array.npy", r"array\.npy holds a single array .* must be an \.npz file"),
        ("missing.npz", r"there is no file .*missing\.npz"),
        (".", "is a folder"),
    ],
)
def test_a_single_array_a_missing_file_and_a_folder(tmp_path, name, says):
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(BadTarget, match=says):
        load_labelled_sequences(tmp_path / name)


def test_another_frame_rate_is_refused(lifter, tmp_path):
    path = write(tmp_path / "fast.npz", np.zeros((31, 16, 3)), frame_rate_hz=np.array(50.0))
    with pytest.raises(BadTarget, match=r"of 50\.0 Hz; the lifter takes 25\.0 Hz"):
        evaluate(lifter, load_labelled_sequences(path))


def test_a_lifter_of_cropped_images_gets_them_root_centred(tmp_path):
    """One of a single frame answers frame by frame; its own answers to centred keypoints are without error."""
    path = tmp_path / "cropped.onnx"
    metadata = LifterMetadata(receptive_field=1, normalisation="root-centred")
    write_lifter_onnx(random_lifter((1, 1, 1), channels=16), metadata, path)
    lifter = Lifter(path)
    centred = keypoints() - keypoints()[:, :1]
    centred /= np.linalg.norm(centred.reshape(-1, 32), axis=1)[:, None, None]
    joints = lifter.lift_windows(centred[:, None].astype(np.float32))
    # The truth is root-relative, so its pelvis is at zero: the lifter's error is that of its pelvis alone.
    errors = evaluate(lifter, load_labelled_sequences(write(tmp_path / "test.npz", joints)))
    expected = np.linalg.norm(joints[:, 0], axis=-1)
    counted = np.concatenate([part[::5] for part in np.split(expected, np.cumsum(LENGTHS)[:-1])])
    assert errors.mpjpe_mm == pytest.approx(counted.mean() * 1000, rel=1e-3)


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["adaptpose-evaluate", *map(str, arguments)])
    evaluate_command.main()


def test_command_prints_and_writes_the_numbers(lifter, labelled, monkeypatch, capsys, tmp_path):
    command(monkeypatch, labelled, "--model", lifter.path, "--json", tmp_path / "errors.json")
    written = json.loads((tmp_path / "errors.json").read_text())
    expected = evaluate(lifter, load_labelled_sequences(labelled))
    assert written["mpjpe_mm"] == pytest.approx(expected.mpjpe_mm)
    assert written["poses"] == 8
    assert written["model"] == str(lifter.path)
    # Each name with its unit in full, also where output has no terminal's width.
    lines = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "pck_percent", "auc_percent", "velocity_mm"):
        assert [name, f"{getattr(expected, name):.1f}"] in lines
    assert ["poses", "8"] in lines


def test_command_names_a_bad_file(lifter, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, tmp_path / "none.npz", "--model", lifter.path)
    assert stop.value.code == 2
    assert f"there is no file {tmp_path / 'none.npz'}" in capsys.readouterr().err


def test_an_sdk_only_installation_is_told_what_to_install(labelled, monkeypatch, capsys):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else find_spec(name))
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, labelled)
    assert stop.value.code == 2
    assert "adaptpose-evaluate needs the package 'torch'" in capsys.readouterr().err


@pytest.mark.parametrize(("json_path", "says"), [("none/errors.json", "there is no folder"), ("a.txt", "must end in")])
def test_a_place_for_the_numbers_is_checked_before_the_work(lifter, tmp_path, monkeypatch, capsys, json_path, says):
    with pytest.raises(SystemExit) as stop:  # and before it is seen that there is no test file
        command(monkeypatch, tmp_path / "none.npz", "--model", lifter.path, "--json", tmp_path / json_path)
    assert stop.value.code == 2
    assert says in capsys.readouterr().err
