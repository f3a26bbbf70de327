"""An engine is opened only with its record, and refused with the reason."""

import json

import pytest

from sdk.errors import BadModelFile
from sdk.runtime.engine_metadata import EngineMismatch, EngineRecord, record_path
from sdk.runtime.tensorrt_runtime import Gpu
from tests.sdk.engines import METADATA, RTX_3090, VERSION, write_engine_pair


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "lifter.engine"
    write_engine_pair(path)
    return path


def change_record(engine, **changes):
    path = record_path(engine)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip_and_a_pair_that_fits(engine):
    record = EngineRecord.read(engine)
    assert record == write_engine_pair(engine)
    record.require_file(engine)
    record.require_version(VERSION, engine)
    record.require_gpu(RTX_3090, engine)
    record.require_checkpoint(METADATA.checkpoint_sha256, engine, engine.with_suffix(".onnx"))
    assert record.onnx_metadata["adaptpose_lifter"] == METADATA.to_metadata()["adaptpose_lifter"]


def test_a_flipped_byte(engine):
    content = bytearray(engine.read_bytes())
    content[100] ^= 1
    engine.write_bytes(content)
    with pytest.raises(EngineMismatch, match=r"lifter\.engine is not the engine that lifter\.engine\.json describes"):
        EngineRecord.read(engine).require_file(engine)


def test_cut_off(engine):
    engine.write_bytes(engine.read_bytes()[:-1])
    with pytest.raises(EngineMismatch, match=r"is 399 bytes long, its record says 400: it is cut off"):
        EngineRecord.read(engine).require_file(engine)


def test_the_record_of_another_engine(engine):
    change_record(engine, engine_sha256="00" * 32)
    with pytest.raises(EngineMismatch, match="the record says 000000000000"):
        EngineRecord.read(engine).require_file(engine)


def test_another_version_names_both(engine):
    with pytest.raises(EngineMismatch, match=r"TensorRT for RTX 1\.7\.1, installed is 1\.8\.0.*tensorrt-rtx==1\.7\.1"):
        EngineRecord.read(engine).require_version("1.8.0", engine)


def test_another_gpu_names_both(engine):
    turing = Gpu("Tesla T4", "SM75", "580.65")
    with pytest.raises(EngineMismatch, match=r"built for SM86, SM89, the GPU here is Tesla T4 \(SM75.*--gpu sm75"):
        EngineRecord.read(engine).require_gpu(turing, engine)


def test_another_model_names_both(engine):
    with pytest.raises(EngineMismatch, match=r"checkpoint abababababab, .*lifter\.onnx of cdcdcdcdcdcd: they are two"):
        EngineRecord.read(engine).require_checkpoint("cd" * 32, engine, engine.with_suffix(".onnx"))


def test_missing_record(engine):
    record_path(engine).unlink()
    with pytest.raises(BadModelFile, match=r"has no record: lifter\.engine\.json is missing"):
        EngineRecord.read(engine)


@pytest.mark.parametrize(
    "changes",
    [
        {"engine_bytes": "many"},
        {"builder": "mine"},
        {"inputs": {}},
        {"inputs": {"keypoints": ["batch"]}},
        {"batch_profile": {"min": 1, "opt": 2}},
        {"batch_profile": {"min": 4, "opt": 2, "max": 8}},
        {"versions": {}},
        {"metadata": []},
        {"gpu_architectures": 86},
        {"gpu_architectures": "SM86"},
        {"gpu_architectures": [86]},
        {"engine_sha256": 7},
        {"onnx_sha256": None},
        {"checkpoint_sha256": 7},
        {"precision": ["fp32"]},
        {"builder": 1},
        {"builder": ["rtx"]},
        {"engine_bytes": 400.0},
        {"engine_bytes": True},
        {"engine_bytes": -400},
        {"versions": {"tensorrt-rtx": 1.7}},
        {"versions": ["tensorrt-rtx"]},
        {"inputs": ["keypoints"]},
        {"inputs": {"keypoints": 4}},
        {"inputs": {"keypoints": "-1"}},
        {"inputs": {"keypoints": [-1, 27.5]}},
        {"outputs": {"joints": [-2, 16, 3]}},
        {"batch_profile": {"min": 1, "opt": 2.5, "max": 8}},
        {"batch_profile": {"min": True, "opt": 2, "max": 8}},
        {"batch_profile": {"min": "1", "opt": "2", "max": "8"}},
        {"batch_profile": [1, 2, 8]},
        {"metadata": "adaptpose_lifter"},
        {"metadata": None},
        {"colour": "red"},
    ],
)
def test_damaged_records_are_named(engine, changes):
    change_record(engine, **changes)
    with pytest.raises(BadModelFile, match=r"lifter\.engine\.json is damaged, or no record of an engine"):
        EngineRecord.read(engine)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "7", '"record"', "[" * 100_000, "9" * 10_000])
def test_other_files_are_no_records(engine, text):
    record_path(engine).write_text(text)
    with pytest.raises(BadModelFile, match="is damaged, or no record"):
        EngineRecord.read(engine)


def test_a_record_of_another_version(engine):
    change_record(engine, format_version=2)
    with pytest.raises(BadModelFile, match="record version 2 can't be read, only 1"):
        EngineRecord.read(engine)


def test_a_record_without_end(engine):
    record_path(engine).write_text(" " * (2 << 20))
    with pytest.raises(BadModelFile, match="2097152 bytes long: that is no record"):
        EngineRecord.read(engine)
