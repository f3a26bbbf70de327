"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdk.errors import BadOutput
from training.files.atomic_file import replacing


def test_a_device_or_pipe_stays_what_it_is(tmp_path: Path) -> None:
    """`--json /dev/null`, as root, took the device away from the whole machine."""
    pipe = tmp_path / "numbers.json"
    os.mkfifo(pipe)
    with pytest.raises(BadOutput, match="writing would replace it"), replacing(pipe) as part:
        part.write_text("{}")
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
