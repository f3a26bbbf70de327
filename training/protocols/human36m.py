"""`h36m-s1`: Human3.6M's test subjects, for lifters that know 3D of subject S1 only (AdaptPose, table 1).

Test: S9 and S11, four cameras, 50 Hz, `S11/Directions` left out as damaged: 543,344 poses of 16 joints. Errors are
means over all frames, as in AdaptPose and PoseAug; VideoPose3D averages over 15 actions and has 17 joints, which
differs by tenths of a millimetre. No averaging over mirrored input.
"""

from __future__ import annotations

from training.protocols.protocol import Protocol

SOURCE_SUBJECT = "S1"
TARGET_SUBJECTS = ("S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")

PROTOCOL = Protocol(
    "h36m-s1",
    "Human3.6M, S9 and S11, all frames of four cameras, 16 joints, mean over frames.",
    "h36m",
    poses=543_344,
)
