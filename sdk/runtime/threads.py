"""How many CPU threads this process may use: one number for ONNX Runtime, OpenCV, FFmpeg and OpenMP."""

from __future__ import annotations

import os

_limit = 0


def limit_threads(threads: int) -> None:
    """Limit this process, before models and videos are opened: a worker beside others takes no more than its share.

    Args:
        threads: 1 or more; 0 for no limit: each library decides.
    """
    global _limit
    _limit = threads
    if threads:
        # OpenMP (torch) and OpenBLAS (numpy) read these when they are loaded.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(threads)
        import cv2

        cv2.setNumThreads(threads)


def thread_limit() -> int:
    """The limit; 0 if there is none."""
    return _limit
