"""Numbers over steps."""

import numpy as np

from training.runs.progress import History


def test_values_come_back_at_their_steps():
    history = History()
    for step in range(1, 5):
        history.add(step, {"a": step * 2.0} | ({"b": 7.0} if step == 3 else {}))
    curves = history.curves()
    np.testing.assert_array_equal(curves["a"], [[1, 2, 3, 4], [2, 4, 6, 8]])
    np.testing.assert_array_equal(curves["b"], [[3], [7]])


def test_long_runs_are_averaged_over_equal_stretches():
    history = History()
    for step in range(1, 2001):
        history.add(step, {"a": float(step)} | ({"b": 1.0} if step % 2 else {}))
    steps, values = history.curves()["a"]
    assert len(steps) == 500
    np.testing.assert_allclose(steps, values)
    assert (steps[0], steps[-1]) == (2.5, 1998.5)
    assert (history.curves()["b"][1] == 1).all()  # missing steps do not count as zero


def test_nothing_yet():
    assert History().curves() == {}


def test_state_goes_on():
    first = History()
    first.add(1, {"a": 1.0})
    second = History()
    second.load_state_dict(first.state_dict())
    first.add(2, {"a": 2.0, "b": 5.0})  # does not reach the copy
    second.add(2, {"c": 3.0})
    assert set(second.curves()) == {"a", "c"}
    np.testing.assert_array_equal(second.curves()["a"], [[1], [1]])
    np.testing.assert_array_equal(second.curves()["c"], [[2], [3]])
