import json

import pytest

from sdk.errors import BadModelFile
from sdk.lifting.graph_metadata import METADATA_KEY, GraphMetadata
from sdk.lifting.model_metadata import LifterMetadata


@pytest.mark.parametrize("kind", ["window", "streaming"])
def test_round_trip(kind):
    graph = GraphMetadata.describe(LifterMetadata(9), kind, "fp16")
    assert (graph.kind, graph.precision, graph.lookahead_frames) == (kind, "fp16", 4)
    assert GraphMetadata.from_metadata(graph.to_metadata(), "here") == graph


def test_input_is_stated_as_the_lifter_takes_it():
    assert "Frobenius" in GraphMetadata.describe(LifterMetadata(normalisation="root-centred")).input
    assert "max(width, height)" in GraphMetadata.describe(LifterMetadata()).input


def test_files_from_before_this_record_are_window_graphs():
    graph = GraphMetadata.from_metadata({"adaptpose_lifter": "..."}, "here")
    assert (graph.kind, graph.precision) == ("window", "fp32")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{", "here: the metadata entry 'adaptpose_graph' is damaged"),
        (json.dumps({"colour": 1}), "is damaged: .*colour"),
        (json.dumps([1]), "is damaged"),
        (json.dumps({"kind": "ring"}), "here: unknown kind of graph 'ring'. Known: window, streaming"),
        (json.dumps({"precision": "fp8"}), "unknown precision of graph 'fp8'. Known: fp32, fp16, int8"),
    ],
)
def test_damage_is_named(entry, message):
    with pytest.raises(BadModelFile, match=message):
        GraphMetadata.from_metadata({METADATA_KEY: entry}, "here")
