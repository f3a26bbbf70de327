"""What must be said beside a figure: drawn data, and poses that are not as many as the protocol has."""

from __future__ import annotations

from training.datasets.prepared import PreparedDataset
from training.protocols.protocol import ProtocolErrors

REHEARSAL = "REHEARSAL on drawn data: no figure here says anything of any method"


def notes_of(data: PreparedDataset, errors: ProtocolErrors) -> list[str]:
    """Sentences that belong to a figure; none for the whole data set as published."""
    notes = [f"{REHEARSAL}."] if data.miniature else []
    if not errors.complete:
        notes.append(
            f"{errors.poses} poses were scored; protocol {errors.protocol} has {errors.expected}: this is another part "
            "of the data set, and the figure is none of that protocol."
        )
    return notes
