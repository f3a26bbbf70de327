"""How much of a person's future a lifter waits for: frames, or a word for a common choice."""

from __future__ import annotations

import dataclasses

from sdk.errors import BadLookahead
from sdk.lifter_card import LifterCard

BALANCED_S = 0.2
"""Of `balanced`: a viewer hardly notices it, and most of what a whole window gains is there; see docs/lifter.md."""
WORDS = ("live", "balanced", "offline")


def with_lookahead(card: LifterCard, lookahead: int | str, origin: str) -> LifterCard:
    """The card of a lifter that waits for so much.

    Args:
        card: Of the lifter.
        lookahead: Frames at its rate, or `live`, `balanced` or `offline`.
        origin: File that it comes from, for errors.

    Raises:
        BadLookahead: none of these, beyond the window, or less than the lifter was trained for.
    """
    shortest = card.window_reach if card.shortest_lookahead is None else card.shortest_lookahead
    frames = {
        "live": 0,
        "balanced": min(round(BALANCED_S * card.frame_rate_hz), card.window_reach),
        "offline": card.window_reach,
    }.get(lookahead, lookahead) if isinstance(lookahead, str) else lookahead  # fmt: skip
    choices = f"a number of frames from {shortest} to {card.window_reach}, or one of {', '.join(WORDS)}"
    if not isinstance(frames, int) or isinstance(frames, bool) or not 0 <= frames <= card.window_reach:
        raise BadLookahead(f"look-ahead {lookahead!r} is not {choices}.")
    if frames < shortest:
        raise BadLookahead(
            f"{origin} was trained to see at least {shortest} frames ahead, not {frames} (look-ahead {lookahead!r}). "
            "Use 'offline', or a lifter that was trained for any look-ahead: the shipped one, or one adapted from it."
        )
    return dataclasses.replace(card, lookahead=None if frames == card.window_reach else frames)
