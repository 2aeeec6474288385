"""What counts as constant, and what as varying however little."""

import numpy as np
import pytest

from phopro_core.variation import varies


@pytest.mark.parametrize("level", [0.0, 70.0, -70.0, 1e6])
def test_a_constant_does_not_vary(level):
    assert not varies(np.full(50, level))


@pytest.mark.parametrize("gain", [1.0, -(2.0**20), 2.0**-40])
def test_what_rounding_makes_of_a_constant_does_not_vary(gain):
    rounded = gain * np.array([0.3, 0.1 + 0.2, 0.3])
    assert np.ptp(rounded) > 0
    assert not varies(rounded)


@pytest.mark.parametrize("level", [0.0, 1.0, -400.0])
def test_a_trace_varies_however_little(level):
    assert varies(level + 1e-6 * np.arange(50))


@pytest.mark.parametrize("gain", [1e-12, 1e12])
def test_the_gain_does_not_matter(gain):
    assert varies(gain * np.array([1.0, 1.001]))


def test_each_trace_is_judged_by_itself():
    # By the largest value of all, the faint one would be constant.
    faint, constant, strong = [1e-9, 2e-9, 1e-9], [5.0, 5.0, 5.0], [1e3, 2e3, 1e3]
    assert varies(np.array([faint, constant, strong])).tolist() == [True, False, True]
