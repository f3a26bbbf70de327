"""What Triton would read, by Triton's own protobufs."""

import json

import onnx
import pytest

from export.triton_repository import NotServed, write_triton_repository
from sdk.errors import MissingDependency
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.engine_metadata import EngineMismatch
from tests.sdk.engines import write_engine_pair


@pytest.fixture(scope="module")
def triton():
    return pytest.importorskip("tritonclient.grpc.model_config_pb2")


def read_config(triton, folder):
    from google.protobuf import text_format

    return text_format.Parse((folder / "config.pbtxt").read_text(), triton.ModelConfig())


def tensors(values):
    return [(value.name, list(value.dims)) for value in values]


def test_windows_are_batched_dynamically(triton, graphs, tmp_path):
    (served,) = write_triton_repository(tmp_path / "models", [graphs / "lifter.onnx"])
    assert (served.name, served.backend, served.folder) == ("lifter", "onnxruntime", tmp_path / "models" / "lifter")
    assert (served.folder / "1" / "model.onnx").read_bytes() == (graphs / "lifter.onnx").read_bytes()
    config = read_config(triton, served.folder)
    assert (config.name, config.backend, config.max_batch_size) == ("lifter", "onnxruntime", 512)
    assert tensors(config.input) == [("keypoints", [27, 16, 2])]
    assert tensors(config.output) == [("joints", [16, 3])]
    assert {value.data_type for value in (*config.input, *config.output)} == {triton.TYPE_FP32}
    assert config.WhichOneof("scheduling_choice") == "dynamic_batching"
    metadata = json.loads(config.parameters["adaptpose_lifter"].string_value)
    assert LifterMetadata.from_dict(metadata, "test") == LifterMetadata(name="a random lifter")
    assert "pelvis" in config.parameters["adaptpose_graph"].string_value


def test_streams_keep_their_states_on_the_server(triton, graphs, tmp_path):
    (served,) = write_triton_repository(tmp_path, [graphs / "lifter.stream.onnx"])
    assert served.name == "lifter_stream"
    config = read_config(triton, served.folder)
    assert tensors(config.input) == [("keypoints", [16, 2])]
    assert tensors(config.output) == [("joints", [16, 3])]
    assert config.WhichOneof("scheduling_choice") == "sequence_batching"
    assert config.sequence_batching.WhichOneof("strategy_choice") == "oldest"
    states = config.sequence_batching.state
    assert [(s.input_name, s.output_name, list(s.dims)) for s in states] == [
        ("state_0", "next_state_0", [2, 32]),
        ("state_1", "next_state_1", [6, 32]),
        ("state_2", "next_state_2", [18, 32]),
    ]
    for state in states:  # without one a sequence would start from uninitialised memory
        (start,) = state.initial_state
        assert (start.zero_data, list(start.dims), start.data_type) == (True, list(state.dims), triton.TYPE_FP32)
    # Every tensor of the graph is accounted for, once.
    graph = onnx.load(served.folder / "1" / "model.onnx").graph
    assert {v.name for v in graph.input} == {"keypoints", *(s.input_name for s in states)}
    assert {v.name for v in graph.output} == {"joints", *(s.output_name for s in states)}


def test_engines_of_tensorrt_proper(triton, tmp_path):
    engine = tmp_path / "lifter.engine"
    write_engine_pair(engine, builder="tensorrt", versions={"tensorrt": "10.9.0"})
    (served,) = write_triton_repository(tmp_path / "models", [engine])
    assert (served.name, served.backend) == ("lifter_tensorrt", "tensorrt")
    assert (served.folder / "1" / "model.plan").read_bytes() == engine.read_bytes()
    config = read_config(triton, served.folder)
    assert (config.platform, config.max_batch_size) == ("tensorrt_plan", 4)
    assert tensors(config.input) == [("keypoints", [27, 16, 2])]
    assert config.WhichOneof("scheduling_choice") == "dynamic_batching"


def test_engines_that_triton_can_not_run(triton, tmp_path):
    engine = tmp_path / "lifter.engine"
    write_engine_pair(engine)
    with pytest.raises(NotServed, match=r"TensorRT for RTX.*--builder tensorrt, or serve the \.onnx file"):
        write_triton_repository(tmp_path / "models", [engine])
    engine.write_bytes(b"another")
    with pytest.raises(EngineMismatch):
        write_triton_repository(tmp_path / "models", [engine])
    assert not (tmp_path / "models").exists()


def test_without_tritonclient(graphs, tmp_path, monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "tritonclient" else find_spec(name))
    with pytest.raises(MissingDependency, match=r"'tritonclient'.*adaptpose\[triton\]"):
        write_triton_repository(tmp_path, [graphs / "lifter.onnx"])
