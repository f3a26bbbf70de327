"""Converts MoveNet's TensorFlow.js graph models to ONNX. It knows only the operators of its three models.

TF.js stores a TensorFlow graph as JSON, and its weights in one file, here in half precision. Images are NHWC in TF.js
and NCHW in ONNX: each convolution has a transpose before and after it. ONNX Runtime removes most of them when it loads
the file.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.errors import BadModelFile

if TYPE_CHECKING:
    import onnx

OPSET = 18
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
_TYPES = {"DT_FLOAT": np.float32, "DT_INT32": np.int32, "DT_BOOL": np.bool_}
_END = np.iinfo(np.int64).max
_RENAMED = {
    "AddV2": "Add", "AddN": "Sum", "Mul": "Mul", "Sub": "Sub", "RealDiv": "Div", "Maximum": "Max", "Minimum": "Min",
    "Sigmoid": "Sigmoid", "Sqrt": "Sqrt", "Exp": "Exp", "Abs": "Abs", "Reciprocal": "Reciprocal", "Less": "Less",
    "Greater": "Greater", "GreaterEqual": "GreaterOrEqual", "Equal": "Equal", "LogicalAnd": "And", "Select": "Where",
    "Identity": "Identity", "Range": "Range",
}  # fmt: skip
"""Operators with the same inputs in ONNX, and their names there."""


def read_weights(manifest: list[dict[str, Any]], content: bytes) -> dict[str, np.ndarray]:
    """The constants of a TF.js model, by name.

    Args:
        manifest: `weightsManifest` of the model's JSON.
        content: The weight file.

    Raises:
        BadModelFile: the file is shorter or longer than the manifest says, or has numbers of another type.
    """
    values, at = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if (stored, entry["dtype"]) not in {("float16", "float32"), ("float32", "float32"), ("int32", "int32")}:
            raise BadModelFile(
                f"the weight {entry['name']} is {entry['dtype']} stored as {stored}. MoveNet has no such weights."
            )
        count, kind = math.prod(entry["shape"]), np.dtype(stored)
        if at + count * kind.itemsize > len(content):
            raise BadModelFile(f"the weight file ends after {len(content)} bytes, inside {entry['name']}.")
        stored_values = np.frombuffer(content, kind.newbyteorder("<"), count, at)
        values[entry["name"]] = stored_values.astype(entry["dtype"]).reshape(entry["shape"])
        at += count * kind.itemsize
    if at != len(content):
        raise BadModelFile(f"the weight file has {len(content)} bytes, but the model's description needs {at}.")
    return values


def convert(model: dict[str, Any], content: bytes) -> onnx.ModelProto:
    """Convert a TF.js graph model to ONNX, operator by operator. float32, opset 18.

    Args:
        model: The model's JSON.
        content: The content of its weight file.

    Raises:
        BadModelFile: it has an operator that MoveNet does not have, or its weights do not fit.
    """
    from onnx import TensorProto, helper

    nodes = model["modelTopology"]["node"]
    graph = _Graph({_key(name): value for name, value in read_weights(model["weightsManifest"], content).items()})
    inputs = []
    for node in nodes:
        if node["op"] == "Placeholder":
            sizes = [int(one["size"]) for one in node["attr"]["shape"]["shape"]["dim"]]
            shape = [size if size > 0 else letter for size, letter in zip(sizes, "nhwc", strict=True)]
            inputs.append(helper.make_tensor_value_info(node["name"], TensorProto.INT32, shape))
        elif node["op"] != "Const":
            graph.add(node)
    (output,) = model["signature"]["outputs"].values()
    shape = [int(one["size"]) for one in output["tensorShape"]["dim"]]
    outputs = [helper.make_tensor_value_info(_key(output["name"]), TensorProto.FLOAT, shape)]
    made = helper.make_graph(graph.nodes, "movenet", inputs, outputs, graph.initialisers())
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="adaptpose"
    )


def _key(name: str) -> str:
    """The name of a TensorFlow output. The first output of a node has the node's name."""
    return name.removesuffix(":0")


@dataclass
class _Graph:
    """The ONNX graph as it grows.

    Attributes:
        constants: Values by name. Those in use become initialisers.
        nodes: ONNX nodes so far.
        used: Names of the constants in use.
    """

    constants: dict[str, np.ndarray]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def add(self, node: dict[str, Any]) -> None:
        """Translate one TensorFlow node. The ONNX output has the same name."""
        operator, name = node["op"], node["name"]
        inputs = [_key(one) for one in node.get("input", [])]
        if operator in _RENAMED:
            self._emit(_RENAMED[operator], inputs, name)
        elif operator in _TRANSLATIONS:
            _TRANSLATIONS[operator](self, name, inputs, node.get("attr", {}))
        else:
            raise BadModelFile(f"{name} is the operator {operator!r}, which MoveNet does not have.")

    def initialisers(self) -> list[onnx.TensorProto]:
        """The constants in use, sorted by name."""
        from onnx import numpy_helper

        return [numpy_helper.from_array(np.array(self.constants[name], order="C"), name) for name in sorted(self.used)]

    def value(self, name: str) -> np.ndarray:
        """The value of a constant that the conversion needs."""
        if name not in self.constants:
            raise BadModelFile(f"{name} is computed, but must be a constant, as in MoveNet's models.")
        return self.constants[name]

    def constant(self, value: np.ndarray, name: str) -> str:
        """Add a constant."""
        self.constants[name] = value
        return name

    def integers(self, values: Any, name: str) -> str:
        """Add a constant of 64-bit integers, as ONNX needs for shapes and axes."""
        return self.constant(np.atleast_1d(np.asarray(values, np.int64)), name)

    def as_int64(self, name: str, origin: str) -> str:
        """Cast a tensor of integers to 64 bits."""
        return self._emit("Cast", [name], f"{origin}/{name.rpartition('/')[2]}_int64", to=7)

    def _emit(self, operator: str, inputs: list[str], output: str | list[str], **attributes: Any) -> str:
        from onnx import helper

        outputs = [output] if isinstance(output, str) else output
        self.used.update(one for one in inputs if one in self.constants)
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], **attributes))
        return outputs[0]

    def convolution(self, name: str, inputs: list[str], attr: dict[str, Any], *, depthwise: bool) -> None:
        """Conv, with fused bias and activation."""
        kernel = self.value(inputs[1])  # (H, W, in, out), depthwise (H, W, channels, multiplier)
        groups = kernel.shape[2] if depthwise else 1
        if depthwise:
            kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
        weights = self.constant(kernel.transpose(3, 2, 0, 1), f"{inputs[1]}/oihw")
        fused = [base64.b64decode(one).decode() for one in attr.get("fused_ops", {}).get("list", {}).get("s", [])]
        channels_first = self._emit("Transpose", [inputs[0]], f"{name}/nchw", perm=_TO_NCHW)
        activation = {"Relu6": "Clip", "Relu": "Relu"}.get(fused[-1]) if fused else None
        result = self._emit(
            "Conv", [channels_first, weights, *inputs[2:]], f"{name}/conv", group=groups, auto_pad=_padding(attr),
            strides=_numbers(attr["strides"])[1:3], dilations=_numbers(attr["dilations"])[1:3],
        )  # fmt: skip
        if activation == "Clip":
            limits = [self.constant(np.array(one, np.float32), f"relu6/{one}") for one in (0, 6)]
            result = self._emit("Clip", [result, *limits], f"{name}/relu6")
        elif activation:
            result = self._emit(activation, [result], f"{name}/relu")
        elif fused not in ([], ["BiasAdd"]):
            raise BadModelFile(f"{name} has {fused} fused with it. MoveNet's models have no such node.")
        self._emit("Transpose", [result], name, perm=_TO_NHWC)

    def max_pool(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """MaxPool over height and width."""
        channels_first = self._emit("Transpose", inputs, f"{name}/nchw", perm=_TO_NCHW)
        pooled = self._emit(
            "MaxPool", [channels_first], f"{name}/pool", auto_pad=_padding(attr),
            kernel_shape=_numbers(attr["ksize"])[1:3], strides=_numbers(attr["strides"])[1:3],
        )  # fmt: skip
        self._emit("Transpose", [pooled], name, perm=_TO_NHWC)

    def resize(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Bilinear resizing of height and width. The size may be computed."""
        if attr["align_corners"]["b"] or not attr["half_pixel_centers"]["b"]:
            raise BadModelFile(f"{name} resizes by other rules than MoveNet.")
        channels_first = self._emit("Transpose", [inputs[0]], f"{name}/nchw", perm=_TO_NCHW)
        shape = self._emit("Shape", [channels_first], f"{name}/shape")
        start, end = self.integers(0, f"{name}/0"), self.integers(2, f"{name}/2")
        kept = self._emit("Slice", [shape, start, end], f"{name}/kept")
        size = self._emit("Concat", [kept, self.as_int64(inputs[1], name)], f"{name}/size", axis=0)
        rule = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        resized = self._emit("Resize", [channels_first, "", "", size], f"{name}/resized", **rule)
        self._emit("Transpose", [resized], name, perm=_TO_NHWC)

    def strided_slice(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Slice, then remove the axes of single indices, then add new axes."""
        begin, end, step = (self.value(one).tolist() for one in inputs[1:4])
        masks = {
            kind: int(attr[f"{kind}_mask"]["i"]) for kind in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
        }
        if masks["ellipsis"]:
            raise BadModelFile(f"{name} has an ellipsis. MoveNet's models have none.")
        axes, starts, ends, steps, dropped, added, axis, place = [], [], [], [], [], [], 0, 0
        for i, (first, last, by) in enumerate(zip(begin, end, step, strict=True)):
            bit = 1 << i
            if masks["new_axis"] & bit:
                added.append(place)
                place += 1
                continue
            axes.append(axis)
            single = bool(masks["shrink_axis"] & bit)
            starts.append(0 if masks["begin"] & bit and not single else first)
            ends.append(first + 1 or _END if single else (_END if masks["end"] & bit else last))
            steps.append(1 if single else by)
            if single:
                dropped.append(axis)
            else:
                place += 1
            axis += 1
        result = inputs[0]
        if axes:
            parts = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
            limits = [self.integers(values, f"{name}/{kind}") for kind, values in parts.items()]
            result = self._emit("Slice", [result, *limits], f"{name}/slice")
        if dropped:
            result = self._emit("Squeeze", [result, self.integers(dropped, f"{name}/dropped")], f"{name}/squeezed")
        if added:
            result = self._emit("Unsqueeze", [result, self.integers(added, f"{name}/added")], f"{name}/unsqueezed")
        self._emit("Identity", [result], name)

    def pack(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Stack tensors on a new axis."""
        axis = int(attr["axis"]["i"])
        axes = self.integers(axis, f"{name}/axis")
        widened = [self._emit("Unsqueeze", [one, axes], f"{name}/part{i}") for i, one in enumerate(inputs)]
        self._emit("Concat", widened, name, axis=axis)

    def unpack(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """One tensor for each index of an axis."""
        axis, count = int(attr["axis"]["i"]), int(attr["num"]["i"])
        axes = self.integers(axis, f"{name}/axis")
        parts = [f"{name}/part{i}" for i in range(count)]
        if count > 1:
            self._emit("Split", inputs, parts, axis=axis, num_outputs=count)
        else:
            self._emit("Identity", inputs, parts[0])
        for i, part in enumerate(parts):
            self._emit("Squeeze", [part, axes], f"{name}:{i}" if i else name)

    def shape(self, name: str, inputs: list[str], operator: str) -> None:
        """Shape or Size, as 32-bit integers."""
        self._emit("Cast", [self._emit(operator, inputs, f"{name}/int64")], name, to=6)

    def cast(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Cast to another number type."""
        from onnx import helper

        kind = np.dtype(_TYPES[attr["DstT"]["type"]])
        self._emit("Cast", inputs, name, to=helper.np_dtype_to_tensor_dtype(kind))

    def squared_difference(self, name: str, inputs: list[str]) -> None:
        """(a - b)²."""
        difference = self._emit("Sub", inputs, f"{name}/difference")
        self._emit("Mul", [difference, difference], name)

    def floor_div(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Divide and round down. Integers are never negative here, so rounding to zero is rounding down."""
        if attr["T"]["type"] == "DT_INT32":
            self._emit("Div", inputs, name)
        else:
            self._emit("Floor", [self._emit("Div", inputs, f"{name}/quotient")], name)

    def reduce(self, name: str, inputs: list[str], attr: dict[str, Any], operator: str) -> None:
        """Sum or maximum over axes."""
        axes = self.integers(self.value(inputs[1]), f"{name}/axes")
        self._emit(operator, [inputs[0], axes], name, keepdims=int(attr["keep_dims"]["b"]))

    def arg_max(self, name: str, inputs: list[str]) -> None:
        """Index of the largest value, as 32-bit integer."""
        axis = int(self.value(inputs[1]))
        index = self._emit("ArgMax", [inputs[0]], f"{name}/int64", axis=axis, keepdims=0)
        self._emit("Cast", [index], name, to=6)

    def top_k(self, name: str, inputs: list[str]) -> None:
        """The largest values, and their indices as 32-bit integers."""
        count = self.integers(self.value(inputs[1]), f"{name}/k")
        self._emit("TopK", [inputs[0], count], [name, f"{name}/int64"], axis=-1)
        self._emit("Cast", [f"{name}/int64"], f"{name}:1", to=6)

    def split(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Equal parts along an axis."""
        count = int(attr["num_split"]["i"])
        parts = [f"{name}:{i}" if i else name for i in range(count)]
        self._emit("Split", [inputs[1]], parts, axis=int(self.value(inputs[0])), num_outputs=count)

    def concat(self, name: str, inputs: list[str]) -> None:
        """Concatenate tensors along an axis."""
        self._emit("Concat", inputs[:-1], name, axis=int(self.value(inputs[-1])))

    def squeeze(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        """Remove axes of length 1."""
        self._emit("Squeeze", [*inputs, self.integers(_numbers(attr["squeeze_dims"]), f"{name}/axes")], name)

    def expand_dims(self, name: str, inputs: list[str]) -> None:
        """Add an axis of length 1."""
        self._emit("Unsqueeze", [inputs[0], self.integers(self.value(inputs[1]), f"{name}/axes")], name)

    def with_shape(self, name: str, operator: str, tensor: str, shape: str) -> None:
        """An operator whose second input is a shape."""
        self._emit(operator, [tensor, self.as_int64(shape, name)], name)


def _numbers(attribute: dict[str, Any]) -> list[int]:
    return [int(one) for one in attribute["list"]["i"]]


def _padding(attr: dict[str, Any]) -> str:
    return {"SAME": "SAME_UPPER", "VALID": "VALID"}[base64.b64decode(attr["padding"]["s"]).decode()]


_Translation = Callable[[_Graph, str, list[str], dict[str, Any]], None]
_TRANSLATIONS: dict[str, _Translation] = {
    "_FusedConv2D": lambda g, name, inputs, attr: g.convolution(name, inputs, attr, depthwise=False),
    "FusedDepthwiseConv2dNative": lambda g, name, inputs, attr: g.convolution(name, inputs, attr, depthwise=True),
    "DepthwiseConv2dNative": lambda g, name, inputs, attr: g.convolution(name, inputs, attr, depthwise=True),
    "MaxPool": _Graph.max_pool,
    "ResizeBilinear": _Graph.resize,
    "StridedSlice": _Graph.strided_slice,
    "Pack": _Graph.pack,
    "Unpack": _Graph.unpack,
    "Shape": lambda g, name, inputs, attr: g.shape(name, inputs, "Shape"),
    "Size": lambda g, name, inputs, attr: g.shape(name, inputs, "Size"),
    "Cast": _Graph.cast,
    "SquaredDifference": lambda g, name, inputs, attr: g.squared_difference(name, inputs),
    "FloorDiv": _Graph.floor_div,
    "Sum": lambda g, name, inputs, attr: g.reduce(name, inputs, attr, "ReduceSum"),
    "Max": lambda g, name, inputs, attr: g.reduce(name, inputs, attr, "ReduceMax"),
    "ArgMax": lambda g, name, inputs, attr: g.arg_max(name, inputs),
    "TopKV2": lambda g, name, inputs, attr: g.top_k(name, inputs),
    "Split": _Graph.split,
    "ConcatV2": lambda g, name, inputs, attr: g.concat(name, inputs),
    "Squeeze": _Graph.squeeze,
    "ExpandDims": lambda g, name, inputs, attr: g.expand_dims(name, inputs),
    "Reshape": lambda g, name, inputs, attr: g.with_shape(name, "Reshape", *inputs),
    "Tile": lambda g, name, inputs, attr: g.with_shape(name, "Tile", *inputs),
    "Fill": lambda g, name, inputs, attr: g.with_shape(name, "Expand", inputs[1], inputs[0]),
    "GatherNd": lambda g, name, inputs, attr: g.with_shape(name, "GatherND", *inputs),
}
"""How each TensorFlow operator is converted to ONNX."""
