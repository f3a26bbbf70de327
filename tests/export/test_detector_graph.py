"""An mmpose model as an ONNX file: what mmpose finds, without mmpose."""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("mmpose")
torch = pytest.importorskip("torch")

from export import detector_graph  # noqa: E402
from export.command import main  # noqa: E402
from sdk.detectors import open_detector  # noqa: E402
from sdk.detectors.mmpose.configs import find_config  # noqa: E402
from sdk.detectors.mmpose.import_shims import import_mmpose  # noqa: E402
from tests.sdk.detectors import toy_graphs  # noqa: E402

RTMPOSE = "rtmpose-t_8xb256-420e_coco-256x192"
HEATMAPS = "td-hm_hrnet-w32_8xb64-210e_coco-256x192"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint with random weights, and what the command wrote from it."""
    folder = tmp_path_factory.mktemp("detector")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_mmpose()
        from mmpose.apis import init_model

        torch.manual_seed(0)
        model = init_model(str(find_config(RTMPOSE)), device="cpu")
    torch.save({"state_dict": model.state_dict()}, folder / "rtmpose.pth")
    main(["detector", RTMPOSE, str(folder / "rtmpose.pth")])
    return folder


@pytest.fixture(scope="module")
def boxes(folder):
    """Two people, at (64, 48, 256, 432) and (320, 96, 576, 336) of a 640 x 480 image."""
    people = np.zeros((6, 56))
    people[0, 51:] = [0.1, 0.1, 0.9, 0.4, 0.9]
    people[1, 51:] = [0.2, 0.5, 0.7, 0.9, 0.8]
    return f"onnx:{toy_graphs.movenet_multi(folder / 'boxes.onnx', people, size=(192, 256))}"


def test_the_sdk_finds_what_mmpose_finds(folder, boxes):
    image, _ = detector_graph.drawn_images()[0]
    with_mmpose = open_detector(f"mmpose:{RTMPOSE}:{folder / 'rtmpose.pth'}", boxes=boxes)(image)
    without = open_detector(f"onnx:{folder / 'rtmpose.onnx'}", boxes=boxes)(image)
    assert with_mmpose.keypoints.std() > 1
    np.testing.assert_allclose(without.keypoints, with_mmpose.keypoints, rtol=0, atol=0.1)
    np.testing.assert_allclose(without.scores, with_mmpose.scores, rtol=0, atol=1e-3)


def test_graph_contract(folder):
    model = onnx.load(folder / "rtmpose.onnx")

    def shape(value):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    assert [(v.name, shape(v)) for v in model.graph.input] == [("input", ["batch", 3, 256, 192])]
    assert [(v.name, shape(v)) for v in model.graph.output] == [
        ("simcc_x", ["batch", 17, 384]),
        ("simcc_y", ["batch", 17, 512]),
    ]
    (entry,) = model.metadata_props
    assert entry.key == "adaptpose_detector"
    metadata = json.loads(entry.value)
    assert (metadata["config"], metadata["skeleton"]) == (RTMPOSE, "coco17")
    assert len(metadata["checkpoint_sha256"]) == 64
    assert "192x256 RGB" in metadata["input"]


def test_an_engine_of_it_is_built(folder):
    pytest.importorskip("tensorrt_rtx")
    from export.engine import write_engine

    record = write_engine(folder / "rtmpose.onnx", folder / "rtmpose.engine", ["SM86"], batch=(1, 2, 4))
    assert record.inputs == {"input": [-1, 3, 256, 192]}
    assert record.outputs == {"simcc_x": [-1, 17, 384], "simcc_y": [-1, 17, 512]}
    assert (
        record.checkpoint_sha256
        == json.loads(onnx.load(folder / "rtmpose.onnx").metadata_props[0].value)["checkpoint_sha256"]
    )


def run_main(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["detector", *map(str, arguments)])
    return stop.value.code


def test_one_that_differs_is_not_kept(folder, tmp_path, capsys, monkeypatch):
    """A shift by one class of one joint is half a pixel of the input, and more of the image."""
    written = onnx.load(folder / "rtmpose.onnx")

    def write_tampered(top_down, path):
        model = onnx.ModelProto()
        model.CopyFrom(written)
        graph = model.graph
        graph.output[0].name = "simcc_x"
        (node,) = (n for n in graph.node if "simcc_x" in n.output)
        node.output[:] = ["exact" if name == "simcc_x" else name for name in node.output]
        roll = np.roll(np.eye(384, dtype=np.float32), 1, axis=1)
        graph.initializer.append(onnx.numpy_helper.from_array(roll, "roll"))
        graph.node.append(onnx.helper.make_node("MatMul", ["exact", "roll"], ["simcc_x"]))
        onnx.save(model, path)

    monkeypatch.setattr(detector_graph, "write_detector_onnx", write_tampered)
    out = tmp_path / "rtmpose.onnx"
    assert run_main(RTMPOSE, folder / "rtmpose.pth", "--out", out) == 2
    assert "pixels from mmpose's" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([RTMPOSE, "nowhere.pth"], "nowhere.pth"),
        (["rtmpose-q", "PTH"], "'rtmpose-q' is not a known mmpose config"),
        ([HEATMAPS, "PTH"], "codec is 'MSRAHeatmap'; exported are top-down models prepared and read as RTMPose"),
        ([RTMPOSE, "PTH", "--gpu", "sm86"], "add --trt"),
        ([RTMPOSE, "PTH", "--out", "model.pt"], "must end in .onnx"),
        ([RTMPOSE, "PTH", "--image", "nowhere.jpg"], "nowhere.jpg is not an image"),
    ],
)
def test_wrong_calls(folder, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    assert run_main(*(str(folder / "rtmpose.pth") if word == "PTH" else word for word in arguments)) == 2
    assert message in capsys.readouterr().err
    assert not Path("model.pt").exists()
