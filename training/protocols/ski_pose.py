"""`ski`: the 1,716 test samples of Ski-Pose PTZ, one by one.

Images are crops around the person, so keypoints are root-centred and divided by their Frobenius norm (AdaptPose,
section 6), and the lifter takes single frames.
"""

from __future__ import annotations

from training.protocols.protocol import Protocol

PROTOCOL = Protocol(
    "ski",
    "Ski-Pose PTZ's 1,716 test samples, 16 joints, root-centred 2D, mean over samples.",
    "ski",
    poses=1716,
    normalisation="root-centred",
)
