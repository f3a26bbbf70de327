"""Engines are built for real; that one runs can only be seen where there is a GPU."""

import hashlib
import importlib.util
import json

import numpy as np
import onnx
import pytest

from export.engine import (
    BadBatchProfile,
    EngineNotBuilt,
    UnknownArchitecture,
    choose_architectures,
    why_not_loadable,
    write_engine,
)
from export.precision import write_precision
from sdk.errors import BadModelFile, DeviceUnavailable, MissingDependency
from sdk.lifting.graph_metadata import GraphMetadata
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.engine_metadata import EngineMismatch, EngineRecord, record_path
from sdk.runtime.tensorrt_runtime import OtherTensorRT, UnknownBuilder, import_tensorrt
from tests.lifters import random_lifter
from training.lifter.checkpoint import exported_metadata
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx


@pytest.fixture(scope="module")
def trt():
    # Not importorskip: polygraphy is imported by export.engine, which says first which TensorRT it shall use.
    if importlib.util.find_spec("polygraphy") is None:
        pytest.skip("polygraphy is not installed")
    return pytest.importorskip("tensorrt_rtx")


@pytest.fixture(scope="module")
def built(trt, checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    checkpoint.save(folder / "lifter.pt")
    metadata = exported_metadata(checkpoint.metadata, folder / "lifter.pt")
    write_lifter_onnx(checkpoint.network, metadata, folder / "lifter.onnx")
    write_engine(folder / "lifter.onnx", folder / "lifter.engine", choose_architectures())
    return folder


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_engine_holds_the_weights(built):
    content = (built / "lifter.engine").read_bytes()
    assert content[:4] == b"vtrt"
    assert len(content) > (built / "lifter.onnx").stat().st_size
    assert {path.name for path in built.iterdir()} == {
        "lifter.pt",
        "lifter.onnx",
        "lifter.engine",
        "lifter.engine.json",
    }


def test_record_says_what_it_was_built_from_and_for(built, trt):
    import polygraphy

    record = json.loads(record_path(built / "lifter.engine").read_text())
    assert record.pop("versions") == {
        "adaptpose": LifterMetadata().project_version,
        "tensorrt-rtx": trt.__version__,
        "polygraphy": polygraphy.__version__,
    }
    entries = record.pop("metadata")
    metadata = exported_metadata(LifterMetadata(name="a random lifter"), built / "lifter.pt")
    assert LifterMetadata.from_dict(entries["adaptpose_lifter"], "test") == metadata
    assert entries["adaptpose_graph"]["kind"] == "window"
    assert record == {
        "engine_sha256": sha256(built / "lifter.engine"),
        "engine_bytes": (built / "lifter.engine").stat().st_size,
        "onnx_sha256": sha256(built / "lifter.onnx"),
        "checkpoint_sha256": sha256(built / "lifter.pt"),
        "builder": "rtx",
        "gpu_architectures": list(choose_architectures()),
        "precision": "fp32",
        "inputs": {"keypoints": [-1, 27, 16, 2]},
        "outputs": {"joints": [-1, 16, 3]},
        "batch_profile": {"min": 1, "opt": 64, "max": 512},
        "format_version": 1,
    }


def test_built_twice_is_the_same(built, tmp_path):
    record = write_engine(built / "lifter.onnx", tmp_path / "again.engine", choose_architectures())
    assert record.engine_sha256 == sha256(built / "lifter.engine") == sha256(tmp_path / "again.engine")
    # So each is accepted with the other's record, by the check that loading makes.
    EngineRecord.read(built / "lifter.engine").require_file(tmp_path / "again.engine")
    assert EngineRecord.read(tmp_path / "again.engine") == EngineRecord.read(built / "lifter.engine")


def test_another_models_record_is_refused(built, tmp_path):
    engine = tmp_path / "lifter.engine"
    engine.write_bytes((built / "lifter.engine").read_bytes())
    write_lifter_onnx(random_lifter(channels=32, seed=1), LifterMetadata(name="another"), tmp_path / "other.onnx")
    write_engine(tmp_path / "other.onnx", tmp_path / "other.engine", ["SM86"])
    record_path(engine).write_bytes(record_path(tmp_path / "other.engine").read_bytes())
    with pytest.raises(
        EngineMismatch, match=r"lifter\.engine is (not the engine that|\d+ bytes long, its record says)"
    ):
        Lifter(engine)


def test_the_sdk_gets_as_far_as_the_driver(built):
    """File, record and version of a real engine are accepted; what is missing is said in NVIDIA's words."""
    pytest.importorskip("pynvml")
    try:
        lifter = Lifter(built / "lifter.engine")
    except DeviceUnavailable as error:
        assert "NVIDIA's library says" in str(error)  # noqa: PT017  # on a machine with a GPU it opens
    else:
        assert lifter.provider.startswith("TensorRT for RTX on ")


def test_profile_and_streaming_shapes(built, checkpoint, tmp_path):
    write_streaming_onnx(checkpoint.network, checkpoint.metadata, tmp_path / "lifter.stream.onnx")
    engine = tmp_path / "lifter.stream.engine"
    record = write_engine(tmp_path / "lifter.stream.onnx", engine, ["SM86"], batch=(1, 2, 16))
    assert record.batch_profile == {"min": 1, "opt": 2, "max": 16}
    states = {"state_0": [-1, 2, 32], "state_1": [-1, 6, 32], "state_2": [-1, 18, 32]}
    assert record.inputs == {"keypoints": [-1, 16, 2], **states}
    assert record.outputs == {"joints": [-1, 16, 3], **{f"next_{name}": shape for name, shape in states.items()}}
    assert GraphMetadata.from_metadata(record.onnx_metadata, "test").kind == "streaming"


@pytest.mark.parametrize("form", ["", ".stream"])
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_other_precisions_build(trt, graphs, tmp_path, precision, form):
    windows = np.random.default_rng(0).uniform(-1, 1, (32, 27, 16, 2)).astype(np.float32)
    path = tmp_path / f"lifter.{precision}{form}.onnx"
    write_precision(graphs / f"lifter{form}.onnx", path, precision, windows)
    record = write_engine(path, path.with_suffix(".engine"), choose_architectures())
    assert record.precision == precision


@pytest.mark.parametrize("batch", [(0, 1, 2), (2, 1, 4), (1, 8, 4)])
def test_batches_out_of_order(built, tmp_path, batch):
    with pytest.raises(BadBatchProfile, match=rf"1 <= MIN <= OPT <= MAX, not {' '.join(map(str, batch))}"):
        write_engine(built / "lifter.onnx", tmp_path / "t.engine", ["SM86"], batch=batch)


def test_progress_is_told(built, tmp_path):
    told = []
    write_engine(built / "lifter.onnx", tmp_path / "t.engine", ["SM86"], on_progress=lambda *step: told.append(step))
    assert told[0][0] == "Building engine"
    assert all(0 <= done <= steps for _, done, steps in told)
    last = {phase: (done, steps) for phase, done, steps in told}
    assert all(done == steps for done, steps in last.values())


def test_builder_prints_nothing(built, tmp_path, capfd):
    write_engine(built / "lifter.onnx", tmp_path / "quiet.engine", ["SM89"])
    assert capfd.readouterr() == ("", "")


def test_architectures_by_name(trt):
    assert choose_architectures(["sm89,SM86", "sm120", "sm89"]) == ("SM89", "SM86", "SM120")
    assert {"SM80", "SM86", "SM89", "SM120"} <= set(choose_architectures())


@pytest.mark.parametrize(("name", "hint"), [("sm60", "Known: SM80"), ("SM75", "no fp32 matrix product")])
def test_other_architectures_are_refused(trt, name, hint):
    with pytest.raises(UnknownArchitecture, match=hint) as caught:
        choose_architectures([name])
    assert "SM86" in str(caught.value)


def test_turing_is_left_out_because_the_builder_refuses_it(built, tmp_path):
    """Were this to pass some day, WITHOUT_FP32 can go."""
    with pytest.raises(EngineNotBuilt, match="SM75"):
        write_engine(built / "lifter.onnx", tmp_path / "turing.engine", ["SM75"])
    assert not list(tmp_path.iterdir())


def test_without_a_driver_the_reason_is_tensorrts_own(built):
    reason = why_not_loadable(built / "lifter.engine")
    if reason is None:
        pytest.skip("this machine has a GPU: the engine loads")
    assert "cuda" in reason.lower()


def test_other_files_are_refused(trt, tmp_path):
    import onnx

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [value], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(BadModelFile, match="not a lifter"):
        write_engine(tmp_path / "other.onnx", tmp_path / "other.engine", ["SM86"])


@pytest.mark.parametrize(("module", "package"), [("tensorrt_rtx", "tensorrt-rtx"), ("polygraphy", "polygraphy")])
def test_missing_package_names_the_extra(monkeypatch, module, package):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else find_spec(name))
    if module == "polygraphy":
        pytest.importorskip("tensorrt_rtx")
    with pytest.raises(MissingDependency, match=rf"{package}.*adaptpose\[tensorrt\]"):
        choose_architectures()


def test_tensorrt_proper_that_is_not_installed(trt, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "tensorrt" else find_spec(name))
    with pytest.raises(MissingDependency, match=r"'tensorrt'.*adaptpose\[tensorrt-proper\]"):
        choose_architectures(builder="tensorrt")


def test_unknown_builder():
    with pytest.raises(UnknownBuilder, match=r"'trtexec' is not a known builder of engines\. Known: rtx, tensorrt"):
        import_tensorrt("trtexec")


def test_polygraphy_set_to_tensorrt_proper_is_said(trt, monkeypatch):
    choose_architectures()
    import polygraphy.config

    monkeypatch.setattr(polygraphy.config, "USE_TENSORRT_RTX", False)
    with pytest.raises(OtherTensorRT, match="POLYGRAPHY_USE_TENSORRT_RTX=1"):
        choose_architectures()


_BROKEN = ("[" * 100_000, "9" * 5_000, "{")


@pytest.mark.parametrize(
    "entries",
    [
        *({"adaptpose_detector": value} for value in (*_BROKEN, "null", '{"checkpoint_sha256": 1}')),
        *({"adaptpose_lifter": value} for value in _BROKEN),
        *(LifterMetadata().to_metadata() | {"other": value} for value in _BROKEN),
    ],
    ids=lambda entries: f"{list(entries)[-1]} {list(entries.values())[-1][:10]}",
)
def test_metadata_entries_that_cannot_be_are_named(entries, tmp_path):
    model = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    onnx.helper.set_model_props(model, entries)
    onnx.save(model, str(tmp_path / "model.onnx"))
    with pytest.raises(BadModelFile, match=r"model\.onnx: "):
        write_engine(tmp_path / "model.onnx", tmp_path / "model.engine", ["SM86"])
