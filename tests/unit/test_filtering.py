"""The low-pass against the closed form of Butterworth's gain."""

import numpy as np
import pytest

from phopro_core.filtering import lowpass

FREQUENCY = 40.0
TIME = np.arange(4000) / FREQUENCY
MIDDLE = slice(1000, 3000)  # where the ends have no part in the result


def squared_gain(f: float, cutoff: float, order: int) -> float:
    """Of the bilinear Butterworth low-pass; its gain when run forward and backward."""
    warped = np.tan(np.pi * f / FREQUENCY) / np.tan(np.pi * cutoff / FREQUENCY)
    return 1 / (1 + warped ** (2 * order))


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("f", [0.2, 1.0, 2.5, 3.0, 4.0, 10.0])
def test_a_sine_is_scaled_by_the_squared_gain_and_not_shifted(f, order):
    sine = np.sin(2 * np.pi * f * TIME)
    filtered = lowpass(sine, FREQUENCY, 3.0, order)
    np.testing.assert_allclose(
        filtered[MIDDLE], squared_gain(f, 3.0, order) * sine[MIDDLE], atol=1e-9
    )


def test_a_slow_sine_is_left_and_a_fast_one_is_gone_after_the_default_order():
    slow, fast = np.sin(2 * np.pi * 0.1 * TIME), np.sin(2 * np.pi * 12 * TIME)
    filtered = lowpass(slow + fast, FREQUENCY, 3.0)
    np.testing.assert_allclose(filtered[MIDDLE], slow[MIDDLE], atol=1e-4)


def test_half_of_a_sine_at_the_cutoff_is_left():
    sine = np.sin(2 * np.pi * 3 * TIME)
    np.testing.assert_allclose(lowpass(sine, FREQUENCY, 3.0)[MIDDLE], sine[MIDDLE] / 2, atol=1e-9)


def test_a_peak_stays_at_its_place_and_symmetric():
    peak = np.exp(-0.5 * ((TIME - 50) / 0.1) ** 2)
    filtered = lowpass(peak, FREQUENCY, 3.0)
    assert filtered.argmax() == 2000
    np.testing.assert_allclose(filtered[1900:2000], filtered[2100:2000:-1], atol=1e-9)


def test_a_constant_stays_what_it_is_up_to_the_ends():
    np.testing.assert_allclose(lowpass(np.full(100, 7.0), FREQUENCY, 3.0), 7.0)


def test_a_straight_line_is_not_bent_at_its_ends():
    line = 100 - 2.0 * TIME
    # Even or constant padding would be off by some 0.1 here.
    np.testing.assert_allclose(lowpass(line, FREQUENCY, 3.0), line, atol=0.01)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_the_ends_are_held_by_odd_reflection(order):
    scipy_signal = pytest.importorskip("scipy.signal")
    trace = np.random.default_rng(0).standard_normal(500).cumsum()
    b, a = scipy_signal.butter(order, 3.0, fs=FREQUENCY)
    by_polynomials = scipy_signal.filtfilt(b, a, trace, padtype="odd", padlen=3 * (order + 1))
    np.testing.assert_allclose(lowpass(trace, FREQUENCY, 3.0, order), by_polynomials, atol=1e-6)


def test_no_cutoff_means_no_filter():
    trace = np.random.default_rng(0).standard_normal(100)
    assert np.array_equal(lowpass(trace, FREQUENCY, None), trace)


def test_traces_filtered_together_are_those_filtered_alone():
    traces = np.random.default_rng(0).standard_normal((2, 500))
    together = lowpass(traces, FREQUENCY, 3.0)
    for trace, filtered in zip(traces, together, strict=True):
        np.testing.assert_allclose(filtered, lowpass(trace, FREQUENCY, 3.0))


def test_the_trace_itself_is_not_changed():
    trace = np.random.default_rng(0).standard_normal(500)
    before = trace.copy()
    lowpass(trace, FREQUENCY, 3.0)
    assert np.array_equal(trace, before)


def test_a_low_cutoff_at_a_high_rate_is_stable():
    # The polynomial form of this filter blows up; second-order sections don't.
    trace = np.ones(50_000)
    np.testing.assert_allclose(lowpass(trace, 1000.0, 0.5, order=8), 1.0, rtol=1e-6)


@pytest.mark.parametrize("cutoff", [20.0, 25.0, 0.0, -1.0])
def test_a_cutoff_that_the_rate_can_not_hold_is_refused_with_the_range(cutoff):
    with pytest.raises(ValueError, match=rf"is {cutoff:g} Hz.*between 0 and 20 Hz.*rate of 40 Hz"):
        lowpass(TIME, FREQUENCY, cutoff)


@pytest.mark.parametrize("order", [0, -1, 2.5])
def test_an_order_that_is_not_a_whole_number_is_refused(order):
    with pytest.raises(ValueError, match=f"order is {order}, but must be a whole number"):
        lowpass(TIME, FREQUENCY, 3.0, order)


def test_a_trace_too_short_for_the_filter_is_refused_with_what_it_needs():
    trace = np.arange(16.0)
    assert lowpass(trace, FREQUENCY, 3.0).size == 16
    with pytest.raises(ValueError, match=r"15 samples are too few.*order 4.*more than 15"):
        lowpass(trace[:15], FREQUENCY, 3.0)


def test_pieces_between_gaps_are_filtered_each_on_its_own():
    rng = np.random.default_rng(0)
    traces = rng.standard_normal((2, 500))
    long_pieces, too_short = [slice(0, 200), slice(220, 500)], slice(203, 218)
    gappy, expected = np.full_like(traces, np.nan), np.full_like(traces, np.nan)
    gappy[:, too_short] = traces[:, too_short]
    for piece in long_pieces:
        gappy[:, piece] = traces[:, piece]
        expected[:, piece] = lowpass(traces[:, piece], FREQUENCY, 3.0)
    gappy[1, 200:203] = traces[1, 200:203]  # what is missing in one trace is missing in all
    filtered = lowpass(gappy, FREQUENCY, 3.0)
    np.testing.assert_array_equal(filtered, expected)


def test_pieces_all_too_short_for_the_filter_are_refused():
    gappy = np.ones(100)
    gappy[::16] = np.nan
    with pytest.raises(ValueError, match=r"15 samples are too few"):
        lowpass(gappy, FREQUENCY, 3.0)
