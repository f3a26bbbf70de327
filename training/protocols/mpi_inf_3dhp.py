"""`3dhp`: all frames of MPI-INF-3DHP's test set, plainly scored.

The official scores count the 2,929 valid frames (`3dhp-valid`); AdaptPose speaks of the complete test set (section 6)
and scores it in a way of its own (`3dhp-adaptpose`). Here every frame of all six sequences counts once, as the lifter
gives it. Windows hold neighbouring frames, as everybody's do: nobody tells the frame rate of the test set.
Truth is `univ_annot3`, which the official scores compare with; `3dhp-camera` compares with `annot3`, which is in metres
as measured.
"""

from __future__ import annotations

import dataclasses

from training.protocols.protocol import FOURTEEN_JOINTS, Protocol

SEQUENCES = {"TS1": 6151, "TS2": 6080, "TS3": 5838, "TS4": 6007, "TS5": 320, "TS6": 492}
"""Frames of the test sequences."""

PROTOCOL = Protocol(
    "3dhp",
    "All 24,888 frames of 3DHP's test set, universal truth, no averaging over passes, no rescaling.",
    "3dhp",
    poses=sum(SEQUENCES.values()),
    truth="universal",
    windows="neighbours",
    pck_joints=FOURTEEN_JOINTS,
)
IN_CAMERA = dataclasses.replace(
    PROTOCOL,
    name="3dhp-camera",
    about="As 3dhp, against the truth in the camera's metres (annot3).",
    truth="camera",
)
