"""Fewer samples, with known means and known sines."""

import numpy as np
import pytest

from phopro_core.downsampling import downsample


def test_blocks_are_averaged_and_an_incomplete_one_left_out():
    traces = np.array([[1.0, 3, 5, 7, 9], [0, 0, 3, 3, 9]])
    kept, time = downsample(traces, np.array([0.0, 1, 2, 3, 4]), 2)
    assert kept.tolist() == [[2, 6], [0, 3]]
    assert time.tolist() == [0.5, 2.5]


@pytest.mark.parametrize("method", ["mean", "resample"])
def test_a_factor_of_one_changes_nothing(method):
    trace, time = np.arange(5.0), np.arange(5.0) / 20
    kept, kept_time = downsample(trace, time, 1, method)
    assert np.array_equal(kept, trace)
    assert np.array_equal(kept_time, time)


@pytest.mark.parametrize("method", ["mean", "resample"])
def test_a_slow_sine_keeps_its_values_at_its_times(method):
    time = np.arange(4000) / 200
    kept, kept_time = downsample(np.sin(2 * np.pi * 0.5 * time), time, 10, method)
    assert kept.size == kept_time.size == 400
    np.testing.assert_allclose(kept[5:-5], np.sin(2 * np.pi * 0.5 * kept_time)[5:-5], atol=5e-3)


def test_resampling_lets_nothing_alias():
    time = np.arange(4000) / 200
    fast = np.sin(2 * np.pi * 18 * time)  # would appear at 2 Hz of 20
    resampled, _ = downsample(fast, time, 10, "resample")
    assert np.abs(resampled[20:-20]).max() < 0.01
    assert np.abs(fast[::10]).max() > 0.9


@pytest.mark.parametrize("n_samples", [40, 41, 49])
def test_resampling_keeps_every_so_manieth_time(n_samples):
    time = np.arange(n_samples) / 20
    kept, kept_time = downsample(np.full((2, n_samples), 7.0), time, 10, "resample")
    assert np.array_equal(kept_time, time[::10])
    np.testing.assert_allclose(kept, np.full((2, kept_time.size), 7.0))


def test_a_line_is_resampled_to_its_ends_without_a_jump_to_zero():
    time = np.arange(1000) / 20
    kept, kept_time = downsample(500 - 2 * time, time, 10, "resample")
    np.testing.assert_allclose(kept, 500 - 2 * kept_time, rtol=1e-3)


@pytest.mark.parametrize("factor", [0, -2, 2.5])
def test_a_factor_that_is_not_a_whole_number_is_refused(factor):
    with pytest.raises(ValueError, match=f"downsample is {factor}, but must be a whole number"):
        downsample(np.arange(5.0), np.arange(5.0), factor)


def test_an_unknown_method_is_refused_with_those_allowed():
    with pytest.raises(ValueError, match="'median', but must be one of mean, resample"):
        downsample(np.arange(5.0), np.arange(5.0), 2, "median")


@pytest.mark.parametrize("method", ["mean", "resample"])
def test_a_single_sample_may_be_left(method):
    kept, time = downsample(np.ones(5), np.arange(5.0), 5, method)
    np.testing.assert_allclose(kept, [1])
    assert time.tolist() == [2.0 if method == "mean" else 0.0]


def test_a_factor_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="downsample is 6, which leaves nothing of 5 samples"):
        downsample(np.ones(5), np.arange(5.0), 6)
