"""`3dpw`: the test set of 3DPW, 16 of SMPL's own joints.

Every person in every frame whose camera pose is valid. 2D is the truth, projected through the file's camera; portrait
images are padded to squares (AdaptPose, section 6). Where the camera's pose is not valid there is no 2D, and windows
end. AdaptPose's file has 37,154 poses of untold origin, more than the valid ones: no number of poses is expected here.
"""

from __future__ import annotations

from training.protocols.protocol import Protocol

PROTOCOL = Protocol(
    "3dpw",
    "3DPW's test set, valid frames, every person, 16 SMPL joints.",
    "3dpw",
    joint_orders=("smpl24", "h36m16"),
    frames="valid",
    cut_at_invalid=True,
)
