"""Frames of Acclaim motion files (.amc): the angles of each bone of a skeleton."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadMotion
from training.motion.readers.acclaim.files import LARGEST_NUMBER, Line, acclaim_lines, parse_numbers
from training.motion.readers.acclaim.skeleton import ROOT, AcclaimSkeleton

LARGEST_FILE_BYTES = 1 << 27
"""Largest .amc file. 20 minutes of CMU's skeleton at 120 Hz have 110 MB."""
MOST_FRAMES = 150_000
"""Most frames of a file: 20 minutes at 120 Hz."""

_RATE = ":samples-per-second"


@dataclass(frozen=True)
class AcclaimFrames:
    """Content of an .amc file.

    Attributes:
        values: Values of the root (T, 6) and of each bone with axes (T, its axes), in the skeleton's order.
        degrees: Whether angles are in degrees; if not, in radians.
        frame_rate_hz: Frame rate, if the file states it. CMU's files do not.
    """

    values: dict[str, np.ndarray]
    degrees: bool
    frame_rate_hz: float | None


def read_frames(path: Path, skeleton: AcclaimSkeleton) -> AcclaimFrames:
    """Read an .amc file.

    Args:
        path: The file.
        skeleton: The skeleton it was recorded with.

    Raises:
        BadMotion: it can't be read, is cut off or damaged, or belongs to another skeleton.
    """
    table = _Table(path, skeleton)
    keywords: dict[str, Line] = {}
    for line, words in acclaim_lines(path, LARGEST_FILE_BYTES):
        word = words[0].lower()
        if word.startswith(":") and not table.begun:
            keywords[word] = line, words[1:]
        elif len(words) == 1 and word.isdecimal() and len(word) < 10:
            table.begin_frame(line, int(word))
        else:
            table.add_bone(line, word, words[1:])
    if ":fully-specified" not in keywords:
        raise BadMotion(
            f"{path.name} does not say :FULLY-SPECIFIED, every bone in every frame, the only form of .amc that is "
            f"read. It says: {', '.join(keywords)[:200] or 'nothing'}."
        )
    if {":degrees", ":radians"} <= keywords.keys():
        raise BadMotion(f"{path.name} says :DEGREES and :RADIANS; take the wrong one out.")
    rate = None
    if _RATE in keywords:
        line, words = keywords[_RATE]
        rate = float(parse_numbers(f"{path.name}, line {line}: {_RATE}", words, 1)[0])
    degrees = ":degrees" in keywords or (skeleton.degrees and ":radians" not in keywords)
    return AcclaimFrames(table.columns(), degrees, rate)


class _Table:
    """Collects the numbers of frames. All frames must have the same bones in the same order.

    Attributes:
        begun: Whether there was a frame yet.
    """

    def __init__(self, path: Path, skeleton: AcclaimSkeleton) -> None:
        self._path = path
        self._widths = {ROOT: len(skeleton.root_order)}
        self._widths |= {name: len(bone.dof) for name, bone in skeleton.bones.items() if bone.dof}
        self._order: list[str] = []  # of the first frame's bones
        self._numbers = array("d")
        self._frames: list[int] = []
        self._seen = 0  # bones of the last frame
        self.begun = False

    def begin_frame(self, line: int, number: int) -> None:
        if self.begun:
            self._end_frame()
            if number != self._frames[-1] + 1:
                raise BadMotion(
                    f"{self._path.name}, line {line}: frame {number} follows frame {self._frames[-1]}. What was "
                    "between them is lost, and the motion would jump: split the file there."
                )
            if len(self._frames) == MOST_FRAMES:
                raise BadMotion(f"{self._path.name} has more than {MOST_FRAMES} frames; split it.")
        self.begun = True
        self._frames.append(number)
        self._seen = 0

    def add_bone(self, line: int, name: str, values: Sequence[str]) -> None:
        where = f"{self._path.name}, line {line}"
        if not self.begun:
            raise BadMotion(f"{where}: {name[:60]!r} comes before the number of the first frame.")
        if name not in self._widths:
            raise BadMotion(
                f"{where}: {name[:60]!r} is no bone that turns in the skeleton. The motion belongs to another one, or "
                f"is damaged; it may have {', '.join(self._widths)}."
            )
        if len(values) != self._widths[name]:
            raise BadMotion(f"{where}: {name!r} has {len(values)} values; the skeleton has {self._widths[name]} dof.")
        if len(self._frames) == 1 and name not in self._order:
            self._order.append(name)
        elif self._order[self._seen : self._seen + 1] != [name]:
            raise BadMotion(f"{where}: {name!r} is out of place: each frame has each bone once, all in the same order.")
        self._seen += 1
        try:
            self._numbers.extend(map(float, values))
        except ValueError:
            raise BadMotion(f"{where}: {' '.join(values)[:60]!r} of {name!r} are no numbers.") from None

    def columns(self) -> dict[str, np.ndarray]:
        """(T, its axes) values of each bone, after the file is read."""
        if not self.begun:
            raise BadMotion(f"{self._path.name} has no frame: it is no Acclaim motion, or cut off.")
        self._end_frame()
        table = np.array(self._numbers).reshape(len(self._frames), -1)
        ends = np.cumsum([self._widths[name] for name in self._order])
        bad = np.argwhere(~(np.abs(table) <= LARGEST_NUMBER))
        if len(bad):
            frame, column = bad[0]
            name = self._order[int(np.searchsorted(ends, column, side="right"))]
            raise BadMotion(
                f"{self._path.name}: frame {self._frames[frame]} has {table[frame, column]:g} for {name!r}, which is "
                f"no finite number within 1e6 ({len(bad)} such in all). Get the file anew, or take those frames out."
            )
        return dict(zip(self._order, np.split(table, ends[:-1], axis=1), strict=True))

    def _end_frame(self) -> None:
        if self._seen < len(self._widths):
            lacking = [name for name in self._widths if name not in self._order[: self._seen]]
            raise BadMotion(
                f"{self._path.name}: frame {self._frames[-1]} has no {', '.join(lacking)}. The file is cut off or "
                "damaged there, or belongs to another skeleton: get it anew, or take the frame out."
            )
