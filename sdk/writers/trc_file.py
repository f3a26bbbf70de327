"""TRC, the marker file of OpenSim: text, tab-separated, y up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.skeletons import H36M16

_COUNT_DIGITS = 9


class TrcFile:
    """One person's joints as markers in metres; a joint that is missing is left blank.

    Frame numbers count from 1; the time is that since the stream's first picture.
    """

    def __init__(self, path: Path, start_s: float, frame_rate_hz: float) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._start_s, self._frame_rate_hz = start_s, frame_rate_hz
        self._rows = 0
        self._file = open(path, "wb")  # noqa: SIM115  # until close
        rate = f"{frame_rate_hz:.6g}"
        markers = len(H36M16)
        self._file.write(f"PathFileType\t4\t(X/Y/Z)\t{path.name}\n".encode())
        self._file.write(
            b"DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
        )
        self._counts: list[int] = []
        self._file.write(f"{rate}\t{rate}\t".encode())
        self._count()
        self._file.write(f"\t{markers}\tm\t{rate}\t1\t".encode())
        self._count()
        names = "\t\t\t".join(H36M16.joints)
        axes = "\t".join(f"{axis}{number}" for number in range(1, markers + 1) for axis in "XYZ")
        self._file.write(f"\nFrame#\tTime\t{names}\t\t\n\t\t{axes}\n\n".encode())
        self._file.flush()

    def _count(self) -> None:
        """Room for the number of frames, filled in by `flush`."""
        self._counts.append(self._file.tell())
        self._file.write(b"0" * _COUNT_DIGITS)

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write a row, (16, 3) metres, y up."""
        time_s = self._start_s + self._rows / self._frame_rate_hz
        self._rows += 1
        cells = [""] * 3 * len(H36M16) if joints_m is None else [f"{value:.5f}" for value in joints_m.ravel()]
        self._file.write("\t".join([str(self._rows), f"{time_s:.6f}", *cells]).encode() + b"\n")

    def flush(self) -> None:
        """Bring everything to the disk, with the number of frames in the head."""
        for place in self._counts:
            self._file.seek(place)
            self._file.write(f"{self._rows:0{_COUNT_DIGITS}d}".encode())
        self._file.seek(0, 2)
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()
