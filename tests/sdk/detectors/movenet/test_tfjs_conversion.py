"""Small TF.js graphs, converted and run; what comes out is computed by hand or by numpy."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from sdk.detectors.movenet.tfjs_conversion import convert, read_weights
from sdk.errors import BadModelFile

IMAGE = np.arange(2 * 6 * 8, dtype=np.int32).reshape(1, 6, 8, 2) % 23


def words(*values: str) -> dict[str, Any]:
    return {"list": {"s": [base64.b64encode(value.encode()).decode() for value in values]}}


def node(op: str, name: str, *inputs: str, **attr: Any) -> dict[str, Any]:
    return {"op": op, "name": name, "input": list(inputs), "attr": attr}


def run(
    nodes: list[dict[str, Any]], constants: dict[str, np.ndarray], output: str, shape: tuple[int, ...]
) -> np.ndarray:
    """Convert a graph whose input `x` is the image as float32, and run it."""
    dims = [{"size": str(size)} for size in (1, -1, -1, 2)]
    start = [
        {"op": "Placeholder", "name": "image", "attr": {"shape": {"shape": {"dim": dims}}}},
        node("Cast", "x", "image", DstT={"type": "DT_FLOAT"}),
    ]
    manifest, content = [], b""
    for name, value in constants.items():
        half = value.dtype == np.float32
        entry: dict[str, Any] = {"name": name, "shape": list(value.shape), "dtype": str(value.dtype)}
        manifest.append(entry | ({"quantization": {"dtype": "float16"}} if half else {}))
        content += (value.astype(np.float16) if half else value).tobytes()
    model = {
        "modelTopology": {"node": start + nodes},
        "weightsManifest": [{"weights": manifest}],
        "signature": {"outputs": {"y": {"name": output, "tensorShape": {"dim": [{"size": str(n)} for n in shape]}}}},
    }
    session = onnxruntime.InferenceSession(convert(model, content).SerializeToString())
    return session.run(None, {"image": IMAGE})[0]


def strides(height: int, width: int) -> dict[str, Any]:
    return {"list": {"i": ["1", str(height), str(width), "1"]}}


SAME = {"s": base64.b64encode(b"SAME").decode()}


def test_convolution_with_bias_and_relu6() -> None:
    """Stride 2 over even sizes pads below and to the right only: a slow loop over TensorFlow's SAME."""
    kernel = (np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4) - 36) / 64
    bias = np.array([0.5, -1, 2, 0], np.float32)
    conv = node("_FusedConv2D", "y", "x", "k", "b", strides=strides(2, 2), dilations=strides(1, 1), padding=SAME,
                fused_ops=words("BiasAdd", "Relu6"))  # fmt: skip
    found = run([conv], {"k": kernel, "b": bias}, "y", (1, 3, 4, 4))
    padded = np.pad(IMAGE[0].astype(float), ((0, 1), (0, 1), (0, 0)))
    expected = np.zeros((3, 4, 4))
    for row in range(3):
        for column in range(4):
            window = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            expected[row, column] = np.clip((window[..., None] * kernel).sum((0, 1, 2)) + bias, 0, 6)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    assert 0 < (expected == 0).mean() < 1  # the activation is seen to act at both ends
    assert (expected == 6).any()


def test_depthwise_convolution_keeps_channels_apart() -> None:
    kernel = np.zeros((3, 3, 2, 1), np.float32)
    kernel[1, 1, 0], kernel[1, 2, 1] = 1, 0.5  # the first channel as it is, of the second half its right neighbour
    conv = node("DepthwiseConv2dNative", "y", "x", "k", strides=strides(1, 1), dilations=strides(1, 1), padding=SAME)
    found = run([conv], {"k": kernel}, "y", (1, 6, 8, 2))[0]
    np.testing.assert_array_equal(found[..., 0], IMAGE[0, ..., 0])
    np.testing.assert_array_equal(found[:, :-1, 1], IMAGE[0, :, 1:, 1] / 2)
    assert (found[:, -1, 1] == 0).all()


def test_pool_and_resize() -> None:
    pool = node("MaxPool", "p", "x", ksize=strides(3, 3), strides=strides(1, 1), padding=SAME)
    grown = node("ResizeBilinear", "y", "p", "size", align_corners={"b": False}, half_pixel_centers={"b": True})
    found = run([pool, grown], {"size": np.array([12, 16], np.int32)}, "y", (1, 12, 16, 2))[0]
    padded = np.pad(IMAGE[0], ((1, 1), (1, 1), (0, 0)), constant_values=-1)
    pooled = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1)).max((-1, -2)).astype(float)
    # Twice as large, from middle to middle: a quarter of the way between neighbours.
    np.testing.assert_allclose(found[1, 1], 0.75 * (0.75 * pooled[0, 0] + 0.25 * pooled[0, 1])
                               + 0.25 * (0.75 * pooled[1, 0] + 0.25 * pooled[1, 1]), rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(found[0, 0], pooled[0, 0])


def masks(**given: int) -> dict[str, Any]:
    kinds = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    return {f"{kind}_mask": {"i": str(given.get(kind, 0))} for kind in kinds}


@pytest.mark.parametrize(
    ("begin", "end", "step", "mask", "expected"),
    [
        ([0, 1, 2], [1, 5, 7], [1, 2, 3], {}, IMAGE[0:1, 1:5:2, 2:7:3]),
        (
            [0, 2, 0],
            [0, 3, 0],
            [1, 1, 1],
            {"begin": 1, "end": 1, "shrink_axis": 2, "new_axis": 4},
            IMAGE[:, 2][:, None],
        ),
        ([0, 0, -1], [0, 0, 0], [1, 1, 1], {"begin": 3, "end": 3, "shrink_axis": 4}, IMAGE[:, :, -1]),
        ([0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], {"begin": 13, "end": 13, "new_axis": 2}, IMAGE[:, None]),
    ],
)
def test_strided_slices(begin: list[int], end: list[int], step: list[int], mask: dict[str, int], expected) -> None:
    constants = {name: np.array(v, np.int32) for name, v in {"b": begin, "e": end, "s": step}.items()}
    found = run([node("StridedSlice", "y", "x", "b", "e", "s", **masks(**mask))], constants, "y", expected.shape)
    np.testing.assert_array_equal(found, expected)


def test_integers_and_indices() -> None:
    """The peak of each channel, found by its flat index and gathered back."""
    nodes = [
        node("Reshape", "flat", "x", "flat_shape"),
        node("ArgMax", "where", "flat", "axis", output_type={"type": "DT_INT32"}),
        node("FloorDiv", "row", "where", "width", T={"type": "DT_INT32"}),
        node("Mul", "before", "row", "width"),
        node("Sub", "column", "where", "before"),
        node("Pack", "place", "row", "column", axis={"i": "1"}),
        node("Unpack", "only", "x", axis={"i": "0"}, num={"i": "1"}),
        node("GatherNd", "pixels", "only", "place"),
        node("Sum", "y", "pixels", "axis", keep_dims={"b": False}),
    ]
    constants = {
        "flat_shape": np.array([48, 2], np.int32),
        "axis": np.array(0, np.int32),
        "width": np.array(8, np.int32),
    }
    found = run(nodes, constants, "y", (2,))
    flat = IMAGE[0].reshape(48, 2)
    np.testing.assert_array_equal(found, flat[flat.argmax(0)].sum(0))


def test_an_operator_that_movenet_lacks_is_named() -> None:
    with pytest.raises(BadModelFile, match="y is the operator 'Einsum', which MoveNet does not have"):
        run([node("Einsum", "y", "x")], {}, "y", (1,))


@pytest.mark.parametrize(
    ("content", "says"), [(b"\0" * 7, "ends after 7 bytes, inside w"), (b"\0" * 10, "has 10 bytes.*needs 8")]
)
def test_weight_files_of_another_length_are_refused(content: bytes, says: str) -> None:
    entry = {"name": "w", "shape": [2, 2], "dtype": "float32", "quantization": {"dtype": "float16"}}
    with pytest.raises(BadModelFile, match=says):
        read_weights([{"weights": [entry]}], content)


def test_weights_of_another_kind_are_refused() -> None:
    entry = {"name": "w", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1}}
    with pytest.raises(BadModelFile, match="w is float32 stored as uint8"):
        read_weights([{"weights": [entry]}], b"\0\0")


@pytest.mark.parametrize("variant", ["lightning", "thunder", "multipose"])
def test_the_real_models_give_the_same_bits_as_the_reference_conversion(variant: str) -> None:
    """Where the package is in the cache already: nothing is downloaded for a test."""
    from sdk.files.downloads import weights_folder
    from tests.sdk.detectors.conftest import read_frames, shared_file

    ours: Path = weights_folder() / f"movenet-{variant}.onnx"
    if not ours.is_file():
        pytest.skip(f"needs {ours}, which `open_detector('movenet')` puts there")
    import cv2

    side = {"lightning": (192, 192), "thunder": (256, 256), "multipose": (224, 384)}[variant]
    image = cv2.resize(read_frames("pose2sim_cam01.mp4")[0], side[::-1])[None, ..., ::-1].astype(np.int32)
    sessions = [
        onnxruntime.InferenceSession(str(path)) for path in (ours, shared_file(f"models/movenet-{variant}.onnx"))
    ]
    first, second = (one.run(None, {one.get_inputs()[0].name: image})[0] for one in sessions)
    np.testing.assert_array_equal(first, second)
