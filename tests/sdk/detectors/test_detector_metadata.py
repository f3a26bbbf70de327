"""The metadata of an exported detector, as a stranger may have written it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sdk.detectors.detection import METADATA_KEY, DetectorMetadata
from sdk.errors import BadModelFile

METADATA = DetectorMetadata("rtmpose", "coco17", "pixels", "argmax", "0" * 64)
VALUES = dataclasses.asdict(METADATA)

DAMAGED = {
    "text": "{",
    "deep": "[" * 100_000 + "]" * 100_000,
    "digits": "9" * 5_000,
    "long": json.dumps(VALUES | {"input": "x" * (1 << 20)}),
    "list": "[1]",
    "none": "null",
    "missing": json.dumps({name: value for name, value in VALUES.items() if name != "checkpoint_sha256"}),
    "unknown field": json.dumps(VALUES | {"colour": "red"}),
    "another skeleton": json.dumps(VALUES | {"skeleton": "coco99"}),
    **{
        f"{name} {value!r:.20}": json.dumps(VALUES | {name: value})
        for name in VALUES
        for value in (1, None, ["a"], {"a": 1}, float("inf"), "x" * 20_000)
    },
}


def test_round_trip() -> None:
    assert DetectorMetadata.from_metadata(METADATA.to_metadata(), "a.onnx") == METADATA


@pytest.mark.parametrize("entry", DAMAGED.values(), ids=DAMAGED)
def test_damaged_metadata_is_named(entry: str) -> None:
    with pytest.raises(BadModelFile, match=r"^a\.onnx: the metadata entry 'adaptpose_detector' is damaged") as raised:
        DetectorMetadata.from_metadata({METADATA_KEY: entry}, "a.onnx")
    assert len(str(raised.value)) < 500


def test_a_file_without_it() -> None:
    with pytest.raises(BadModelFile, match=r"a\.onnx: no metadata entry 'adaptpose_detector'"):
        DetectorMetadata.from_metadata({}, "a.onnx")
