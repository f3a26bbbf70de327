"""`3dpw-h36m14`: the test set of 3DPW over the 14 joints of the mesh papers, in Human3.6M's definition.

The joints are regressed from SMPL's mesh (`J_regressor_h36m.npy`), which needs SMPL and its licence: the two
definitions differ by centimetres at hips, head and neck. Data that was prepared from SMPL's own joints is refused.
"""

from __future__ import annotations

import dataclasses

from training.protocols.protocol import FOURTEEN_JOINTS
from training.protocols.pw3d import PROTOCOL as SMPL_JOINTS

PROTOCOL = dataclasses.replace(
    SMPL_JOINTS,
    name="3dpw-h36m14",
    about="3DPW's test set, valid frames, every person, 14 joints in Human3.6M's definition.",
    joint_orders=("h36m17",),
    scored=FOURTEEN_JOINTS,
    pck_joints=FOURTEEN_JOINTS,
)
