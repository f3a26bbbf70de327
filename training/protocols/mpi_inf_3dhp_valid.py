"""`3dhp-valid`: the 2,929 valid frames of MPI-INF-3DHP's test set.

Who scores so: 3DHP's own evaluation, P-STMO and its followers (over 17 joints; 16 here, without the `head` between neck
and head top), and with single frames PoseAug, DH-AUG and DAF-DG (who average over mirrored input). Windows hold the
invalid frames too, for they are part of the video.
"""

from __future__ import annotations

import dataclasses

from training.protocols.mpi_inf_3dhp import IN_CAMERA
from training.protocols.mpi_inf_3dhp import PROTOCOL as ALL_FRAMES

VALID = {"TS1": 603, "TS2": 540, "TS3": 505, "TS4": 553, "TS5": 276, "TS6": 452}
"""Valid frames of the test sequences."""

PROTOCOL = dataclasses.replace(
    ALL_FRAMES,
    name="3dhp-valid",
    about="The 2,929 valid frames of 3DHP's test set, universal truth, no averaging over passes.",
    frames="valid",
    poses=sum(VALID.values()),
)
VALID_IN_CAMERA = dataclasses.replace(
    IN_CAMERA,
    name="3dhp-valid-camera",
    about="As 3dhp-valid, against the truth in the camera's metres (annot3).",
    frames="valid",
    poses=sum(VALID.values()),
)
