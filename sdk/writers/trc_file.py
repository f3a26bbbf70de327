"""TRC, the marker file of OpenSim: text, tab-separated, y up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.skeletons.skeleton import H36M16, Skeleton
from sdk.writers.base import HeadedFile

_COUNT_DIGITS = 9
OPENSIM_MARKERS = {"right_heel": "RHeel", "right_toe": "RBigToe", "left_heel": "LHeel", "left_toe": "LBigToe"}
"""Names of the markers of the feet in the marker sets of OpenSim and Pose2Sim. The joints of the body are no markers
on the skin; they keep their names."""


class TrcFile(HeadedFile):
    """One person's joints as markers in metres; NaN where the person is missing (OpenSim drops blank last cells).

    Rows begin with the person. Frame numbers and times are the stream's: its first frame is frame 1, at 0 s.
    """

    def __init__(self, path: Path, start_s: float, frame_rate_hz: float, pose_skeleton: Skeleton = H36M16) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._markers = [OPENSIM_MARKERS.get(joint, joint) for joint in pose_skeleton.joints]
        self._name, self._frame_rate_hz = path.name, frame_rate_hz
        self._start_row = round(start_s * frame_rate_hz)
        super().__init__(path)

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write a row, (J, 3) metres, y up."""
        row = self._start_row + self._added
        cells = ["NaN"] * 3 * len(self._markers) if joints_m is None else [f"{value:.5f}" for value in joints_m.ravel()]
        self._add("\t".join([str(row + 1), f"{row / self._frame_rate_hz:.6f}", *cells]).encode() + b"\n")

    def _head(self) -> bytes:
        rate, markers, frames = f"{self._frame_rate_hz:.6g}", len(self._markers), f"{self._rows:0{_COUNT_DIGITS}d}"
        names = "\t\t\t".join(self._markers)
        axes = "\t".join(f"{axis}{number}" for number in range(1, markers + 1) for axis in "XYZ")
        lines = (
            f"PathFileType\t4\t(X/Y/Z)\t{self._name}",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            f"{rate}\t{rate}\t{frames}\t{markers}\tm\t{rate}\t{self._start_row + 1}\t{frames}",
            f"Frame#\tTime\t{names}\t\t",
            f"\t\t{axes}",
            "",
            "",
        )
        return "\n".join(lines).encode()
