"""Engines are built for real; that one runs can only be seen where there is a GPU."""

import hashlib
import importlib.util
import json

import pytest

from export import engine as engine_module
from export.engine import (
    EngineNotBuilt,
    UnknownArchitecture,
    choose_architectures,
    record_path,
    why_not_loadable,
    write_engine,
)
from sdk.errors import BadModelFile, MissingDependency
from sdk.lifter_card import LifterCard
from training.checkpoint import exported_card
from training.lifter_graph import write_lifter_onnx


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
    card = exported_card(checkpoint.card, folder / "lifter.pt")
    write_lifter_onnx(checkpoint.network, card, folder / "lifter.onnx")
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
        "adaptpose": LifterCard().project_version,
        "tensorrt-rtx": trt.__version__,
        "polygraphy": polygraphy.__version__,
    }
    lifter = record.pop("lifter")
    assert LifterCard.from_dict(lifter, "test") == exported_card(
        LifterCard(name="a random lifter"), built / "lifter.pt"
    )
    assert record == {
        "engine_sha256": sha256(built / "lifter.engine"),
        "onnx_sha256": sha256(built / "lifter.onnx"),
        "checkpoint_sha256": sha256(built / "lifter.pt"),
        "builder": "TensorRT for RTX",
        "gpu_architectures": list(choose_architectures()),
        "precision": "fp32",
        "inputs": {"keypoints": [-1, 27, 16, 2]},
        "outputs": {"joints": [-1, 16, 3]},
        "batch_profile": {"min": 1, "opt": 64, "max": 512},
    }


def test_built_twice_is_the_same(built, tmp_path):
    record = write_engine(built / "lifter.onnx", tmp_path / "again.engine", choose_architectures())
    assert record.engine_sha256 == sha256(built / "lifter.engine") == sha256(tmp_path / "again.engine")


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
    find_spec = engine_module.importlib.util.find_spec
    monkeypatch.setattr(
        engine_module.importlib.util, "find_spec", lambda name: None if name == module else find_spec(name)
    )
    if module == "polygraphy":
        pytest.importorskip("tensorrt_rtx")
    with pytest.raises(MissingDependency, match=rf"{package}.*adaptpose\[tensorrt\]"):
        choose_architectures()


def test_polygraphy_set_to_tensorrt_proper_is_said(trt, monkeypatch):
    choose_architectures()
    import polygraphy.config

    monkeypatch.setattr(polygraphy.config, "USE_TENSORRT_RTX", False)
    with pytest.raises(EngineNotBuilt, match="POLYGRAPHY_USE_TENSORRT_RTX=1"):
        choose_architectures()
