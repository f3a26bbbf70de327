"""A lifter's metadata: round trips, and what it refuses."""

import dataclasses
import json

import pytest

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import FORMAT_VERSION, METADATA_KEY, LifterMetadata

METADATA = LifterMetadata(27, 25.0, name="a test", checkpoint_sha256="ab" * 32)


def test_lookahead_by_hand():
    assert (METADATA.lookahead_frames, METADATA.lookahead_s) == (13, 0.52)
    assert LifterMetadata(1).lookahead_s == 0
    assert LifterMetadata(9, 50.0).lookahead_s == 0.08


def test_round_trips():
    assert LifterMetadata.from_dict(METADATA.to_dict(), "here") == METADATA
    assert LifterMetadata.from_dict(json.loads(json.dumps(METADATA.to_dict())), "here") == METADATA
    assert LifterMetadata.from_metadata(METADATA.to_metadata(), "here") == METADATA


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"receptive_field": 26}, "odd number of frames, not 26"),
        ({"receptive_field": -1}, "odd number of frames, not -1"),
        ({"receptive_field": "27"}, "not a lifter's description"),
        ({"frame_rate_hz": 0.0}, "positive, not 0.0"),
        ({"frame_rate_hz": float("nan")}, "positive, not nan"),
        ({"normalisation": "pixels"}, "'pixels'. Known: screen, root-centred"),
        ({"skeleton": "coco19"}, "'coco19' is not a known skeleton"),
        ({"colour": "red"}, "not a lifter's description"),
    ],
)
def test_bad_values_are_named_with_the_file(changes, message):
    with pytest.raises(BadModelFile) as error:
        LifterMetadata.from_dict(METADATA.to_dict() | changes, "runs/x/lifter.pt")
    assert str(error.value).startswith("runs/x/lifter.pt: ")
    assert message in str(error.value)


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 0, "one", None])
def test_another_format_version_says_who_wrote_it_and_what_to_do(version):
    values = METADATA.to_dict() | {"format_version": version, "project_version": "9.1", "a_new_field": 1}
    with pytest.raises(BadModelFile, match=rf"format version {version}, written by adaptpose 9\.1.*adapt and export"):
        LifterMetadata.from_dict(values, "lifter.onnx")


def test_no_version_at_all():
    values = METADATA.to_dict()
    del values["format_version"]
    with pytest.raises(BadModelFile, match=r"lifter\.onnx: lifter format version None"):
        LifterMetadata.from_dict(values, "lifter.onnx")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, f"without the metadata entry '{METADATA_KEY}'"),
        ({METADATA_KEY: "{"}, "is damaged"),
        ({METADATA_KEY: "[1]"}, "not a lifter's description"),
    ],
)
def test_metadata_of_something_else(metadata, message):
    with pytest.raises(BadModelFile, match=message):
        LifterMetadata.from_metadata(metadata, "model.onnx")


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        METADATA.name = "other"
