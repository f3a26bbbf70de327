"""How a reader says that a file is of another format, rather than damaged."""

from __future__ import annotations

from sdk.errors import BadKeypoints


class NotThisFormat(BadKeypoints):
    """The content is of another format; other readers may know it."""
