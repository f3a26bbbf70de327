"""A protocol's part of a prepared data set, as sequences with truth."""

from __future__ import annotations

import itertools

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.prepared import PreparedDataset
from training.datasets.sequence import PreparedSequence
from training.protocols.labelled_sequence import LabelledSequence
from training.protocols.protocol import Protocol


def labelled_sequences(data: PreparedDataset, protocol: Protocol) -> list[LabelledSequence]:
    """The sequences that a protocol scores, in the order of their names, cut where frames are missing.

    Raises:
        BadDataset: it is another data set than the protocol's, or lacks the truth, the joints' definition or the image
            sizes that the protocol asks for.
    """
    if data.data_set != protocol.dataset:
        raise BadDataset(
            f"{shown(data.folder)} is {data.data_set}; protocol {protocol.name} scores {protocol.dataset}."
        )
    _require_definition(data, protocol)
    return [piece for sequence in data.sequences(split=protocol.split) for piece in _pieces(data, sequence, protocol)]


def continuous(sequence: PreparedSequence, *, cut_at_invalid: bool) -> list[slice]:
    """Stretches of rows without a missing frame, and if asked without an invalid one."""
    stretches = sequence.pieces()
    if not cut_at_invalid or sequence.valid.all():
        return stretches
    parts = []
    for stretch in stretches:
        changes = np.flatnonzero(np.diff(sequence.valid[stretch].astype(np.int8))) + 1
        edges = [stretch.start, *(stretch.start + changes).tolist(), stretch.stop]
        parts += [slice(a, b) for a, b in itertools.pairwise(edges) if sequence.valid[a]]
    return parts


def _pieces(data: PreparedDataset, sequence: PreparedSequence, protocol: Protocol) -> list[LabelledSequence]:
    facts = sequence.facts
    truth = sequence.joints_universal_m if protocol.truth == "universal" else sequence.joints_camera_m
    if truth is None:
        raise BadDataset(
            f"{shown(data.folder)}: {facts.name} has no {protocol.truth} truth, which protocol {protocol.name} asks "
            f"for. It was made of {data.origin}."
        )
    if sequence.camera is None and protocol.normalisation == "screen":
        raise BadDataset(
            f"{shown(data.folder)}: the image size of {facts.name} is not known, which protocol {protocol.name} needs."
        )
    size = (1, 1) if sequence.camera is None else (sequence.camera.width, sequence.camera.height)
    keypoints, joints = data.to_h36m16(sequence.keypoints_px), data.to_h36m16(truth)
    # A sequence is known by who is in it: TS3. Later pieces say where they begin, so that nothing is skipped twice.
    return [
        LabelledSequence(
            facts.subject if rows.start == 0 else f"{facts.name} from row {rows.start}",
            keypoints[rows],
            joints[rows],
            sequence.valid[rows],
            facts.frame_rate_hz,
            size,
            facts.action,
        )
        for rows in continuous(sequence, cut_at_invalid=protocol.cut_at_invalid)
    ]


def _require_definition(data: PreparedDataset, protocol: Protocol) -> None:
    if protocol.joint_orders and data.joint_order not in protocol.joint_orders:
        raise BadDataset(
            f"{shown(data.folder)} has joints of the order {data.joint_order} ({data.joint_definition}); protocol "
            f"{protocol.name} scores {' or '.join(protocol.joint_orders)}: {protocol.about}"
        )
