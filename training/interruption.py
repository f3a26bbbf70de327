"""What a user is told when training stops before its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from sdk.errors import AdaptPoseError, BadOutput


class Diverged(AdaptPoseError, ArithmeticError):
    """A training whose numbers are no longer finite."""


def require_finite(step: int, values: Mapping[str, float], networks: Iterable[nn.Module] = ()) -> None:
    """Do nothing if the numbers of a step are finite, and the weights of networks that are to be saved after it.

    Raises:
        Diverged: some are not: no further step would mend it.
    """
    lost = [name for name, value in values.items() if not math.isfinite(value)]
    if any(not bool(torch.isfinite(weights).all()) for network in networks for weights in network.parameters()):
        lost.append("weights")
    if lost:
        raise Diverged(
            f"the training diverged: after step {step}, {', '.join(lost)} are not finite numbers. Start a new run in "
            "another folder with lower learning rates (see --help), or from another seed."
        )


@contextmanager
def resumable(way_on: str) -> Iterator[None]:
    """Add the way on to the message of what stops the block: Ctrl-C, or a disk that is full.

    Args:
        way_on: A sentence.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(way_on) from stop
    except BadOutput as error:
        raise BadOutput(f"{error} {way_on}") from error
