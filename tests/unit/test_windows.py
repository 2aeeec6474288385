"""Windows: their grids, the samples they hold, and which of them are inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core.windows import (
    cut_interp,
    cut_nearest,
    interp_grid,
    nearest_grid,
    nearest_samples,
    window_length,
)

TIME = np.arange(2000) / 20


@pytest.mark.parametrize(
    ("bounds", "frequency", "length"),
    [((-2, 4), 20.0, 120), ((-2.03, 4), 20.0, 121), ((-8, 8), 20.0, 320), ((0, 1), 29.97, 30)],
)
def test_a_window_holds_its_rounded_duration_in_samples(bounds, frequency, length):
    assert window_length(bounds, frequency) == length
    assert nearest_grid(bounds, frequency).size == length
    assert interp_grid(bounds, frequency).size == length


@pytest.mark.parametrize(("low", "start"), [(-2.03, -41), (-2.02, -40), (0.52, 10), (0.53, 11)])
def test_the_nearest_grid_starts_at_the_rounded_low_bound(low, start):
    assert nearest_grid((low, 4), 20.0)[0] == start
    assert (np.diff(nearest_grid((low, 4), 20.0)) == 1).all()


def test_the_interp_grid_starts_at_the_low_bound_itself():
    np.testing.assert_allclose(interp_grid((-2.03, 4), 20.0)[[0, 1, -1]], [-2.03, -1.98, 3.97])


@pytest.mark.parametrize(
    ("instant", "sample"),
    [
        (12.0, 240),
        (12.025, 240),
        (30.075, 601),
        (10.026, 201),
        (10.024, 200),
        (0.025, 0),
        (99.925, 1998),
        (99.95, 1999),
    ],
)
def test_an_instant_snaps_to_the_nearest_sample_and_a_tie_to_the_earlier(instant, sample):
    assert nearest_samples(np.array([instant]), TIME, 20.0).tolist() == [sample]


@pytest.mark.parametrize("frequency", [20.0, 30.0, 101.7])
def test_rounding_of_seconds_does_not_push_a_tie_to_the_later_sample(frequency):
    time, earlier = np.arange(3000) / frequency, np.arange(2999)
    ties = np.round((earlier + 0.5) / frequency, 9)
    assert np.array_equal(nearest_samples(ties, time, frequency), earlier)


@pytest.mark.parametrize(("instant", "sample"), [(-1.0, -20), (-0.06, -1), (101.0, 2020)])
def test_an_instant_outside_gets_a_sample_outside(instant, sample):
    assert nearest_samples(np.array([instant]), TIME, 20.0).tolist() == [sample]


def test_snapping_follows_the_recording_s_clock_where_it_drifts():
    time = np.cumsum(np.linspace(0.04, 0.06, 500))
    assert nearest_samples(time + 0.01, time, 20.0).tolist() == list(range(500))


def test_the_first_and_the_last_step_count_with_their_own_length():
    time = np.array([0.0, 0.04, 0.1, 0.15, 0.21])
    instants = np.array([0.019, 0.021, 0.179, 0.181])
    assert nearest_samples(instants, time, 19.0).tolist() == [0, 1, 3, 4]


def test_outside_sampling_goes_on_at_the_rate_whatever_the_step_at_that_end():
    time = TIME.copy()
    time[1] -= 0.02
    time[-2] += 0.02
    outside = np.array([time[0] - 1, time[-1] + 1])
    assert nearest_samples(outside, time, 20.0).tolist() == [-20, 2019]


def test_a_clock_may_start_anywhere():
    assert nearest_samples(np.array([1000.5]), 1000 + TIME, 20.0).tolist() == [10]


@given(
    instants=st.lists(st.floats(0, 99.95), min_size=1, max_size=20),
    jitter=st.floats(0, 0.02),
)
def test_no_other_sample_is_nearer_than_the_one_snapped_to(instants, jitter):
    time = TIME + jitter * np.sin(7 * np.arange(TIME.size))
    instants = np.clip(instants, time[0], time[-1])
    snapped = np.abs(time[nearest_samples(instants, time, 20.0)] - instants)
    nearest = np.abs(time - instants[:, np.newaxis]).min(axis=1)
    assert (snapped <= nearest + 1e-6 / 20).all()


@given(
    centres=st.lists(st.integers(-30, 130), min_size=1, max_size=10),
    start=st.integers(-20, 20),
    length=st.integers(1, 40),
)
def test_whole_windows_hold_the_trace_s_samples_and_others_are_outside(centres, start, length):
    trace = np.random.default_rng(0).standard_normal(100)
    grid = start + np.arange(length)
    values, inside = cut_nearest(trace, np.array(centres), grid)
    expected = [c + grid for c in centres if c + grid[0] >= 0 and c + grid[-1] < 100]
    assert inside.sum() == len(expected)
    assert values.shape == (len(expected), length)
    assert np.array_equal(values, trace[np.array(expected, dtype=int).reshape(-1, length)])


def test_a_window_longer_than_the_trace_is_outside():
    values, inside = cut_nearest(np.arange(10.0), np.array([5]), np.arange(-10, 10))
    assert inside.tolist() == [False]
    assert values.shape == (0, 20)


def test_interpolated_windows_lie_on_the_line_between_samples():
    trace = np.array([0.0, 10.0, 0.0, 20.0])
    time = np.array([0.0, 1.0, 2.0, 3.0])
    values, inside = cut_interp(trace, time, np.array([1.25]), np.array([-1.0, 0.0, 1.0]), 1.0)
    np.testing.assert_allclose(values, [[2.5, 7.5, 5.0]])
    assert inside.all()


def test_interpolation_does_not_reach_beyond_the_ends():
    trace, time = np.arange(4.0), np.arange(4.0)
    centres = np.array([0.9, 1.0, 2.0, 2.1])
    values, inside = cut_interp(trace, time, centres, np.array([-1.0, 0.0, 1.0]), 1.0)
    assert inside.tolist() == [False, True, True, False]
    np.testing.assert_allclose(values, [[0, 1, 2], [1, 2, 3]])


def test_a_rounding_error_beyond_the_ends_is_not_yet_outside():
    trace, time = np.arange(4.0), np.arange(4.0) / 20
    off = np.array([1e-7, 1e-5]) / 20  # in samples
    centres = np.concatenate([time[0] - off, time[-1] + off])
    _, inside = cut_interp(trace, time, centres, np.array([0.0]), 20.0)
    assert inside.tolist() == [True, False, True, False]


def test_interpolation_of_a_cubic_converges_with_the_square_of_the_interval():
    worst = []
    for frequency in (20.0, 40.0):
        time = np.arange(round(20 * frequency)) / frequency
        grid = interp_grid((-2, 2), frequency)
        values, _ = cut_interp(np.sin(time), time, np.array([10.0123]), grid, frequency)
        worst.append(np.abs(values[0] - np.sin(10.0123 + grid)).max())
    assert worst[0] < 0.05**2 / 8  # h² / 8 · max |f''|
    assert worst[1] < 0.025**2 / 8
