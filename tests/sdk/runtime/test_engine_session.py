"""Engines up to the driver: order and shapes of calls with a stand-in, refusals by the real libraries."""

import importlib.util

import numpy as np
import pytest

import sdk.runtime.engine_session
from sdk.errors import BadModelFile, DeviceUnavailable, MissingDependency
from sdk.lifting.lifter import Lifter
from sdk.runtime.engine_metadata import EngineMismatch
from sdk.runtime.engine_session import EngineSession
from sdk.runtime.sessions import open_session
from sdk.runtime.tensorrt_runtime import Gpu, first_gpu
from tests.sdk.engines import METADATA, RTX_3090, VERSION, StandInRunner, write_engine_pair
from tests.sdk.linear_lifter import write_linear_lifter


@pytest.fixture
def engine(tmp_path, monkeypatch):
    path = tmp_path / "lifter.engine"
    write_engine_pair(path)
    monkeypatch.setattr(sdk.runtime.engine_session, "tensorrt_version", lambda builder: VERSION)
    return path


@pytest.fixture
def opened(engine):
    """A session and the runner behind it."""
    runners = []

    def open_runner(builder, path):
        runners.append(StandInRunner(builder, path))
        return runners[-1]

    session = EngineSession(engine, lambda: RTX_3090, open_runner)
    return session, runners[0]


def windows(count):
    return np.random.default_rng(count).uniform(-1, 1, (count, 27, 16, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("count", "batches"), [(1, [2]), (2, [2]), (4, [4]), (5, [4, 2]), (8, [4, 4]), (11, [4, 4, 3])]
)
def test_calls_in_order_and_within_the_profile(opened, count, batches):
    """Profile 2 / 3 / 4: a single window is filled up, many are cut, and no answer is overwritten by a later one."""
    session, runner = opened
    given = windows(count)
    (joints,) = session.run(None, {"keypoints": given})
    session.close()
    shapes = [("infer", (size, 27, 16, 2), "float32", True) for size in batches]
    assert runner.calls == [("open", "rtx", "lifter.engine"), ("activate",), *shapes, ("deactivate",)]
    assert joints.shape == (count, 16, 3)
    np.testing.assert_allclose(joints[:, 0, 0], given.sum((1, 2, 3)), rtol=1e-5)


def test_it_looks_like_a_session(opened):
    session, _ = opened
    assert [(v.name, v.shape, v.type) for v in session.get_inputs()] == [
        ("keypoints", ["batch", 27, 16, 2], "tensor(float)")
    ]
    assert [(v.name, v.shape) for v in session.get_outputs()] == [("joints", ["batch", 16, 3])]
    assert session.get_providers() == ["TensorRT for RTX on NVIDIA GeForce RTX 3090"]
    assert session.get_modelmeta().custom_metadata_map["adaptpose_lifter"] == METADATA.to_metadata()["adaptpose_lifter"]


def test_an_engine_without_the_recorded_output(engine):
    class Other(StandInRunner):
        def infer(self, feed_dict):
            return {"poses": np.zeros((2, 16, 3))}

    session = EngineSession(engine, lambda: RTX_3090, Other)
    with pytest.raises(EngineMismatch, match="has no output joints; it has poses"):
        session.run(None, {"keypoints": windows(1)})


@pytest.mark.parametrize(
    ("gpu", "version", "message"),
    [
        (Gpu("Tesla T4", "SM75", "580"), VERSION, "built for SM86, SM89, the GPU here is Tesla T4"),
        (RTX_3090, "1.6.0", r"1\.7\.1, installed is 1\.6\.0"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_opened(engine, monkeypatch, gpu, version, message):
    monkeypatch.setattr(sdk.runtime.engine_session, "tensorrt_version", lambda builder: version)
    opened = []
    with pytest.raises(EngineMismatch, match=message):
        EngineSession(engine, lambda: gpu, lambda *arguments: opened.append(arguments))
    assert opened == []


def test_a_damaged_engine_is_refused_before_anything_else(engine):
    engine.write_bytes(engine.read_bytes()[:100])
    with pytest.raises(EngineMismatch, match="cut off"):
        Lifter(engine)


class TestLifter:
    @pytest.fixture
    def on_a_gpu(self, engine, monkeypatch):
        """Lifter opens engines as on a machine with a GPU."""
        runners = []

        def open_runner(builder, path):
            runners.append(StandInRunner(builder, path))
            return runners[-1]

        real = EngineSession.__init__
        monkeypatch.setattr(
            EngineSession, "__init__", lambda self, path: real(self, path, lambda: RTX_3090, open_runner)
        )
        return engine, runners

    def test_an_engine_by_its_name(self, on_a_gpu):
        engine, runners = on_a_gpu
        lifter = Lifter(engine)
        assert lifter.metadata == METADATA
        assert lifter.provider == "TensorRT for RTX on NVIDIA GeForce RTX 3090"
        given = windows(6)
        np.testing.assert_allclose(lifter.lift_windows(given)[:, 3, 1], given.sum((1, 2, 3)), rtol=1e-5)
        assert [call[0] for call in runners[0].calls] == ["open", "activate", "infer", "infer"]

    def test_the_engine_beside_the_onnx_file(self, on_a_gpu):
        engine, _ = on_a_gpu
        write_linear_lifter(engine.with_suffix(".onnx"), METADATA)
        assert Lifter(engine.parent, device="tensorrt").path == engine
        assert Lifter(engine.with_suffix(".onnx"), device="tensorrt").path == engine
        assert Lifter(engine.parent).path == engine.with_suffix(".onnx")

    def test_the_engine_of_another_checkpoint(self, on_a_gpu):
        import dataclasses

        engine, _ = on_a_gpu
        other = dataclasses.replace(METADATA, checkpoint_sha256="cd" * 32)
        write_linear_lifter(engine.with_suffix(".onnx"), other)
        with pytest.raises(EngineMismatch, match=r"checkpoint abababababab, .*lifter\.onnx of cdcdcdcdcdcd"):
            Lifter(engine.parent, device="tensorrt")

    def test_no_engine_beside(self, tmp_path):
        write_linear_lifter(tmp_path / "lifter.onnx")
        with pytest.raises(BadModelFile, match=r"'tensorrt' needs .*lifter\.engine, which is not there.*--trt"):
            Lifter(tmp_path, device="tensorrt")

    @pytest.mark.parametrize("device", ["cpu", "cuda", "auto"])
    def test_an_engine_on_another_device(self, engine, device):
        with pytest.raises(DeviceUnavailable, match=rf"is an engine: it runs with device='tensorrt', not '{device}'"):
            Lifter(engine, device=device)

    def test_an_onnx_file_is_no_engine(self, tmp_path):
        write_linear_lifter(tmp_path / "lifter.onnx")
        with pytest.raises(DeviceUnavailable, match=r"device 'tensorrt' runs engines, and .*lifter\.onnx is none"):
            open_session(tmp_path / "lifter.onnx", "tensorrt")

    def test_missing_engine(self, tmp_path):
        with pytest.raises(BadModelFile, match="no engine at"):
            EngineSession(tmp_path / "lifter.engine")


def test_without_a_driver_the_reason_is_nvidias_own(engine):
    pytest.importorskip("pynvml")
    try:
        first_gpu()
    except DeviceUnavailable:
        pass
    else:
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceUnavailable, match=r"device 'tensorrt' needs an NVIDIA GPU.*NVIDIA's library says: .+\."):
        Lifter(engine)


@pytest.mark.parametrize(("module", "package"), [("pynvml", "nvidia-ml-py"), ("polygraphy", "polygraphy")])
def test_missing_packages_are_named(engine, monkeypatch, module, package):
    monkeypatch.undo()
    find_spec = importlib.util.find_spec
    if module == "pynvml":
        monkeypatch.setattr(sdk.runtime.engine_session, "tensorrt_version", lambda builder: VERSION)
    else:
        pytest.importorskip("tensorrt_rtx")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(MissingDependency, match=rf"'{package}'.*adaptpose\[tensorrt\]"):
        EngineSession(engine)
