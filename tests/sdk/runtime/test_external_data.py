"""ONNX files that keep weights elsewhere are refused, wherever in the file and wherever the path leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sdk.errors import BadModelFile
from sdk.runtime.external_data import keeps_external_data
from sdk.runtime.sessions import open_session
from tests.sdk.linear_lifter import write_linear_lifter


def put_outside(tensor: TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location


def in_initializer(model: Any, location: str) -> None:
    put_outside(model.graph.initializer[0], location)


def in_attribute(model: Any, location: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1000, np.float32), "hidden")
    put_outside(tensor, location)
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=tensor))


def in_subgraph(model: Any, location: str) -> None:
    inner = helper.make_graph([], "inner", [], [], [numpy_helper.from_array(np.zeros(1000, np.float32), "hidden")])
    put_outside(inner.initializer[0], location)
    model.graph.node.append(helper.make_node("If", ["flat"], ["unused"], then_branch=inner, else_branch=inner))


@pytest.mark.parametrize("put", [in_initializer, in_attribute, in_subgraph])
@pytest.mark.parametrize("where", ["beside.bin", "../secret.bin", "absolute", "link.bin"])
def test_external_data_is_refused(tmp_path: Path, put: Any, where: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(1 << 20))
    (folder / "link.bin").symlink_to(secret)
    (folder / "beside.bin").write_bytes(bytes(1 << 20))
    write_linear_lifter(folder / "lifter.onnx")
    model = onnx.load(folder / "lifter.onnx", load_external_data=False)
    put(model, str(secret) if where == "absolute" else where)
    (folder / "lifter.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadModelFile, match=r"keeps weights in other files.*onnx\.save"):
        open_session(folder / "lifter.onnx")


def test_files_that_hold_their_weights_are_opened(tmp_path: Path) -> None:
    write_linear_lifter(tmp_path / "lifter.onnx")
    assert not keeps_external_data(tmp_path / "lifter.onnx")
    assert open_session(tmp_path / "lifter.onnx").get_inputs()
    for shipped in sorted((Path(__file__).parents[3] / "sdk/weights").glob("*.onnx")):
        assert not keeps_external_data(shipped)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x0b", b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 30])
def test_what_is_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(BadModelFile, match=r"a\.onnx: ONNX Runtime can't open it on 'cpu'"):
        open_session(tmp_path / "a.onnx")
