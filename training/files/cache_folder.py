"""Where downloads and extracted keypoints are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from sdk.files.downloads import CACHE_VARIABLE


def default_cache_folder() -> Path:
    """`$ADAPTPOSE_CACHE`, or the user's cache folder of the operating system."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("adaptpose")) / "keypoints"
