"""How long a person may be away: the one place that says whether a track goes on, and when a person is forgotten."""

from __future__ import annotations

LONGEST_GAP_S = 0.5
"""A person away for up to this long is bridged by interpolation; after more, window and filters start over."""
FORGET_AFTER_S = 1.0
"""A person away for longer than this comes back as a new one."""
_SLACK_S = 1e-6
"""Times from division are not exact."""


def goes_on(away_s: float) -> bool:
    """Whether a track goes on with a person who was last seen so long ago, and later than that."""
    return 0 < away_s <= LONGEST_GAP_S + _SLACK_S


def is_forgotten(away_s: float, forget_after_s: float = FORGET_AFTER_S) -> bool:
    """Whether a person who was last seen so long ago comes back as a new one, if at all."""
    return away_s > forget_after_s + _SLACK_S
