import pytest

from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx


@pytest.fixture(scope="session")
def checkpoint():
    return LifterCheckpoint(random_lifter(channels=32), LifterMetadata(name="a random lifter"))


@pytest.fixture(scope="session")
def graphs(checkpoint, tmp_path_factory):
    """A folder with both graphs of the lifter; only to be read."""
    folder = tmp_path_factory.mktemp("graphs")
    write_lifter_onnx(checkpoint.network, checkpoint.metadata, folder / "lifter.onnx")
    write_streaming_onnx(checkpoint.network, checkpoint.metadata, folder / "lifter.stream.onnx")
    return folder


@pytest.fixture
def runs(tmp_path, checkpoint, monkeypatch):
    """A working directory whose ./runs holds one run, `ski`."""
    run = tmp_path / "runs" / "ski"
    run.mkdir(parents=True)
    checkpoint.save(run / "lifter.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"
