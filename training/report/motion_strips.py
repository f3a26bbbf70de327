"""Generated motions beside the source they come from (AdaptPose, figure 5)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from sdk.pages.page import MINUS, Section, card, grid, key, missing
from training.report.content import MotionPair
from training.report.pose_drawing import FAINT_INK, GENERATED, SOURCE, View, panel_frame, pose_strip
from training.report.viewpoints import body_viewpoint

MOMENTS = 6
"""Number of poses drawn of a motion, from its first frame to its last."""


def motions_section(motions: Sequence[MotionPair]) -> Section:
    """Rows of poses: source above generated, from the front and from the side, all at one scale."""
    how = (
        "What the lifter learned from, below the source motion that it was made of: in another camera and, as the "
        "recipe has it, with other bones. Time runs from left to right. Generated motion should be smooth and human, "
        "and seen as the target is seen."
    )
    if not motions:
        return Section(
            "motions", "Generated motions", how, [missing("No generated motions were recorded in this run.")]
        )
    frame_m = panel_frame([moments - moments[:, :1] for pair in motions for moments in _moments(pair)])
    legend = key([(SOURCE.middle, "source"), (GENERATED.middle, "generated from it")])
    cards = [_card(pair, frame_m) for pair in motions]
    return Section("motions", "Generated motions", how, [legend, grid(cards, 1)])


def _moments(pair: MotionPair) -> tuple[np.ndarray, np.ndarray]:
    chosen = _chosen(pair)
    return pair.source_m[chosen], pair.generated_m[chosen]


def _chosen(pair: MotionPair) -> np.ndarray:
    frames = len(pair.source_m)
    return np.linspace(0, frames - 1, min(frames, MOMENTS)).round().astype(int)


def _card(pair: MotionPair, frame_m: tuple[float, float, float]) -> str:
    views = "".join(_view(pair, view, frame_m) for view in ("front", "side"))
    title = f"{pair.name} · {(len(pair.source_m) - 1) / pair.frame_rate_hz:.2f} s"
    return card(
        title,
        f'<div class="grid columns2">{views}</div>',
        f"Source: {_seen(pair.source_m)}. Generated: {_seen(pair.generated_m)}.",
    )


def _view(pair: MotionPair, view: View, frame_m: tuple[float, float, float]) -> str:
    source, generated = _moments(pair)
    across, above, below = (100 * length for length in frame_m)
    row, width = above + below, 2 * across * len(source)
    times = "".join(
        f'<text x="{2 * across * at:.0f}" y="{2 * row - above + 24:.0f}">{frame / pair.frame_rate_hz:.2f} s</text>'
        for at, frame in enumerate(_chosen(pair))
    )
    what = "as the camera sees it" if view == "front" else "from the camera's right"
    return (
        f'<div class="strip"><svg viewBox="{-across:.0f} {-above:.0f} {width:.0f} {2 * row + 34:.0f}" role="img" '
        f'aria-label="Source above generated motion, {escape(what)}" font-size="24" text-anchor="middle" '
        f'fill="{FAINT_INK}">'
        f'{pose_strip(source, SOURCE, view, frame_m)}<g transform="translate(0 {row:.0f})">'
        f'{pose_strip(generated, GENERATED, view, frame_m)}</g>{times}</svg><p class="note">{escape(what)}</p></div>'
    )


def _seen(motion_m: np.ndarray) -> str:
    azimuth, elevation, roll = np.rad2deg(body_viewpoint(motion_m[len(motion_m) // 2][None]))[0]
    return f"azimuth {azimuth:.0f}°, elevation {elevation:.0f}°, roll {roll:.0f}°".replace("-", MINUS)
