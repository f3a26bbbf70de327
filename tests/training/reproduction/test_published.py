"""Others' results: the page shows the list, and ours is filled in by its protocol alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.protocols.known import PROTOCOLS
from training.reproduction.cost import Job
from training.reproduction.experiments import EXPERIMENTS
from training.reproduction.published import NEEDS, PUBLISHED, comparison

PAGE = Path(__file__).parents[3] / "docs" / "reproduce.md"


def test_the_page_has_the_list_and_waits_for_the_data() -> None:
    table = comparison({}, (0, 1, 2))
    assert table in PAGE.read_text(encoding="utf-8")
    assert NEEDS in table


def test_ours_is_beside_those_of_its_protocol_only() -> None:
    errors = {"mpjpe_mm": 70.0, "pa_mpjpe_mm": 50.0}
    found = {Job("3dhp", "paper", seed): {"chosen": {"3dhp-adaptpose": errors}} for seed in (0, 1)}
    rows = [line for line in comparison(found, (0, 1, 2)).splitlines() if "70.0 / 50.0 (2 seeds)" in line]
    assert len(rows) == sum(one.protocol == "3dhp-adaptpose" for one in PUBLISHED)
    assert all("`3dhp-adaptpose`" in row for row in rows)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_page_explains_every_protocol(name: str) -> None:
    assert f"| `{name}` | {PROTOCOLS[name].about}" in PAGE.read_text(encoding="utf-8")


def test_protocols_and_experiments_are_known() -> None:
    for one in PUBLISHED:
        assert one.experiment in EXPERIMENTS
        assert one.protocol in ("", *EXPERIMENTS[one.experiment].protocols)
