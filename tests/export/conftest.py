import pytest

from sdk.lifter_card import LifterCard
from tests.lifters import random_lifter
from training.checkpoint import LifterCheckpoint


@pytest.fixture(scope="session")
def checkpoint():
    return LifterCheckpoint(random_lifter(channels=32), LifterCard(name="a random lifter"))


@pytest.fixture
def runs(tmp_path, checkpoint, monkeypatch):
    """A working directory whose ./runs holds one run, `ski`."""
    run = tmp_path / "runs" / "ski"
    run.mkdir(parents=True)
    checkpoint.save(run / "lifter.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"
