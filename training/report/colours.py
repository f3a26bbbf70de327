"""The report's colours: each means one thing everywhere, and the pairs differ in lightness as well as in hue."""

from __future__ import annotations

from typing import NamedTuple


class LimbColours(NamedTuple):
    """A figure's colours: the right limbs are darker, so that a mirrored pose shows."""

    left: str
    middle: str
    right: str


BEFORE = LimbColours("#f0a07c", "#d9652f", "#8f3710")
AFTER = LimbColours("#6fb1e8", "#1f6fb2", "#0b3a66")
SOURCE = LimbColours("#e0b54a", "#b07d00", "#6b4b00")
GENERATED = LimbColours("#b99be6", "#7b4ab5", "#43206f")
TARGET = LimbColours("#5cc3a6", "#0b8a68", "#04513c")
DETECTED = LimbColours("#7dffcf", "#ffffff", "#ffd166")
"""2D joints over a picture."""

INK, FAINT_INK, RULE, PAPER = "#1c2430", "#5b6675", "#dfe3e8", "#ffffff"
SERIES = ("#1f6fb2", "#d9652f", "#0b8a68", "#7b4ab5", "#b07d00", "#c2347f", "#4d5661")
"""For curves without a meaning of their own."""
