"""ONNX files that keep weights elsewhere are refused, wherever in the file and wherever the path leads.

But for weights in a file of the same folder whose hash the model states.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sdk.errors import BadModelFile
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from sdk.runtime.external_data import WEIGHTS_KEY, checked_model, weights_entry
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
    assert open_session(tmp_path / "lifter.onnx").get_inputs()
    for shipped in SHIPPED_LIFTERS.values():
        assert checked_model(shipped) == shipped
        assert all(
            weight.data_location == 0 for weight in onnx.load(shipped, load_external_data=False).graph.initializer
        )


def write_sharing(folder: Path, *, location: str = "whole.onnx", **stated: object) -> Path:
    """whole.onnx, and model.onnx that takes its matrix from there; what it states of that file can be changed."""
    folder.mkdir(exist_ok=True)
    matrix = write_linear_lifter(folder / "whole.onnx")
    model = onnx.load(folder / "whole.onnx")
    put_outside(model.graph.initializer[0], location)
    offset = (folder / "whole.onnx").read_bytes().index(matrix.tobytes())
    for key, value in (("offset", offset), ("length", matrix.nbytes)):
        model.graph.initializer[0].external_data.add(key=key, value=str(value))
    entry = json.loads(weights_entry(folder / "whole.onnx")[WEIGHTS_KEY]) | stated
    model.metadata_props.add(key=WEIGHTS_KEY, value=json.dumps(entry))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


def test_weights_of_a_file_beside_it_whose_hash_it_states(tmp_path: Path) -> None:
    path = write_sharing(tmp_path)
    windows = np.random.default_rng(0).normal(size=(3, 27, 16, 2)).astype(np.float32)
    whole, shared = (open_session(one).run(None, {"windows": windows})[0] for one in (tmp_path / "whole.onnx", path))
    assert np.array_equal(whole, shared)
    assert np.ptp(whole) > 0.1


def test_links_to_both_files(tmp_path: Path) -> None:
    """As some installers lay out packages. ONNX Runtime 1.24 alone refuses them."""
    path = write_sharing(tmp_path / "store")
    (tmp_path / "links").mkdir()
    for name in ("model.onnx", "whole.onnx"):
        (tmp_path / "links" / name).symlink_to(path.with_name(name))
    assert checked_model(tmp_path / "links" / "model.onnx") == path.resolve()
    assert open_session(tmp_path / "links" / "model.onnx").get_inputs()


def test_weights_that_are_missing_or_others_are_refused(tmp_path: Path) -> None:
    path = write_sharing(tmp_path)
    write_linear_lifter(tmp_path / "whole.onnx", seed=1)  # of equal size
    with pytest.raises(
        BadModelFile, match=r"model\.onnx takes its weights from .*whole\.onnx, and that is another file"
    ):
        open_session(path)
    (tmp_path / "whole.onnx").unlink()
    with pytest.raises(BadModelFile, match=r"takes its weights from .*whole\.onnx, which is not there.*one folder"):
        open_session(path)


@pytest.mark.parametrize(
    "name", ["../secret.bin", "/etc/hostname", "..", ".", "", "a\\b", "C:x", "a\0b", None, 3, ["a"]]
)
def test_only_a_plain_name_of_a_file_can_be_stated(tmp_path: Path, name: object) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(1 << 20))
    sha256 = json.loads(weights_entry(tmp_path / "secret.bin")[WEIGHTS_KEY])["sha256"]
    path = write_sharing(tmp_path / "models", location=str(name), file=name, sha256=sha256)
    with pytest.raises(BadModelFile, match=r"keeps weights in other files.*onnx\.save"):
        open_session(path)


@pytest.mark.parametrize("stated", [{"sha256": None}, {"file": "other.onnx"}, {"sha256": 5}])
def test_what_is_stated_must_be_of_the_file_that_tensors_name(tmp_path: Path, stated: dict[str, object]) -> None:
    (tmp_path / "other.onnx").write_bytes(b"other")
    with pytest.raises(BadModelFile, match="keeps weights in other files"):
        open_session(write_sharing(tmp_path, **stated))


def test_one_tensor_from_elsewhere_is_refused_beside_shared_ones(tmp_path: Path) -> None:
    model = onnx.load(write_sharing(tmp_path / "models"), load_external_data=False)
    (tmp_path / "secret.bin").write_bytes(bytes(1 << 20))
    in_subgraph(model, "../secret.bin")
    (tmp_path / "models" / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BadModelFile, match="keeps weights in other files"):
        open_session(tmp_path / "models" / "model.onnx")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x0b", b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 30])
def test_what_is_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(BadModelFile, match=r"a\.onnx: ONNX Runtime can't open it on 'cpu'"):
        open_session(tmp_path / "a.onnx")
