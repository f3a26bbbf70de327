"""Arrays of equal numbers become scalars, where that changes no shape; the answers stay the same, bit for bit."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sdk.detectors.movenet.scalar_constants import with_scalars


def written(path, constants, nodes, shape=(1, 4, 5, 3)):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    arrays = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()]
    made = [helper.make_node(op, ins, [out]) for op, ins, out in nodes]
    graph = helper.make_graph(made, "g", [image], [answer], arrays)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def answer(path, shape=(1, 4, 5, 3)):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return onnxruntime.InferenceSession(path).run(None, {"x": image})[0]


def ranks(path):
    """Axes of the constants that the nodes take."""
    graph = onnx.load(path).graph
    axes = {one.name: len(one.dims) for one in graph.initializer}
    return [axes[name] for node in graph.node for name in node.input if name in axes]


def test_equal_numbers_become_one(tmp_path):
    rows = np.full((1, 1, 1, 3), 0.00784302)
    nodes = [("Mul", ["x", "a"], "b"), ("Sub", ["b", "c"], "d"), ("Div", ["c", "d"], "y")]
    path = written(tmp_path / "m.onnx", {"a": rows, "c": [0.3, 0.3, 0.3]}, nodes)
    lighter = with_scalars(path)
    assert (ranks(path), ranks(lighter)) == ([4, 1, 1], [0, 0, 0])
    np.testing.assert_array_equal(answer(lighter), answer(path))


@pytest.mark.parametrize(
    ("constant", "shape"),
    [
        (np.array([1.0, 2.0, 1.0]), (1, 4, 5, 3)),  # other numbers
        (np.ones((1, 1, 1, 3)), (1, 4, 5, 1)),  # the result gets three columns from it
        (np.ones((1, 1, 2, 3)), (1, 4, 1, 3)),  # and here two rows
    ],
)
def test_others_stay(tmp_path, constant, shape):
    path = written(tmp_path / "m.onnx", {"a": constant}, [("Add", ["x", "a"], "y")], shape)
    lighter = with_scalars(path)
    assert ranks(lighter) == ranks(path)
    np.testing.assert_array_equal(answer(lighter, shape), answer(path, shape))


def test_it_is_made_once_and_again_for_another_content(tmp_path):
    path = written(tmp_path / "m.onnx", {"a": np.ones(3)}, [("Add", ["x", "a"], "y")])
    first = with_scalars(path)
    before = first.stat().st_mtime_ns
    assert with_scalars(path) == first
    assert first.stat().st_mtime_ns == before
    written(path, {"a": np.zeros(3)}, [("Add", ["x", "a"], "y")])
    assert with_scalars(path) != first
    np.testing.assert_array_equal(answer(with_scalars(path)), answer(path))


def test_without_permission_the_file_itself_runs(tmp_path, monkeypatch):
    path = written(tmp_path / "m.onnx", {"a": np.ones(3)}, [("Add", ["x", "a"], "y")])

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(onnx, "save", refused)
    assert with_scalars(path) == path
    assert [one.name for one in tmp_path.iterdir()] == ["m.onnx"]
