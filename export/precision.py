"""fp16 and int8 forms of an exported graph, and how far each may differ from the checkpoint."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.lifting.graph_metadata import GraphMetadata, Precision
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph
from sdk.lifting.windows import with_seen
from training.lifter.onnx_graphs import write_graph

if TYPE_CHECKING:
    import onnx

_CALIBRATION_BATCHES = 16
_PERCENTILE = 99.99
"""Percentage of an activation's values that int8 stores without clipping. On 1,941 windows of the benchmark's target,
the shipped lifter changed by 3.0 mm with 99.9, by 2.5 mm with 99.99 and by 3.0 mm with 99.999. With the largest value
it changed by much more."""


@dataclass(frozen=True)
class Bound:
    """Largest allowed differences of a precision.

    Attributes:
        largest_mm: Largest distance of a joint from that of the checkpoint; None if only the mean counts.
        mean_mm: Mean distance.
        mpjpe_percent: Change of MPJPE on a labelled file.
    """

    largest_mm: float | None
    mean_mm: float
    mpjpe_percent: float = 1.0


BOUNDS: dict[Precision, Bound] = {
    "fp32": Bound(0.05, 0.05),  # rounding alone gives a few micrometres; a wrong weight gives more
    "fp16": Bound(None, 0.2),
    "int8": Bound(None, 3.0),
}
STORED_IN_HALF = Bound(None, 0.1)
"""Bound of fp32 graphs with weights stored in half precision."""


def write_precision(source: Path, path: Path, precision: Precision, windows: np.ndarray | None = None) -> None:
    """Write another precision of a graph. Inputs, outputs and states stay float32.

    The first layer also stays fp32, and so does all from the head on. They have only 5 percent of the products (with
    256 channels; 18 with a head of the feet), and keypoints in 8 bits would have steps of 7 pixels in 1920.

    Args:
        source: File from `write_lifter_onnx` or `write_streaming_onnx`.
        path: File to write; its folder must exist.
        precision: `fp16` or `int8`.
        windows: Only for int8: (N, receptive_field, 16, 2) float32 to calibrate activations on, N > 0.
    """
    import onnx

    source = Path(source)
    model = onnx.load(source)
    entries = {p.key: p.value for p in model.metadata_props}
    graph = GraphMetadata.from_metadata(entries, str(source))
    if precision == "fp16":
        model = _half(model)
    else:
        assert precision == "int8"
        assert windows is not None
        size = max(1, len(windows) // _CALIBRATION_BATCHES)
        batches = windows[: len(windows) // size * size].reshape(-1, size, *windows.shape[1:])
        names = [graph_input.name for graph_input in model.graph.input]
        metadata = LifterMetadata.from_metadata(entries, str(source))
        if graph.kind == "streaming":
            feeds = _streamed(StreamingGraph(source, metadata), names, batches)
        else:
            channels = model.graph.input[0].type.tensor_type.shape.dim[-1].dim_value
            feeds = ({names[0]: with_seen(batch) if channels == 3 else batch} for batch in batches)
        model = _quantised(source, model, feeds, _kept_single(model, metadata))
    write_graph(model, entries | dataclasses.replace(graph, precision=precision).to_metadata(), path)


def _trunk_and_heads(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    """Names of the layers before the head, and of the head and what follows it (the feet's)."""
    layers = [node for node in model.graph.node if node.op_type == "Gemm"]
    head = next(i for i, node in enumerate(layers) if node.input[1].split(".")[-2:] == ["head", "weight"])
    names = [node.name for node in layers]
    return names[:head], names[head:]


def _kept_single(model: onnx.ModelProto, metadata: LifterMetadata) -> list[str]:
    """Layers that int8 leaves in fp32: the first, and from the head on.

    Of a lifter that tells more, also the last wide one: in int8, it moved the joints of the shipped `feet` by 3.6 mm in
    the mean on 1,000 windows; in fp32, 2.5 mm are left. No other layer gained as much.
    """
    trunk, heads = _trunk_and_heads(model)
    return [trunk[0], *(trunk[-2:-1] if metadata.tells_more else ()), *heads]


def _kept_exact(model: onnx.ModelProto) -> list[str]:
    """All nodes up to the first layer, and from the head on.

    Place and size of a person are differences of keypoints, and half precision rounds a metre to half a millimetre.
    """
    names = [node.name for node in model.graph.node]
    trunk, heads = _trunk_and_heads(model)
    return [*names[: names.index(trunk[0]) + 1], *names[names.index(heads[0]) :]]


def _half(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # weights too small or large for fp16: the measured difference decides
        half = convert_float_to_float16(model, keep_io_types=True, node_block_list=_kept_exact(model))
    # A tensor that two layers take in fp32 is cast twice, with one name: keep one of the casts.
    unique = {tuple(node.output): node for node in half.graph.node}
    nodes = [copy.deepcopy(node) for node in unique.values()]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    _keep_single(half, model)
    OnnxModel(half).topological_sort()  # the casts are at the end
    del half.graph.value_info[:]  # it wrongly says fp16 for outputs of fp32 layers
    return half


def _keep_single(half: onnx.ModelProto, exact: onnx.ModelProto) -> None:
    """Remove casts to fp16 and back. The converter adds them between fp32 layers and to their weights, which rounds."""
    from onnx import TensorProto

    graph, exact_weights = half.graph, {weight.name: weight for weight in exact.graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast"]
    to_half = {n.output[0]: n.input[0] for n in casts if n.attribute[0].i == TensorProto.FLOAT16}
    instead: dict[str, str] = {}
    for node in (n for n in casts if n.attribute[0].i == TensorProto.FLOAT):
        if node.input[0] in to_half:
            instead[node.output[0]] = to_half[node.input[0]]
        elif node.input[0] in exact_weights:
            instead[node.output[0]] = f"{node.input[0]}_fp32"
            weight = copy.deepcopy(exact_weights[node.input[0]])
            weight.name = instead[node.output[0]]
            graph.initializer.append(weight)
    outputs = {output.name for output in graph.output}
    for node in graph.node:
        # A cast that makes an output of the graph stays, because it has the output's name.
        names = [to_half.get(name, name) for name in node.input] if node.output[0] in outputs else node.input
        node.input[:] = [instead.get(name, name) for name in names]
    _remove_unused(graph, outputs)


def _remove_unused(graph: onnx.GraphProto, outputs: set[str]) -> None:
    """Remove casts and weights that are not used any more."""
    while True:
        used = outputs.union(*(node.input for node in graph.node))
        unused = [node for node in graph.node if not used.intersection(node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    for weight in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(weight)


def _streamed(graph: StreamingGraph, names: list[str], batches: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Inputs of the streaming graph at the last frame of each window, when all its states come from real frames."""
    for windows in batches:
        states = graph.start(len(windows))
        for frame in range(windows.shape[1] - 1):
            _, states = graph.step(windows[:, frame], states)
        last = windows[:, -1]
        yield dict(zip(names, [with_seen(last) if graph.metadata.input_channels == 3 else last, *states], strict=True))


def _quantised(
    source: Path, model: onnx.ModelProto, feeds: Iterator[dict[str, np.ndarray]], kept: list[str]
) -> onnx.ModelProto:
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(feeds, None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        target = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            str(source),
            str(target),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Gemm"],
            per_channel=True,
            # Symmetric int8, although activations are not negative: TensorRT accepts nothing else.
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            nodes_to_exclude=kept,
            extra_options={
                "ActivationSymmetric": True,
                "CalibPercentile": _PERCENTILE,
                "OpTypesToExcludeOutputQuantization": ["Gemm"],
                "QuantizeBias": False,  # TensorRT accepts no int32 DequantizeLinear
            },
        )
        return onnx.load(target)


@contextlib.contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    """Silence the quantizer: it prints its progress, and logs advice that does not apply."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(level)
