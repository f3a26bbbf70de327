"""Reliability: a lifter that knows how sure it can be lies on the diagonal, others above or below."""

import numpy as np
import pytest

from benchmarks.reliability import LEVELS, shares


@pytest.mark.parametrize("factor", [0.5, 1, 2])
def test_normal_errors(factor):
    random = np.random.default_rng(0)
    deviations = random.uniform(0.01, 0.2, (4000, 15, 3))
    errors = random.normal(size=deviations.shape) * deviations
    said = shares(errors, deviations * factor)
    if factor == 1:
        np.testing.assert_allclose(said, LEVELS, atol=0.01)
    else:
        assert (np.sign(np.subtract(said, LEVELS)) == np.sign(factor - 1)).all()
