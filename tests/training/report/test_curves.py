"""Curves: long ones are averaged, and nothing is invented."""

import numpy as np
import pytest

from tests.training.report.examples import Page
from training.report import LossCurve
from training.report.curves import curves_section, thin
from training.report.page import Figures

STEPS = np.arange(10_000) * 3.0


def section(*curves):
    return curves_section(curves, Figures()).html


def test_short_curves_stay_as_they_are():
    steps, values = thin(STEPS[:5], np.array([1, np.nan, 3, 4, 5]), 400)
    np.testing.assert_array_equal(steps, STEPS[:5])
    np.testing.assert_array_equal(values, [1, np.nan, 3, 4, 5])


def test_a_line_stays_a_line_and_the_mean_stays():
    steps, values = thin(STEPS, 2 * STEPS + 1, 400)
    assert len(steps) == 400
    np.testing.assert_allclose(values, 2 * steps + 1)
    np.testing.assert_allclose(values.mean(), (2 * STEPS + 1).mean())


def test_averages_by_hand():
    steps, values = thin(np.arange(6.0), np.array([1.0, 3, np.nan, 8, np.nan, np.nan]), 3)
    np.testing.assert_array_equal(steps, [0.5, 2.5, 4.5])
    np.testing.assert_array_equal(values, [2, 8, np.nan])


@pytest.mark.parametrize(
    ("values", "log"),
    [((1, 0.001), True), ((1, 0.5), False), ((1, -0.001), False), ((1, 0), False)],
    ids=["wide", "narrow", "negative", "zero"],
)
def test_logarithmic_only_where_it_helps_and_can_be(values, log):
    html = section(LossCurve("loss", "generator", np.arange(2), np.array(values, float)))
    assert ("(logarithmic)" in html) == log
    assert ('"type":"log"' in html) == log


def test_groups_without_curves_have_no_plot():
    html = section(
        LossCurve("a", "lifter", np.arange(2), np.ones(2)),
        LossCurve("b", "lifter", np.arange(2), np.ones(2)),
        LossCurve("c", "feedback", np.arange(0), np.ones(0)),
    )
    assert html.count('class="card"') == 1
    assert "<h3>Lifter</h3>" in html


def test_a_curve_of_gaps_only_is_drawn_empty():
    Page(section(LossCurve("gone", "lifter", np.arange(3), np.full(3, np.nan))))
