"""Runs a graph for any number of inputs, whatever its batch size is; bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel


def run_each(model: OnnxModel, inputs: Iterable[np.ndarray], most: int) -> Iterator[list[np.ndarray]]:
    """All outputs for each input, in order. Inputs are made as they are needed.

    Args:
        model: Its first axes are the batch. A fixed batch is filled up with zeros.
        inputs: Each without its batch axis, all of one shape.
        most: Most inputs in one call of a graph that takes any number.
    """
    batch = model.inputs[0].shape[0]
    size = batch if isinstance(batch, int) else most
    left = iter(inputs)
    while group := list(islice(left, size)):
        padding = size - len(group) if isinstance(batch, int) else 0
        stacked = np.stack([*group, *[np.zeros_like(group[0])] * padding])
        outputs = model.run(stacked)
        for place in range(len(group)):
            yield [output[place] for output in outputs]
