"""How long a person may be away. Only this module decides whether a track goes on and when a person is forgotten."""

from __future__ import annotations

LONGEST_GAP_S = 0.5
"""A person who is away for at most this time is bridged by interpolation. After a longer gap, window and filters start
again."""
FORGET_AFTER_S = 1.0
"""A person who is away for longer gets a new number."""
_SLACK_S = 1e-6
"""Tolerance, because times from division are not exact."""


def goes_on(away_s: float) -> bool:
    """Whether a track goes on after the person was away for this time."""
    return 0 < away_s <= LONGEST_GAP_S + _SLACK_S


def is_forgotten(away_s: float, forget_after_s: float = FORGET_AFTER_S) -> bool:
    """Whether a person is forgotten after this time away. If they come back, they get a new number."""
    return away_s > forget_after_s + _SLACK_S
