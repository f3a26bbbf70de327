"""Progress without a terminal, and TensorBoard's log."""

import threading

import pytest

from sdk.errors import BadOutput
from training.runs.progress import training_progress


def logged(folder):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = event_accumulator.EventAccumulator(str(folder)).Reload()
    return {tag: [(event.step, event.value) for event in log.Scalars(tag)] for tag in log.Tags()["scalars"]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # tensorboard's own
def test_plain_lines_and_log(tmp_path, capsys):
    with training_progress("adapt", 40, 0, tmp_path) as progress:
        for step in range(1, 41):
            progress.update(step, {"lifter/fake_mm": float(step), "generator/ranges": 0.5})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20  # one for every 5% of the steps
    assert lines[-1] == "adapt 40/40  fake mm 40"
    assert logged(tmp_path)["lifter/fake_mm"] == [(10, 10.0), (20, 20.0), (30, 30.0), (40, 40.0)]
    assert "generator/ranges" in logged(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_resumed_run_writes_over_what_comes_again(tmp_path, capsys):
    with training_progress("adapt", 40, 0, tmp_path) as progress:
        for step in range(1, 36):
            progress.update(step, {"loss_mm": 1.0})
    with training_progress("adapt", 40, 20, tmp_path) as progress:  # the state was saved after 20
        for step in range(21, 41):
            progress.update(step, {"loss_mm": 2.0})
    assert logged(tmp_path)["loss_mm"] == [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0)]


def test_the_log_is_closed_after_an_error(tmp_path, capsys):
    def failing():
        with training_progress("adapt", 10, 0, tmp_path) as progress:
            progress.update(10, {"loss_mm": 1.0})
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        failing()
    assert list(tmp_path.glob("events*"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("at", ["add_scalar", "close"])
def test_a_full_disk_is_named(tmp_path, capsys, monkeypatch, at):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    def logging():
        with training_progress("adapt", 10, 0, tmp_path / "log") as progress:
            monkeypatch.setattr(f"torch.utils.tensorboard.SummaryWriter.{at}", full)
            progress.update(10, {"loss_mm": 1.0})

    with pytest.raises(BadOutput, match=r"log can't be written: No space left on device"):
        logging()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_full_disk_in_the_writers_thread_is_told_once(tmp_path, capsys, monkeypatch):
    record_writer = pytest.importorskip("tensorboard.summary.writer.record_writer")

    def full(*_):
        raise OSError(28, "No space left on device")

    def logging():
        with training_progress("adapt", 10, 0, tmp_path / "log") as progress, monkeypatch.context() as patch:
            patch.setattr(record_writer.RecordWriter, "write", full)
            progress.update(10, {"loss_mm": 1.0})
            progress._writer.flush()

    printed, before = [], threading.excepthook
    monkeypatch.setattr(threading, "excepthook", printed.append)
    with pytest.raises(BadOutput, match=r"log can't be written: No space left on device"):
        logging()
    assert printed == []
    # Other threads' failures are printed as ever, then and afterwards.
    with training_progress("adapt", 10, 0, tmp_path / "other"):
        other = threading.Thread(target=full)
        other.start()
        other.join()
    assert [str(failure.exc_value) for failure in printed] == ["[Errno 28] No space left on device"]
    monkeypatch.undo()
    assert threading.excepthook is before


def test_a_place_where_there_can_be_no_log(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadOutput, match=r"file can't be written"), training_progress("a", 1, 0, tmp_path / "file"):
        pass
