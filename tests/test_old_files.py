"""Files that version 0.1 wrote before modules were grouped into packages still open, and lift to the same poses.

`data/before_the_move/` is what these commands of commit 4559591 left: `adaptpose-train pretrain` (9 frames, 8
channels, 20 steps), `adaptpose-train --target walker.npz`, `adaptpose-export RUN --precision fp16`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk import Lifter, LifterMetadata

OLD = Path(__file__).with_name("data") / "before_the_move"
TOLERANCE_M = 1e-6


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    """Keypoints, and the poses that the lifter of then made of them."""
    with np.load(OLD / "expected.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def lift(model: Path, expected: dict[str, np.ndarray]) -> np.ndarray:
    return Lifter(model)(expected["keypoints"], tuple(expected["image_size"]), "coco17", 25.0)


@pytest.mark.parametrize(("model", "tolerance"), [("run", TOLERANCE_M), ("run/lifter.onnx", TOLERANCE_M)])
def test_a_run_and_its_onnx_file_lift_as_before(model: str, tolerance: float, expected: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(lift(OLD / model, expected), expected["poses_m"], rtol=0, atol=tolerance)


def test_the_metadata_of_then_is_read() -> None:
    lifter = Lifter(OLD / "run")
    assert isinstance(lifter.metadata, LifterMetadata)
    assert (lifter.metadata.receptive_field, lifter.metadata.frame_rate_hz) == (9, 25.0)
    assert len(lifter.metadata.checkpoint_sha256) == 64


def test_the_streaming_graph_gives_the_same_poses(expected: dict[str, np.ndarray]) -> None:
    stream = Lifter(OLD / "run").stream(tuple(expected["image_size"]), "coco17")
    assert stream.graph == "streaming"
    poses = [pose for i, frame in enumerate(expected["keypoints"]) for pose in stream.push(frame, i / 25)]
    poses += stream.flush()
    np.testing.assert_allclose([pose.joints_m for pose in poses], expected["poses_m"], rtol=0, atol=1e-5)


def test_half_precision_files_run(expected: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(lift(OLD / "run/lifter.fp16.onnx", expected), expected["poses_m"], rtol=0, atol=2e-3)


@pytest.mark.parametrize("checkpoint", ["run/lifter.pt", "pretrained.pt"])
def test_checkpoints_load_and_lift(checkpoint: str, expected: dict[str, np.ndarray]) -> None:
    torch = pytest.importorskip("torch")
    from sdk.lifting.windows import prepare_keypoints, sample_windows
    from training.lifter.checkpoint import LifterCheckpoint

    loaded = LifterCheckpoint.load(OLD / checkpoint)
    if checkpoint == "pretrained.pt":
        assert loaded.network.channels == 8
        return
    image_size = (int(expected["image_size"][0]), int(expected["image_size"][1]))
    points = prepare_keypoints(expected["keypoints"], image_size, "coco17", loaded.metadata)
    times = np.arange(len(points)) / 25
    with torch.inference_mode():
        poses = loaded.network(torch.from_numpy(sample_windows(points, times, times, loaded.metadata)))
    np.testing.assert_allclose(poses.numpy(), expected["poses_m"], rtol=0, atol=TOLERANCE_M)


def test_settings_of_a_run_are_read() -> None:
    pytest.importorskip("torch")
    from training.settings.run_settings import read_settings

    settings = read_settings(OLD / "run/config.json")
    assert (settings.target, settings.steps, settings.recipe) == (Path("/videos/walker.npz"), 4, "default")


def test_a_run_is_exported_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, np.ndarray]
) -> None:
    pytest.importorskip("onnxscript")
    from export.command import main

    shutil.copytree(OLD / "run", tmp_path / "run")
    for file in (tmp_path / "run").glob("*.onnx"):
        file.unlink()
    monkeypatch.setattr(sys, "argv", ["adaptpose-export", str(tmp_path / "run")])
    main()
    np.testing.assert_allclose(lift(tmp_path / "run", expected), expected["poses_m"], rtol=0, atol=TOLERANCE_M)


def test_keypoints_in_the_cache_are_read(expected: dict[str, np.ndarray]) -> None:
    pytest.importorskip("torch")
    from training.target.extraction_cache import ExtractionCache

    (file,) = (OLD / "cache").glob("*.npz")
    found = ExtractionCache(OLD / "cache", "mediapipe 0.10.21").load(file, Path("moved.mp4"))
    assert found is not None
    assert (found.frames, found.notes) == (120, ("moved.mp4: a note",))
    np.testing.assert_allclose(found.tracks[0].keypoints_px[..., :2], expected["keypoints"], atol=1e-4)


def test_a_run_made_with_the_default_of_then_goes_on_with_its_detector() -> None:
    """It was `mediapipe`; `movenet` is today's."""
    pytest.importorskip("torch")
    from training.settings.adapt import Adapt
    from training.settings.run_settings import read_settings, resumed_settings

    stored = read_settings(OLD / "run" / "config.json")
    resumed = resumed_settings(stored, Adapt(resume=OLD / "run"), OLD / "run")
    assert (stored.detector, resumed.detector, Adapt().detector) == ("mediapipe", "mediapipe", "movenet")
