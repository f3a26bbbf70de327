"""What is known of each data set: who gives it out, its licence, its official files, its published counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AboutDataset:
    """A data set as its authors give it out.

    Attributes:
        title: Its name.
        ask: Where to ask for it.
        licence: What it may be used for; read it where you get the data.
        files: Its official files, as `adaptpose-data prepare` looks for them.
        derived: Files that others made of it and that are read as well.
        published: By split: numbers of `poses`, `valid` poses or `sequences`.
        counted_by: Where these numbers are from.
    """

    title: str
    ask: str
    licence: str
    files: str
    derived: str
    published: Mapping[str, Mapping[str, int]]
    counted_by: str


ABOUT: dict[str, AboutDataset] = {
    "h36m": AboutDataset(
        "Human3.6M",
        "http://vision.imar.ro/human3.6m (registration; archives Poses_D3_Positions_mono_S*.tgz and "
        "Poses_D2_Positions_S*.tgz, metadata.xml with the code release)",
        "academic use only, by registration",
        "S*/MyPoseFeatures/D3_Positions_mono/*.cdf and D2_Positions/*.cdf; metadata.xml for the cameras (with it, "
        "D3_Positions/*.cdf alone will do)",
        "VideoPose3D's and PoseAug's data_3d_h36m.npz with data_2d_h36m_gt.npz; mmpose's h36m_{train,test}.npz",
        {"train": {"poses": 1_559_752}, "test": {"poses": 543_344}},
        "AdaptPose's log, from VideoPose3D's files; MotionBERT's test set has 566,920",
    ),
    "3dhp": AboutDataset(
        "MPI-INF-3DHP",
        "https://vcai.mpi-inf.mpg.de/3dhp-dataset (the script in its archive downloads training and test set)",
        "non-commercial research; read the terms in its archive",
        "S*/Seq*/annot.mat with camera.calibration; TS*/annot_data.mat",
        "P-STMO's data_{train,test}_3dhp.npz; AdaptPose's data_3dhp_*.npz; SPIN's and mmpose's mpi_inf_3dhp_*.npz; "
        "PoseAug's test_3dhp.npz",
        {"train": {"poses": 1_842_288}, "test": {"poses": 24_888, "valid": 2_929}},
        "the official frame counts of 16 training sequences times 14 cameras, and of TS1 to TS6",
    ),
    "3dpw": AboutDataset(
        "3DPW",
        "https://virtualhumans.mpi-inf.mpg.de/3DPW (sequenceFiles.zip)",
        "non-commercial; see the licence on its page",
        "sequenceFiles/{train,validation,test}/*.pkl",
        "AdaptPose's data_3dpw_gt_{train,test}.npz",
        {"train": {"valid": 22_745}},
        "one user's audit of the valid person-frames of the training split",
    ),
    "ski": AboutDataset(
        "Ski-Pose PTZ-Camera",
        "https://www.epfl.ch/labs/cvlab/data/ski-poseptz-dataset (Ski-PosePTZ-CameraDataset-png.zip and "
        "ski_centers.csv beside it)",
        "license.txt in its archive",
        "{train,test}/labels.h5; ski_centers.csv for the place in the camera",
        "AdaptPose's data_skii_gt_{train,test}.npz",
        {"train": {"poses": 8_481}, "test": {"poses": 1_716}},
        "its authors' readme",
    ),
}

TRAINING_FRAMES_3DHP: dict[tuple[int, int], int] = {
    (1, 1): 6416, (1, 2): 12430, (2, 1): 6502, (2, 2): 6081, (3, 1): 12488, (3, 2): 12283, (4, 1): 6171,
    (4, 2): 6675, (5, 1): 12820, (5, 2): 12312, (6, 1): 6188, (6, 2): 6145, (7, 1): 6239, (7, 2): 6320,
    (8, 1): 6468, (8, 2): 6054,
}  # fmt: skip
"""Official frames by subject and sequence; files may hold more, which are no part of the data set."""
FAST_3DHP = {(1, 2), (3, 1), (3, 2), (5, 1), (5, 2)}
"""Training sequences at 50 frames a second; the others have 25."""
TEST_FRAMES_3DHP = {"TS1": 6151, "TS2": 6080, "TS3": 5838, "TS4": 6007, "TS5": 320, "TS6": 492}
VALID_FRAMES_3DHP = {"TS1": 603, "TS2": 540, "TS3": 505, "TS4": 553, "TS5": 276, "TS6": 452}


def image_size_3dhp(sequence: str) -> tuple[int, int]:
    """Width and height: 2048 x 2048 in the studio (training, TS1 to TS4), 1920 x 1080 outdoors (TS5, TS6)."""
    return (1920, 1080) if sequence in ("TS5", "TS6") else (2048, 2048)
