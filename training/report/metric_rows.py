"""The numbers of the report before and after: of the target, of earlier targets, and of held-out motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from training.report.content import MetricRow

Errors = Mapping[str, list[dict[str, float]]]
"""Errors on held-out motion by its name: before and after adaptation."""


def metric_rows(source_mm: Errors, consistency: Mapping[str, Mapping[str, float]]) -> tuple[MetricRow, ...]:
    """The table of a run.

    Args:
        source_mm: Errors on held-out motion by its name, before and after.
        consistency: Self-consistency on the target, `before` and `after`.
    """
    before, after = consistency["before"], consistency["after"]
    expected = before.get("expected_error_mm"), after.get("expected_error_mm")
    rows = [
        MetricRow(
            "Target: distance of the 3D pose from its 2D",
            "%",
            before["reprojection"],
            after["reprojection"],
            "Scaled to fit; perspective alone makes a few percent.",
        ),
        MetricRow(
            "Target: cycle consistency",
            "mm",
            before["cycle_consistency_mm"],
            after["cycle_consistency_mm"],
            "Lifted, rotated, projected and lifted again: how far both poses are apart.",
        ),
        MetricRow(
            "Target: change of bone lengths over a track",
            "%",
            before["length_variation"],
            after["length_variation"],
            "It may rise while the error falls, so it has no say in the choice.",
            better="",
        ),
        MetricRow(
            "Target: difference of left and right bones",
            "%",
            before["asymmetry"],
            after["asymmetry"],
            "It may rise while the error falls, so it has no say in the choice.",
            better="",
        ),
    ]
    if before.get("off_told_mm") is not None:
        rows.insert(
            0,
            MetricRow(
                "Target: distance from the poses that several cameras tell",
                "mm",
                before["off_told_mm"],
                after["off_told_mm"],
                "On tracks that it does not learn from, where ten or more allow it. It is nearly the error, and the "
                "checkpoint was chosen by it.",
            ),
        )
    if None not in expected:
        rows.insert(
            0,
            MetricRow(
                "Target: error that the lifter expects of itself",
                "mm",
                *expected,
                "Its own estimate, without a label. Of the one person it was checked on, it was 3% too high before "
                "adaptation and 15% too low after it.",
            ),
        )
    return (*rows, *(row for name, errors in source_mm.items() for row in _held_out_rows(name, *errors)))


def earlier_rows(names: str, numbers: Mapping[str, Mapping[str, float]]) -> Iterator[MetricRow]:
    """What became of the targets that the run's start was adapted to.

    Args:
        names: Of these targets, in words.
        numbers: Their self-consistency, `before` and `after`.
    """
    for key, name, unit in (
        ("reprojection", "distance of the 3D pose from its 2D", "%"),
        ("length_variation", "change of bone lengths over a track", "%"),
        ("asymmetry", "difference of left and right bones", "%"),
        ("cycle_consistency_mm", "cycle consistency", "mm"),
    ):
        yield MetricRow(
            f"Earlier targets: {name}",
            unit,
            numbers["before"][key],
            numbers["after"][key],
            f"On {names}, replayed in this run. Before is the lifter that they were adapted to.",
        )


def _held_out_rows(name: str, before_mm: dict[str, float], after_mm: dict[str, float]) -> tuple[MetricRow, ...]:
    mpjpe, aligned = "validation/mpjpe_mm", "validation/pa_mpjpe_mm"
    return (
        MetricRow(
            f"Held-out {name}: MPJPE",
            "mm",
            before_mm[mpjpe],
            after_mm[mpjpe],
            "What the lifter must not forget; this is not the target's error.",
        ),
        MetricRow(
            f"Held-out {name}: PA-MPJPE",
            "mm",
            before_mm[aligned],
            after_mm[aligned],
            "The same after rigid alignment of each pose.",
        ),
    )
