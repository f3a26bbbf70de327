"""adaptpose-export --share-weights: the streaming graph without weights of its own answers as before, to the bit."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from export.command import Export, run_export
from export.precision import BOUNDS, Bound
from export.real_windows import RealWindows
from export.shared_weights import share_weights
from export.verification import UnequalExport, stream_windows
from sdk.errors import BadModelFile
from sdk.lifting.lifter import Lifter
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from sdk.lifting.streaming import StreamingGraph, streaming_path
from tests.lifters import random_lifter
from training.lifter.onnx_graphs import write_lifter_onnx


@pytest.fixture
def windows():
    return np.random.default_rng(0).uniform(-1, 1, (8, 27, 16, 2)).astype(np.float32)


@pytest.mark.parametrize("half", [False, True])
def test_the_streaming_graph_shares_the_window_graphs_weights(runs, checkpoint, windows, monkeypatch, capsys, half):
    monkeypatch.setattr("export.real_windows.find_real_windows", lambda *_: RealWindows(windows, "of this test"))
    monkeypatch.setattr("export.precision.STORED_IN_HALF", Bound(None, 10.0))  # random weights round worse
    whole, shared = runs / "whole/lifter.onnx", runs / "shared/lifter.onnx"
    run_export(Export(runs / "ski", half_storage=half, out=whole))
    run_export(Export(runs / "ski", half_storage=half, out=shared, share_weights=True))
    assert "weights from lifter.onnx" in capsys.readouterr().out
    assert whole.read_bytes() == shared.read_bytes()
    assert sorted(path.name for path in shared.parent.iterdir()) == ["lifter.onnx", "lifter.stream.onnx"]
    sizes = [streaming_path(path).stat().st_size for path in (whole, shared)]
    weights = sum(p.numel() for p in checkpoint.network.parameters() if p.dim() > 1) * (2 if half else 4)
    assert sizes[0] - sizes[1] > weights / 2
    lifters = [Lifter(path) for path in (whole, shared)]
    answers = [stream_windows(lifter.streaming_graph(), windows) for lifter in lifters]
    assert np.array_equal(*answers)
    assert np.ptp(answers[0]) > 0


@pytest.mark.parametrize("name", SHIPPED_LIFTERS)
def test_shipped_lifters_share_them(name, tmp_path, windows):
    """With weights of its own, written by onnx, the streaming graph answers the same."""
    path = streaming_path(SHIPPED_LIFTERS[name])
    metadata = Lifter(name).metadata
    if metadata.tells_more:
        windows = np.concatenate([windows, windows[:, :, -4:]], 2)
    onnx.save(onnx.load(path), tmp_path / "whole.onnx")
    assert (tmp_path / "whole.onnx").stat().st_size > 20 * path.stat().st_size
    answers = [stream_windows(StreamingGraph(one, metadata), windows) for one in (path, tmp_path / "whole.onnx")]
    assert np.array_equal(*answers)


def test_other_precisions_keep_their_own_weights(runs, windows, monkeypatch):
    monkeypatch.setattr("export.real_windows.find_real_windows", lambda *_: RealWindows(windows, "of this test"))
    monkeypatch.setitem(BOUNDS, "fp16", Bound(None, 10.0))
    run_export(Export(runs / "ski", ("fp16",), share_weights=True, out=runs / "out"))
    (runs / "out/lifter.onnx").unlink()
    assert Lifter(runs / "out/lifter.fp16.onnx").streaming_graph() is not None
    with pytest.raises(BadModelFile, match=r"weights from .*lifter\.onnx, which is not there"):
        StreamingGraph(runs / "out/lifter.stream.onnx", Lifter(runs / "out/lifter.fp16.onnx").metadata)


def test_files_of_two_exports_or_folders_share_nothing(graphs, tmp_path, windows):
    stream = Path(shutil.copy(graphs / "lifter.stream.onnx", tmp_path))
    with pytest.raises(BadModelFile, match="only with a file in its own folder"):
        share_weights(graphs / "lifter.onnx", stream, windows)
    write_lifter_onnx(random_lifter(channels=32, seed=5), Lifter(graphs / "lifter.onnx").metadata, tmp_path / "a.onnx")
    with pytest.raises(BadModelFile, match="not of one export"):
        share_weights(tmp_path / "a.onnx", stream, windows)
    assert stream.read_bytes() == (graphs / "lifter.stream.onnx").read_bytes()


def test_a_graph_that_answers_otherwise_is_not_kept(graphs, tmp_path, windows, monkeypatch):
    files = [Path(shutil.copy(graphs / name, tmp_path)) for name in ("lifter.onnx", "lifter.stream.onnx")]
    answers = iter([np.zeros(3), np.ones(3)])
    monkeypatch.setattr("export.shared_weights.stream_windows", lambda *_: next(answers))
    with pytest.raises(UnequalExport, match="gives other answers"):
        share_weights(*files, windows)
    assert files[1].read_bytes() == (graphs / "lifter.stream.onnx").read_bytes()
