"""The results of a whole recording, kept until all of them are known: to be turned upright by what all of them tell."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from sdk.errors import BadVideo
from sdk.files.output_files import naming
from sdk.results.pose_frame import PoseFrame
from sdk.video.source import open_video


class KeptFrames:
    """Results without their images, on the disk: memory stays constant, and they can be gone through more than once.

    The file has no name in the folder, so nobody else can open or change it, and it ends with the process. A context
    manager.

    Args:
        folder: A folder on the disk to use.
        image_size: Width and height; the images of what is read are black.
    """

    def __init__(self, folder: Path, image_size: tuple[int, int]) -> None:
        self._folder = folder
        self._black = np.zeros((image_size[1], image_size[0], 3), np.uint8)
        self._black.flags.writeable = False
        with naming(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # until close

    def add(self, frame: PoseFrame) -> None:
        """Keep a result.

        Raises:
            BadOutput: the disk is full.
        """
        with naming(self._folder):
            pickle.dump(replace(frame, image=self._black[:0, :0]), self._file, protocol=5)

    def __iter__(self) -> Iterator[PoseFrame]:
        """All results, from the first."""
        with naming(self._folder):
            self._file.seek(0)
        while True:
            try:
                frame = pickle.load(self._file)  # our own, of this process
            except EOFError:
                return
            yield replace(frame, image=self._black)

    def __enter__(self) -> KeptFrames:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def with_images(frames: Iterable[PoseFrame], video: Path, fps: float | None) -> Iterator[PoseFrame]:
    """Results with the images of their video, which is read again.

    Raises:
        BadVideo: it has fewer images than when it was read first.
    """
    with open_video(video, fps=fps) as source:
        images = iter(source)
        for frame in frames:
            image = next((one.image for one in images if one.index == frame.index), None)
            if image is None:
                raise BadVideo(f"{source.name} had an image {frame.index} when it was read first, and has none now.")
            yield replace(frame, image=image)
