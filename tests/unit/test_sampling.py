"""The clock: what is taken for even, what is refused, and how it is mended."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core.sampling import check_frequency, check_sampling, resample_evenly, typical_step

TIME = np.arange(2000) / 20


def without(*ranges: tuple[int, int], time: np.ndarray = TIME) -> np.ndarray:
    """A clock whose samples start … stop − 1 were dropped."""
    return np.delete(time, np.concatenate([np.arange(*dropped) for dropped in ranges]))


def ramp(time: np.ndarray) -> np.ndarray:
    """Two traces that are straight lines, so that linear interpolation is exact."""
    return np.stack([100 + 2 * time, 50 - time / 10])


class TestTypicalStep:
    def test_is_that_of_an_even_clock(self):
        assert typical_step(TIME) == pytest.approx(0.05)

    def test_is_not_moved_by_dropped_samples(self):
        assert typical_step(without((100, 103), (500, 900))) == pytest.approx(0.05)

    def test_is_between_the_ticks_of_a_clock_that_counts_in_coarse_units(self):
        in_milliseconds = np.floor(np.arange(7000) / 0.7) / 1000
        assert typical_step(in_milliseconds) == pytest.approx(1 / 700, rel=0.06)

    def test_of_two_samples_is_their_distance(self):
        assert typical_step(np.array([3.0, 5.0])) == 2.0


class TestCheck:
    def test_an_even_and_complete_recording_passes(self, caplog):
        check_sampling(TIME, ramp(TIME))
        assert not caplog.records

    @pytest.mark.parametrize("rate", [15.0, 20.0, 101.7, 300.0, 700.0])
    def test_a_clock_in_whole_milliseconds_passes(self, rate):
        time = np.floor(np.arange(5000) * 1000 / rate) / 1000
        check_sampling(time, ramp(time))

    def test_gaps_are_refused_with_their_number_and_places(self):
        time = without((100, 103), (500, 900))
        message = (
            r"clock has 2 gaps, of 20\.25 s in all: 0\.2 s after 4\.95 s, "
            r"20\.05 s after 24\.95 s\. .*resample_gaps"
        )
        with pytest.raises(ValueError, match=message):
            check_sampling(time, ramp(time))

    def test_a_single_dropped_sample_is_a_gap(self):
        time = without((100, 101))
        with pytest.raises(ValueError, match=r"clock has 1 gaps.*0\.1 s after 4\.95 s"):
            check_sampling(time, ramp(time))

    def test_only_the_first_places_are_listed(self):
        time = without(*((k, k + 1) for k in range(100, 180, 10)))
        with pytest.raises(ValueError, match=r"8 gaps.*0\.1 s after 6\.95 s and 3 more\."):
            check_sampling(time, ramp(time))

    def test_as_many_places_as_a_list_takes_are_all_there_are(self):
        time = without(*((k, k + 1) for k in range(100, 150, 10)))
        with pytest.raises(ValueError, match=r"5 gaps.*0\.1 s after 6\.95 s\. Was"):
            check_sampling(time, ramp(time))

    def test_samples_stamped_in_a_burst_are_refused(self):
        time = TIME.copy()
        time[100] = time[101] - 0.01
        with pytest.raises(ValueError, match=r"1 samples follow sooner.*at 5\.05 s"):
            check_sampling(time, ramp(time))

    def test_missing_samples_are_refused_whichever_trace_lacks_them(self):
        traces = ramp(TIME)
        traces[0, 7], traces[1, 9] = np.nan, np.nan
        with pytest.raises(ValueError, match=r"2 of 2000 samples are missing, at 0\.35 s, 0\.45 s"):
            check_sampling(TIME, traces)

    @pytest.mark.parametrize(("deviation", "said"), [(0.04, False), (0.06, True)])
    def test_jitter_of_more_than_a_twentieth_of_a_step_is_logged(self, deviation, said, caplog):
        steps = 0.05 * (1 + deviation * np.tile([1, -1], 1000))
        check_sampling(steps.cumsum(), ramp(TIME))
        assert ("clock jitters: its steps vary by 6 % of 0.05 s" in caplog.text) == said
        assert bool(caplog.records) == said


class TestFrequency:
    @pytest.mark.parametrize("frequency", [19.81, 20, 20.19])
    def test_a_rate_within_a_hundredth_of_the_measured_one_is_taken(self, frequency):
        check_frequency(without((100, 500)), frequency)

    @pytest.mark.parametrize("frequency", [19.79, 20.21, 0, -20, np.nan])
    def test_any_other_is_refused(self, frequency):
        with pytest.raises(ValueError, match="samples follow one another at 20 Hz"):
            check_frequency(TIME, frequency)


class TestResampling:
    def test_an_even_recording_is_left_as_it_is(self):
        traces = ramp(TIME)
        even = resample_evenly(TIME, traces, 1.0)
        assert even.time is TIME
        assert even.traces is traces
        assert even.frequency == pytest.approx(20)

    def test_short_gaps_are_bridged_in_a_straight_line_and_long_ones_left_open(self):
        time = without((100, 103), (500, 900))
        even = resample_evenly(time, ramp(time), 0.2)
        np.testing.assert_allclose(even.time, TIME, atol=1e-9)
        assert even.frequency == pytest.approx(20)
        np.testing.assert_allclose(even.bridged, [[4.95, 5.15]])
        np.testing.assert_allclose(even.left_open, [[24.95, 45.0]])
        expected = ramp(TIME)
        expected[:, 500:900] = np.nan
        np.testing.assert_allclose(even.traces, expected)

    def test_a_gap_is_measured_from_sample_to_sample(self):
        time = without((100, 103))
        assert len(resample_evenly(time, ramp(time), 0.2).bridged) == 1
        assert len(resample_evenly(time, ramp(time), 0.19).left_open) == 1

    def test_a_missing_value_in_any_trace_is_a_gap_in_all(self):
        traces = ramp(TIME)
        traces[0, 200:203] = np.nan
        traces[1, 700] = np.nan
        even = resample_evenly(TIME, traces, 0.15)
        assert np.flatnonzero(np.isnan(even.traces).any(axis=0)).tolist() == [200, 201, 202]
        assert np.isnan(even.traces).sum() == 6
        np.testing.assert_allclose(even.traces[:, 700], ramp(TIME)[:, 700])

    def test_missing_values_at_the_ends_are_cut_off(self):
        traces = ramp(TIME)
        traces[0, :10] = traces[0, -5:] = np.nan
        even = resample_evenly(TIME, traces, 0.0)
        np.testing.assert_allclose(even.time, TIME[10:-5])

    def test_the_rate_of_the_even_clock_can_be_given(self):
        time = without((100, 103)) * 1.002
        even = resample_evenly(time, ramp(time), 1.0, frequency=20.0)
        assert even.frequency == 20
        np.testing.assert_allclose(even.time, np.arange(even.time.size) / 20, atol=1e-9)
        assert 0 <= time[-1] - even.time[-1] < 0.05
        np.testing.assert_allclose(even.traces, ramp(even.time))

    def test_doing_it_again_changes_nothing(self):
        time = without((100, 103), (500, 900))
        once = resample_evenly(time, ramp(time), 0.2)
        again = resample_evenly(once.time, once.traces, 0.2)
        np.testing.assert_allclose(again.time, once.time)
        np.testing.assert_allclose(again.traces, once.traces)

    @given(
        dropped=st.sets(st.integers(1, 1998), max_size=60),
        jitter=st.floats(0, 0.2),
        origin=st.floats(-1e3, 1e5),
        frequency=st.sampled_from([13.3, 20.0, 40.0, 1017.25]),
    )
    def test_dropped_samples_and_jitter_come_back_onto_the_clock(
        self, dropped, jitter, origin, frequency
    ):
        slots = np.delete(np.arange(2000), sorted(dropped))
        shifts = jitter * np.random.default_rng(0).uniform(-1, 1, slots.size)
        shifts[[0, -1]] = 0
        time = origin + (slots + shifts) / frequency
        even = resample_evenly(time, ramp(time), np.inf)
        np.testing.assert_allclose(even.time, origin + np.arange(2000) / frequency)
        np.testing.assert_allclose(even.traces, ramp(even.time))
        assert even.frequency == pytest.approx(frequency)

    def test_frames_stamped_late_do_not_shift_the_clock(self):
        time = TIME.copy()
        time[50::100] += 0.03
        even = resample_evenly(time, ramp(time), 1.0)
        np.testing.assert_allclose(even.time, TIME, atol=1e-9)

    @pytest.mark.parametrize("longest", [-1.0, float("nan")])
    def test_a_length_that_is_none_is_refused(self, longest):
        with pytest.raises(ValueError, match="resample_gaps is .*, but must be seconds"):
            resample_evenly(TIME, ramp(TIME), longest)

    def test_two_samples_are_enough(self):
        traces = ramp(TIME)
        traces[0, 1:-1] = np.nan
        even = resample_evenly(TIME, traces, 100.0)
        assert even.time.tolist() == [0, 99.95]
        np.testing.assert_array_equal(even.traces, ramp(TIME)[:, [0, -1]])

    def test_a_recording_of_missing_samples_is_refused(self):
        traces = ramp(TIME)
        traces[0, 1:] = np.nan
        with pytest.raises(ValueError, match="all but 1 of 2000 samples are missing"):
            resample_evenly(TIME, traces, 1.0)
