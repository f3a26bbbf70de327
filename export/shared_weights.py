"""Lets a streaming graph take its weights from its window graph's file, since both hold the same, and gives them back.

The window graph stays as it is. The streaming graph's tensors become external data: name of the file, offset, length.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from export.verification import UnequalExport, stream_windows
from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph
from sdk.runtime.external_data import WEIGHTS_KEY, checked_model, weights_entry
from training.files.atomic_file import replacing

if TYPE_CHECKING:
    import onnx

_SMALLEST_BYTES = 4096
"""Smaller tensors, such as biases, stay in both files."""
_MOST_WINDOWS = 64
"""Windows on which both forms of the streaming graph are compared."""


def share_weights(window_file: Path, stream_file: Path, windows: np.ndarray) -> None:
    """Replace a streaming graph by one without weights that `window_file` holds. Answers stay equal to the bit.

    Args:
        window_file: File from `write_lifter_onnx`; not changed.
        stream_file: File from `write_streaming_onnx`, of the same network and storage, in the same folder.
        windows: (N, receptive_field, J, 2) float32, N > 0, to compare answers on.

    Raises:
        BadModelFile: the files share no weights, or are not in one folder.
        UnequalExport: the new file's answers differ. The old file is kept.
    """
    import onnx

    if window_file.absolute().parent != stream_file.absolute().parent:
        raise BadModelFile(f"{stream_file} can share weights only with a file in its own folder, not {window_file}.")
    model, content = onnx.load(stream_file), window_file.read_bytes()
    shared = [_take_from(window_file.name, content, weight) for weight in model.graph.initializer]
    if not any(shared):
        raise BadModelFile(f"{stream_file} has no weights that {window_file} holds: they are not of one export.")
    for key, value in weights_entry(window_file).items():
        model.metadata_props.add(key=key, value=value)
    metadata = LifterMetadata.from_metadata({p.key: p.value for p in model.metadata_props}, str(stream_file))
    with replacing(stream_file) as part:
        part.write_bytes(model.SerializeToString())
        before, after = (
            stream_windows(StreamingGraph(path, metadata), windows[:_MOST_WINDOWS]) for path in (stream_file, part)
        )
        if not np.array_equal(before, after, equal_nan=True):
            raise UnequalExport(
                f"{stream_file} gives other answers with weights from {window_file}; it was kept whole."
            )


def whole_model(path: Path) -> bytes:
    """A model file with all its weights in it, for a place where the file that it shares them with is not.

    Raises:
        BadModelFile: that file is missing or another one.
    """
    import onnx

    path = checked_model(path)
    model = onnx.load(path, load_external_data=False)
    if not any(weight.data_location == onnx.TensorProto.EXTERNAL for weight in model.graph.initializer):
        return path.read_bytes()
    onnx.load_external_data_for_model(model, str(path.parent))
    for entry in [one for one in model.metadata_props if one.key == WEIGHTS_KEY]:
        model.metadata_props.remove(entry)
    return bytes(model.SerializeToString())


def _take_from(name: str, content: bytes, weight: onnx.TensorProto) -> bool:
    """Make a tensor external, if `content`, of the file `name`, holds its bytes. Returns whether it does."""
    import onnx

    values = weight.raw_data
    offset = content.find(values) if len(values) >= _SMALLEST_BYTES else -1
    if offset < 0:
        return False
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", name), ("offset", offset), ("length", len(values))):
        weight.external_data.add(key=key, value=str(value))
    return True
