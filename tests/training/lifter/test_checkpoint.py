"""Checkpoints and run states: there and back, whole or not at all, and no code run from a file."""

import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sdk.errors import BadModelFile, BadOutput
from sdk.files.output_files import part_beside
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.files.atomic_file import replacing
from training.files.tensor_file import load_tensors
from training.lifter.checkpoint import LifterCheckpoint, exported_metadata
from training.runs.resuming import load_state, save_state

METADATA = LifterMetadata(9, name="a test")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "lifter.pt"
    LifterCheckpoint(random_lifter((3, 3), channels=8), METADATA).save(file)
    return file


def rewrite(path, **changes):
    content = torch.load(path, weights_only=True)
    for name, value in changes.items():
        content[name] = value(content[name]) if callable(value) else value
    torch.save({name: value for name, value in content.items() if value is not None}, path)


class TestCheckpoint:
    def test_round_trip(self, path):
        network = random_lifter((3, 3), channels=8)
        loaded = LifterCheckpoint.load(path)
        assert loaded.metadata == METADATA
        assert not loaded.network.training
        assert (loaded.network.filter_widths, loaded.network.channels) == ((3, 3), 8)
        windows = torch.rand(4, 9, 16, 2)
        assert torch.equal(loaded.network(windows), network(windows))

    def test_half_storage_rounds_what_is_large(self, tmp_path):
        network = random_lifter((3, 3), channels=32)
        sizes = {}
        for half in (False, True):
            LifterCheckpoint(network, METADATA).save(tmp_path / f"{half}.pt", half_storage=half)
            sizes[half] = (tmp_path / f"{half}.pt").stat().st_size
        assert sizes[True] < 0.75 * sizes[False]
        loaded = LifterCheckpoint.load(tmp_path / "True.pt").network.state_dict()
        for name, value in network.state_dict().items():
            expected = value.half().float() if value.numel() >= 1024 else value
            assert loaded[name].dtype == value.dtype
            assert torch.equal(loaded[name], expected), name

    def test_describes_itself(self, path):
        """Plain values beside the weights: another program can read them."""
        content = torch.load(path, weights_only=True)
        assert content["architecture"] == {
            "filter_widths": [3, 3], "channels": 8, "joints": 16, "input_channels": 2, "dropout": 0.25,
            "view": "picture",
        }  # fmt: skip
        assert content["card"]["skeleton"] == "h36m16"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"card": lambda c: c | {"format_version": 9, "project_version": "5.0"}}, r"9.*written by adaptpose 5\.0"),
            ({"card": lambda c: c | {"receptive_field": 27}}, "the metadata says 27 frames, the network takes 9"),
            ({"card": None}, "lacks metadata, architecture or weights"),
            ({"weights": None}, "lacks metadata, architecture or weights"),
            ({"card": 3}, "not a lifter's description"),
            ({"architecture": lambda a: a | {"channels": 16}}, "architecture and weights do not fit"),
            ({"architecture": lambda a: a | {"filter_widths": [3, 2]}}, "do not fit"),
            ({"architecture": lambda a: a | {"layers": 3}}, "do not fit"),
            ({"architecture": [3, 3]}, "do not fit"),
            ({"weights": lambda w: dict(list(w.items())[1:])}, "do not fit"),
            ({"weights": 3}, "do not fit"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, path, changes, message):
        rewrite(path, **changes)
        with pytest.raises(BadModelFile, match=rf"lifter\.pt.*{message}"):
            LifterCheckpoint.load(path)

    def test_missing(self, tmp_path):
        with pytest.raises(BadModelFile, match=r"no checkpoint at .*nowhere\.pt"):
            LifterCheckpoint.load(tmp_path / "nowhere.pt")

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
    def test_truncated(self, path, share):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        with pytest.raises(BadModelFile, match=r"lifter\.pt is not a readable checkpoint: .*or it is cut off"):
            LifterCheckpoint.load(path)

    def test_nobody_is_advised_to_load_without_care(self, path):
        """torch's own message recommends weights_only=False, which runs the file's code."""
        torch.save({"card": print}, path)
        with pytest.raises(BadModelFile, match=r"is not a readable checkpoint: Weights only load failed$"):
            LifterCheckpoint.load(path)

    def test_not_a_dict(self, path):
        torch.save(torch.zeros(3), path)
        with pytest.raises(BadModelFile, match="is not a checkpoint of this project"):
            LifterCheckpoint.load(path)

    def test_a_flipped_bit_is_noticed(self, path):
        """Anywhere in the file: refused, or, in the padding between entries, without any effect."""
        whole, expected = path.read_bytes(), LifterCheckpoint.load(path).network.state_dict()
        refused = 0
        for place in range(0, len(whole), max(1, len(whole) // 150)):
            flipped = bytearray(whole)
            flipped[place] ^= 0x10
            path.write_bytes(flipped)
            try:
                found = LifterCheckpoint.load(path).network.state_dict()
            except BadModelFile:
                refused += 1
            else:
                assert all(torch.equal(value, found[name]) for name, value in expected.items())
        assert refused > 50

    def test_a_flipped_bit_of_the_weights_names_the_way_out(self, path):
        content = bytearray(path.read_bytes())
        place = content.index(LifterCheckpoint.load(path).network.head.weight.detach().numpy().tobytes())
        content[place + 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(BadModelFile, match=r"lifter\.pt is damaged: its entry '.*' is not what was written"):
            LifterCheckpoint.load(path)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_that_are_no_numbers(self, path, value):
        rewrite(path, weights=lambda w: w | {"head.weight": torch.full_like(w["head.weight"], value)})
        with pytest.raises(BadModelFile, match=r"lifter\.pt: 1 of its arrays hold .* not finite, head\.weight"):
            LifterCheckpoint.load(path)

    def test_hash_of_the_file_goes_into_the_exported_metadata(self, path):
        import hashlib

        metadata = exported_metadata(METADATA, path)
        assert metadata.checkpoint_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert metadata.name == METADATA.name


class Malicious:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_code_in_a_file_is_not_run(tmp_path, write):
    path, proof = tmp_path / "lifter.pt", tmp_path / "proof"
    write({"card": {}, "architecture": {}, "weights": Malicious(proof)}, path)
    with pytest.raises(BadModelFile, match="is not a readable checkpoint"):
        LifterCheckpoint.load(path)
    assert not proof.exists()
    torch.load(path, weights_only=False) if write is torch.save else pickle.loads(path.read_bytes())
    assert proof.exists()  # it would have


class TestWholeOrNotAtAll:
    def failing(self, content, file):
        file.write(b"half a fi")
        raise OSError(28, "No space left on device")

    def test_same_content_same_bytes(self, path, monkeypatch):
        """Whatever the process and the name of its temporary file."""
        other = path.with_name("other.pt")
        monkeypatch.setattr(os, "getpid", lambda: 1)
        LifterCheckpoint(random_lifter((3, 3), channels=8), METADATA).save(other)
        assert other.read_bytes() == path.read_bytes()

    def test_a_full_disk_is_named(self, tmp_path):
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("no /dev/full here")
        part_beside(tmp_path / "new.pt").symlink_to(full)
        with pytest.raises(BadOutput, match=r"new\.pt can't be written: .*What was there before is kept"):
            LifterCheckpoint(random_lifter((3, 3), channels=8), METADATA).save(tmp_path / "new.pt")
        assert not list(tmp_path.iterdir())

    @pytest.mark.skipif(sys.platform == "win32", reason="needs the limit on the size of files")
    @pytest.mark.parametrize("limit", [0, 100, 30_000, 80_000])
    def test_a_disk_that_fills_up_anywhere_in_the_file_is_named(self, path, limit):
        """The system itself refuses to write on; torch would hide that behind an error of its own."""
        program = """
import resource, sys
from pathlib import Path
from sdk.lifting.model_metadata import LifterMetadata
from sdk.errors import BadOutput
from tests.lifters import random_lifter
from training.lifter.checkpoint import LifterCheckpoint
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    LifterCheckpoint(random_lifter((3, 3), channels=64), LifterMetadata(9)).save(Path(sys.argv[1]))
except BadOutput as error:
    print(error)
"""
        before = path.read_bytes()
        root = Path(__file__).parents[3]
        done = subprocess.run(
            [sys.executable, "-c", program, path, str(limit)], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.stdout == f"{path} can't be written: [Errno 27] File too large. What was there before is kept.\n"
        assert done.returncode == 0, done.stderr
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == ["lifter.pt"]

    def test_a_failing_write_leaves_the_old_checkpoint(self, path, monkeypatch):
        before = path.read_bytes()
        monkeypatch.setattr(torch, "save", self.failing)
        with pytest.raises(BadOutput, match="No space left"):
            LifterCheckpoint(random_lifter((3, 3), channels=8, seed=5), METADATA).save(path)
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == ["lifter.pt"]

    def test_a_failing_first_write_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch, "save", self.failing)
        with pytest.raises(BadOutput, match="No space left"):
            LifterCheckpoint(random_lifter((3, 3), channels=8), METADATA).save(tmp_path / "new.pt")
        assert not list(tmp_path.iterdir())

    def test_replacing(self, tmp_path):
        path = tmp_path / "file.json"
        with replacing(path) as part:
            assert part.parent == path.parent  # one file system: the exchange is one step
            assert part.suffix == ".json"
            part.write_text("new")
            assert not path.exists()
        assert path.read_text() == "new"

        def interrupted():
            with replacing(path) as part:
                part.write_text("half of a newer")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert path.read_text() == "new"
        assert [file.name for file in tmp_path.iterdir()] == ["file.json"]

    def test_one_inside_another_names_the_file_that_the_user_knows(self, tmp_path):
        path = tmp_path / "lifter.onnx"

        def write():
            with replacing(path) as outer, replacing(outer):
                raise OSError(28, "No space left on device")

        with pytest.raises(BadOutput) as error:
            write()
        assert str(error.value) == (
            f"{path} can't be written: [Errno 28] No space left on device. What was there before is kept."
        )

    @pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
    def test_what_a_killed_process_left_half_written_is_removed_by_the_next_write(self, tmp_path):
        program = """
import os, signal, sys
from pathlib import Path
from training.files.atomic_file import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
        path = tmp_path / "file.json"
        done = subprocess.run([sys.executable, "-c", program, path], cwd=Path(__file__).parents[3], check=False)
        assert done.returncode == -signal.SIGKILL
        (left,) = tmp_path.iterdir()
        assert left.read_text() == "half"
        with replacing(path) as part:
            part.write_text("whole")
        assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


class Training:
    """A network, its optimiser and randomness, in the middle of learning."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        self.network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(), torch.nn.Linear(8, 1))
        self.optimiser = torch.optim.Adam(self.network.parameters(), 0.1)
        self.random = torch.Generator().manual_seed(seed)
        self.parts = {"network": self.network, "optimiser": self.optimiser}

    def step(self, count):
        for _ in range(count):
            loss = self.network(torch.randn(5, 3, generator=self.random)).square().mean()
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
        return self.network[0].weight.detach().clone()


class TestState:
    def test_goes_on_as_if_never_stopped(self, tmp_path):
        whole = Training(1)
        whole.step(3)
        expected = whole.step(4)

        stopped = Training(1)
        stopped.step(3)
        save_state(tmp_path / "state.pt", stopped.parts, stopped.random, 3, "settings")
        resumed = Training(2)
        assert load_state(tmp_path / "state.pt", resumed.parts, resumed.random, "settings") == 3
        assert torch.equal(resumed.step(4), expected)

    def test_other_settings_are_refused_and_nothing_is_loaded(self, tmp_path):
        one, other = Training(1), Training(2)
        save_state(tmp_path / "state.pt", one.parts, one.random, 3, json.dumps({"batch": 16}))
        before = other.network[0].weight.detach().clone()
        with pytest.raises(BadModelFile, match=r"state\.pt belongs to a run with other settings.*config\.json"):
            load_state(tmp_path / "state.pt", other.parts, other.random, json.dumps({"batch": 32}))
        assert torch.equal(other.network[0].weight, before)

    @pytest.mark.parametrize(
        "change",
        [
            lambda c: c["parts"].pop("optimiser"),
            lambda c: c["parts"]["network"].pop("0.bias"),
            lambda c: c["parts"].update(network={"0.weight": torch.zeros(2)}),
            lambda c: c["parts"].update(optimiser=3),
            lambda c: c["parts"].update(optimiser={}),
            lambda c: c.update(parts=None),
            lambda c: c.pop("generator"),
            lambda c: c.update(generator=torch.zeros(3)),
            lambda c: c.update(step="x"),
        ],
    )
    def test_a_state_of_another_version(self, tmp_path, change):
        one = Training(1)
        one.step(1)
        path = tmp_path / "state.pt"
        save_state(path, one.parts, one.random, 1, "settings")
        content = torch.load(path, weights_only=True)
        change(content)
        torch.save(content, path)
        with pytest.raises(BadModelFile, match=r"state\.pt: the saved state does not fit this version.*start it anew"):
            load_state(path, one.parts, one.random, "settings")

    def test_missing_and_truncated(self, tmp_path):
        one, path = Training(1), tmp_path / "state.pt"
        with pytest.raises(BadModelFile, match="no checkpoint at"):
            load_state(path, one.parts, one.random, "settings")
        save_state(path, one.parts, one.random, 1, "settings")
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(BadModelFile, match=r"is not a readable checkpoint.* cut off\. .* start it anew"):
            load_state(path, one.parts, one.random, "settings")

    def test_a_failing_write_keeps_the_last_state(self, tmp_path, monkeypatch):
        one, path = Training(1), tmp_path / "state.pt"
        save_state(path, one.parts, one.random, 1, "settings")
        monkeypatch.setattr(torch, "save", TestWholeOrNotAtAll().failing)
        with pytest.raises(BadOutput, match="No space left"):
            save_state(path, one.parts, one.random, 2, "settings")
        assert load_tensors(path)["step"] == 1
