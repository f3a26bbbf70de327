"""A window for live results, if there is a display."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType

import numpy as np

from sdk.errors import BadOutput

_ESCAPE = 27


def why_no_window() -> str | None:
    """Why no window can be opened here, or None if one can."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set"
    # Tried in another process. Without OpenCV's GUI it raises; if the display does not answer, Qt ends the process.
    trial = subprocess.run(
        [sys.executable, "-c", "import cv2; cv2.namedWindow('trial'); cv2.destroyAllWindows()"],
        capture_output=True,
        check=False,
    )
    if trial.returncode == 0:
        return None
    return "OpenCV can't open a window here: it is a headless build, or the display does not answer"


class LiveWindow:
    """One resizable window; a context manager."""

    def __init__(self, title: str) -> None:
        """Open it.

        Raises:
            BadOutput: if no window can be opened here; the message says why.
        """
        import cv2

        reason = why_no_window()
        if reason:
            raise BadOutput(f"no window: {reason}. Write to a file instead, or run it where there is a display.")
        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        self._sized = False

    def show(self, image: np.ndarray) -> bool:
        """Show an image, (H, W, 3) uint8 BGR. Returns False after the user closes the window or presses q or Esc."""
        import cv2

        if not self._sized:
            cv2.resizeWindow(self._title, image.shape[1], image.shape[0])
            self._sized = True
        cv2.imshow(self._title, image)
        key = cv2.waitKey(1) & 0xFF
        return key not in (ord("q"), _ESCAPE) and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1

    def __enter__(self) -> LiveWindow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import cv2

        cv2.destroyWindow(self._title)
