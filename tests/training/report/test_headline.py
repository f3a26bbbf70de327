"""Numbers and the direction of change."""

import math

import pytest

from sdk.pages.page import MINUS, NONE, number
from training.report import MetricRow
from training.report.summary import headline_section


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (57.31, "57.3"),
        (1234.5, "1,234"),
        (-2.345, f"{MINUS}2.35"),
        (0.51234, "0.512"),
        (0.00123456, "0.00123"),
        (0.0, "0.000"),
        (None, NONE),
        (math.nan, NONE),
        (math.inf, NONE),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_numbers_side_by_side_have_equal_decimals():
    assert (number(9.876, like=[12.3]), number(12.3, like=[9.876, None])) == ("9.9", "12.3")


@pytest.mark.parametrize(
    ("before", "after", "better", "expected"),
    [
        (50.0, 40.0, "lower", "better"),
        (50.0, 60.0, "lower", "worse"),
        (50.0, 60.0, "higher", "better"),
        (50.0, 40.0, "higher", "worse"),
    ],
)
def test_which_way_is_better(before, after, better, expected):
    html = headline_section([MetricRow("error", "mm", before, after, better=better)]).html
    assert {word for word in ("better", "worse") if f"<small>{word}</small>" in html} == {expected}


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [(50.0, 50.0, "lower"), (50.0, 50.001, "lower"), (None, 3.0, "lower"), (5.0, 4.0, "")],
)
def test_no_judgement_without_a_difference_that_shows(before, after, better):
    html = headline_section([MetricRow("error", "mm", before, after, better=better)]).html
    assert "<small>" not in html


def test_change_in_per_cent_is_of_the_value_before():
    html = headline_section([MetricRow("error", "mm", 80.0, 60.0)]).html
    assert f"{MINUS}20.0 mm" in html
    assert f"{MINUS}25.0 %" in html


def test_change_of_a_percentage_is_in_points():
    html = headline_section([MetricRow("symmetry", "%", 8.0, 6.0)]).html
    assert f"{MINUS}2.00 points" in html
    assert "25" not in html
