"""What killed processes left half written goes away; what live ones write does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.errors import BadOutput
from sdk.files import output_files
from sdk.files.output_files import abandoned_parts, check_output_path, part_beside, remove_abandoned_parts

WRITES_AND_WAITS = """
import sys
from pathlib import Path
from sdk.files.output_files import part_beside
part = part_beside(Path(sys.argv[1]))
part.write_text("half")
rows = part.with_suffix(".rows")
rows.mkdir()
(rows / "column").write_text("half")
print(part, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process in the middle of writing `tmp_path`/poses.npz."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES_AND_WAITS, str(tmp_path / "poses.npz")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        process.part = Path(process.stdout.readline().strip())
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_part_is_a_hidden_neighbour_with_the_files_suffix(tmp_path):
    part = part_beside(tmp_path / "lifter.onnx")
    assert part.parent == tmp_path
    assert part.name.startswith(".lifter.part-")
    assert part.name.endswith(f"-{os.getpid()}.onnx")


@pytest.mark.skipif(os.name == "nt", reason="processes can't be asked for there")
class TestAbandoned:
    def test_parts_stay_while_their_process_lives_and_go_after_it_was_killed(self, writer, tmp_path):
        poses = tmp_path / "poses.npz"
        assert sorted(tmp_path.iterdir()) == [writer.part, writer.part.with_suffix(".rows")]
        remove_abandoned_parts(poses)
        assert len(list(tmp_path.iterdir())) == 2
        writer.kill()
        writer.wait()
        assert abandoned_parts(poses) == [writer.part, writer.part.with_suffix(".rows")]
        remove_abandoned_parts(poses)
        assert list(tmp_path.iterdir()) == []

    def test_only_parts_of_that_file_go(self, writer, tmp_path):
        writer.kill()
        writer.wait()
        for other in ("poses2.npz", "pose.npz", "other.poses.npz", "*.npz", "poses.npz.npz", "poses.mp4", "poses"):
            remove_abandoned_parts(tmp_path / other)
            assert writer.part.exists(), other
            assert writer.part.with_suffix(".rows").exists(), other

    def test_parts_of_another_machine_stay(self, writer, tmp_path, monkeypatch):
        writer.kill()
        writer.wait()
        monkeypatch.setattr(output_files.platform, "node", lambda: "another machine")
        remove_abandoned_parts(tmp_path / "poses.npz")
        assert writer.part.exists()

    def test_our_own_and_another_users_parts_stay(self, tmp_path, monkeypatch):
        own = part_beside(tmp_path / "a.pt")
        own.write_text("half")
        remove_abandoned_parts(tmp_path / "a.pt")
        assert own.exists()

        def not_ours(process, signal):
            raise PermissionError

        monkeypatch.setattr(os, "kill", not_ours)
        remove_abandoned_parts(tmp_path / "a.pt")
        assert own.exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc")
    def test_a_process_that_only_waits_to_be_asked_for_its_exit_code_is_gone(self, tmp_path):
        """As workers of a killed process are, until the system's first process comes to it."""
        over = subprocess.Popen([sys.executable, "-c", ""])
        os.waitid(os.P_PID, over.pid, os.WEXITED | os.WNOWAIT)
        part = part_beside(tmp_path / "a.pt")
        part = part.with_name(part.name.replace(f"-{os.getpid()}", f"-{over.pid}"))
        part.write_text("half")
        os.kill(over.pid, 0)  # it can still be sent a signal
        assert abandoned_parts(tmp_path / "a.pt") == [part]
        over.wait()

    def test_names_with_special_characters(self, tmp_path, monkeypatch):
        def gone(process, signal):
            raise ProcessLookupError

        monkeypatch.setattr(os, "kill", gone)
        for name in ("a[b]*.mp4", "no suffix", "two.dots.pt"):
            path = tmp_path / name
            part_beside(path).write_text("half")
            assert abandoned_parts(path) == [part_beside(path)]
            remove_abandoned_parts(path)
            assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, tmp_path):
        remove_abandoned_parts(tmp_path / "nowhere" / "a.pt")
        assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mp4")
    with pytest.raises(BadOutput, match="writing would replace it"):
        check_output_path(tmp_path / "out.mp4", ".mp4")
