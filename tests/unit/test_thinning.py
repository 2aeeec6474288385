"""What is left of a trace that is thinned to a picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core.thinning import thin


@pytest.mark.parametrize("n_samples", [1, 10, 20])
def test_a_trace_with_few_samples_stays_whole(n_samples):
    time, trace = np.arange(n_samples), np.zeros(n_samples)
    kept_time, kept = thin(time, trace, 10)
    assert np.array_equal(kept_time, time)
    assert np.array_equal(kept, trace)


def test_a_peak_of_a_single_sample_is_not_lost():
    trace = np.zeros(1_000_000)
    trace[[123_457, 777_777]] = 5, -3
    time, kept = thin(np.arange(trace.size), trace, 100)
    assert time.size <= 202
    assert time[kept.argmax()] == 123_457
    assert time[kept.argmin()] == 777_777
    assert (kept.max(), kept.min()) == (5, -3)


@given(n_samples=st.integers(1, 300), n_columns=st.integers(1, 40), seed=st.integers(0, 1000))
def test_what_is_kept_are_samples_in_their_order_with_every_column_s_extremes(
    n_samples, n_columns, seed
):
    trace = np.random.default_rng(seed).integers(-9, 10, n_samples)
    time, kept = thin(np.arange(trace.size), trace, n_columns)
    assert np.array_equal(kept, trace[time])
    assert (np.diff(time) > 0).all()
    assert time[0] == 0
    assert time[-1] == trace.size - 1
    assert time.size <= 2 * n_columns + 2
    if trace.size > 2 * n_columns:
        width = -(-trace.size // n_columns)
        for start in range(0, trace.size, width):
            column = kept[(time >= start) & (time < start + width)]
            assert column.max() == trace[start : start + width].max()
            assert column.min() == trace[start : start + width].min()


def test_a_gap_stays_a_gap_and_hides_no_peak_beside_it():
    # It begins and ends within columns, of 10 samples each, that hold a peak and a trough too.
    trace = np.zeros(1000)
    trace[303:497] = np.nan
    trace[[301, 302, 497, 498]] = 1, -1, 1, -1
    time, kept = thin(np.arange(1000), trace, 100)
    assert {301, 302, 497, 498} <= set(time)
    assert np.isnan(kept[(time >= 303) & (time < 497)]).all()
    assert np.isnan(kept).sum() == 18
