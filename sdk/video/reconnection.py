"""Opens a camera or live stream again after it is lost, with longer and longer pauses."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sdk.errors import BadVideo
from sdk.video.lost_frames import LostFrames
from sdk.video.readers import Reader, TimedImage

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconnection:
    """How often to try to open a lost source again."""

    first_pause_s: float = 0.5
    """Pause before the first try. It is doubled after each try that fails."""
    longest_pause_s: float = 8.0
    """Longest pause between tries."""
    give_up_after_s: float | None = None
    """A source that is away for longer is an error. None tries for ever."""


class ReconnectingReader:
    """A live reader that opens its source again whenever it ends or fails.

    Losses and returns are logged (logger `sdk.video.reconnection`).

    Attributes:
        interruptions: How often the source came back.
    """

    live: bool = True
    frame_count: int | None = None

    def __init__(self, reader: Reader, reopen: Callable[[], Reader], name: str, reconnection: Reconnection) -> None:
        """Start with an open reader. `reopen` raises BadVideo while the source is away."""
        self.frame_rate_hz, self.widened = reader.frame_rate_hz, reader.widened
        self.interruptions = 0
        self._reader: Reader | None = reader
        self._reopen, self._name, self._reconnection = reopen, name, reconnection
        self._closed = threading.Event()

    def read(self) -> TimedImage | None:
        """The next frame, however long the source is away; None after `close`.

        Raises:
            BadVideo: the source was away for longer than the reconnection allows.
        """
        image = self._try_read()
        if image is not None or self._closed.is_set():
            return image
        _log.warning("%s is lost; trying to open it again", self._name)
        lost_s, pause_s = time.monotonic(), self._reconnection.first_pause_s
        while not self._closed.wait(pause_s):
            image = self._try_read()
            away_s = time.monotonic() - lost_s
            if image is not None:
                _log.warning("%s is back after %.1f s", self._name, away_s)
                self.interruptions += 1
                return image
            limit_s = self._reconnection.give_up_after_s
            if limit_s is not None and away_s > limit_s:
                raise BadVideo(f"{self._name} was lost and did not come back within {limit_s:g} s.")
            pause_s = min(2 * pause_s, self._reconnection.longest_pause_s)
        return None

    def lost_frames(self) -> tuple[LostFrames, ...]:
        """Always empty: a live source announces no frames."""
        return ()

    def _try_read(self) -> TimedImage | None:
        reader = self._reader
        image = None
        try:
            if reader is None:
                reader = self._reader = self._reopen()
            if not self._closed.is_set():
                image = reader.read()
        except Exception as error:  # drivers can raise anything
            _log.info("%s: %s", self._name, error)
        if image is None and reader is not None:
            reader.close()
            self._reader = None
        return image

    def close(self) -> None:
        """Release the source. A waiting `read` returns at once."""
        self._closed.set()
        reader = self._reader
        if reader is not None:
            reader.close()
