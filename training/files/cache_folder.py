"""The folder for downloads and extracted keypoints."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from sdk.files.downloads import CACHE_VARIABLE


def default_cache_folder() -> Path:
    """`$ADAPTPOSE_CACHE`; if it is not set, the operating system's cache folder for the user."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("adaptpose")) / "keypoints"
