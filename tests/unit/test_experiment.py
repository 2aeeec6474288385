"""The recording as an object: what it accepts, and what it remembers."""

import numpy as np
import pytest

from phopro_core import DerivativeDetector, PhotometryExperiment
from phopro_core.simulation import simulate_recording


@pytest.fixture
def recording(ramp) -> PhotometryExperiment:
    """The ramp, not yet preprocessed; its isosbestic is the ramp as well."""
    return PhotometryExperiment(ramp.signal, ramp.signal, ramp.time, ramp.events)


@pytest.fixture
def processed(recording) -> PhotometryExperiment:
    recording.preprocess_signal(cutoff_frequency=None, correction_method="none", fit_using="OLS")
    return recording


class TestConstruction:
    def test_the_frequency_is_the_mean_rate_unless_given(self):
        time = np.array([0.0, 0.04, 0.1, 0.15])
        assert PhotometryExperiment(time, None, time).frequency == pytest.approx(20)
        assert PhotometryExperiment(time, None, time, frequency=19).frequency == 19

    def test_lists_and_whole_numbers_become_arrays_of_floats(self):
        experiment = PhotometryExperiment([1, 2, 3], [4, 5, 6], [0, 1, 2], {"cue": [1], "lev": 2})
        for trace in (experiment.raw_signal, experiment.raw_isosbestic, experiment.time):
            assert trace.dtype == float
        assert {k: v.tolist() for k, v in experiment.events.items()} == {"cue": [1], "lev": [2]}

    def test_recordings_do_not_share_events_or_metadata(self):
        events, metadata = {"cue": [1.0]}, {"subject": "m3"}
        first = PhotometryExperiment([1, 2], None, [0, 1], events, metadata)
        first.events["new"] = np.array([0.0])
        first.metadata["new"] = 1
        second = PhotometryExperiment([1, 2], None, [0, 1], events, metadata)
        assert list(second.events) == ["cue"]
        assert list(second.metadata) == ["subject"]
        assert PhotometryExperiment([1, 2], None, [0, 1]).events == {}

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"time": [0, 1, 1, 2]}, r"time repeats at sample 2 \(1 s, then 1 s\)"),
            ({"time": [0, 2, 1, 3]}, r"time goes backwards at sample 2 \(2 s, then 1 s\)"),
            ({"time": [0, 1, np.nan, 3]}, "time has 1 missing.*first in sample 2"),
            ({"time": [0]}, "at least two samples, and this one has 1"),
            ({"time": [[0, 1], [2, 3]]}, "time has 2 dimensions"),
            ({"raw_signal": [1, 2, 3]}, "raw_signal has 3 samples, but time has 4"),
            ({"raw_signal": [1, 2, np.inf, -np.inf]}, "raw_signal has 2 infin.*sample 2, at 2 s"),
            ({"raw_signal": [1, 2, "x", 4]}, "raw_signal holds something that is not a number"),
            ({"raw_isosbestic": [1, 2, 3]}, "raw_isosbestic has 3 samples, but time has 4"),
            ({"raw_isosbestic": [1, np.inf, 3, 4]}, "raw_isosbestic has 1 .*sample 1, at 1 s"),
            ({"events": {"cue": [1, np.nan]}}, "event 'cue' has times that are not finite"),
            ({"events": {"cue": ["x"]}}, "event 'cue' holds something that is not a number"),
        ],
    )
    def test_arrays_that_make_no_recording_are_refused_by_name(self, changed, message):
        good = {"raw_signal": [1, 2, 3, 4], "raw_isosbestic": [1, 2, 3, 5], "time": [0, 1, 2, 3]}
        PhotometryExperiment(**good)
        with pytest.raises(ValueError, match=message):
            PhotometryExperiment(**good | changed)


class TestPreprocessing:
    def test_the_fit_and_the_method_are_noted_in_the_metadata(self):
        truth = simulate_recording(1, responses={}, photons=1e10)
        experiment = PhotometryExperiment(truth.signal, truth.isosbestic, truth.time)
        experiment.preprocess_signal()
        fit = experiment.metadata["reference_fit"]
        assert fit["type"] == "isosbestic"
        assert fit["r2_val"] == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(fit["coeffs"], [5, 1.25], rtol=1e-3)
        assert experiment.metadata["correction_method"] == "dF/F"
        np.testing.assert_allclose(
            experiment.signal, experiment.filt_sig / experiment.fitted_ref - 1, atol=1e-12
        )

    def test_a_single_channel_s_fit_is_one_of_photobleaching(self):
        truth = simulate_recording(1, single_channel=True)
        experiment = PhotometryExperiment(truth.signal, None, truth.time)
        experiment.preprocess_signal(correction_method="dB/B")
        assert experiment.metadata["reference_fit"]["type"] == "photobleaching"
        assert len(experiment.metadata["reference_fit"]["coeffs"]) == 5
        assert experiment.filt_iso is None

    def test_a_function_is_noted_by_its_name(self, recording):
        def ratio(signal, reference):
            return signal / reference

        recording.preprocess_signal(correction_method=ratio)
        assert recording.metadata["correction_method"] == "ratio"
        np.testing.assert_allclose(recording.signal, recording.filt_sig / recording.fitted_ref)

    def test_the_raw_traces_stay(self, processed, ramp):
        assert np.array_equal(processed.raw_signal, ramp.signal)
        assert np.array_equal(processed.raw_isosbestic, ramp.signal)

    def test_preprocessing_anew_discards_the_trials(self, processed):
        processed.extract_trial_data("cue", (-2, 4), baseline_bounds=(-5, -2))
        processed.preprocess_signal(fit_using="OLS")
        assert processed.trial_data is None
        assert processed.baseline_data is None

    def test_a_function_s_coefficients_are_plain_numbers(self, recording):
        recording.preprocess_signal(
            fit_using=lambda signal, isosbestic: (isosbestic, {"gain": np.float64(1)}),
            correction_method="dF",
        )
        assert recording.metadata["reference_fit"]["coeffs"] == {"gain": 1.0}

    def test_artifacts_are_counted_until_they_are_no_longer_looked_for(self, recording):
        truth = simulate_recording(6, duration=600.0, spikes=3, jumps=1)
        experiment = PhotometryExperiment(truth.signal, truth.isosbestic, truth.time)
        assert experiment.artifacts is None
        experiment.preprocess_signal(artifact_detector=DerivativeDetector())
        assert experiment.metadata["artifacts"] == {"spike": 3, "jump": 1}
        assert len(experiment.artifacts) == 4
        experiment.preprocess_signal()
        assert experiment.artifacts is None
        assert "artifacts" not in experiment.metadata

    def test_a_failed_attempt_keeps_what_was_there(self, processed):
        before = processed.signal
        with pytest.raises(ValueError, match="cutoff_frequency"):
            processed.preprocess_signal(cutoff_frequency=1000)
        assert processed.signal is before


class TestGaps:
    """A recording without the samples from 40 to 50 s, and without some at 20 s."""

    @pytest.fixture
    def gappy(self):
        truth = simulate_recording(1, duration=100.0, trial_interval=10.0)
        dropped = (truth.time > 40) & (truth.time < 50) | (truth.time > 20) & (truth.time < 20.2)
        return PhotometryExperiment(
            truth.signal[~dropped],
            truth.isosbestic[~dropped],
            truth.time[~dropped],
            {"cue": [10, 20, 30, 45, 55, 70]},
        )

    def test_they_are_refused_unless_told_how_to_bridge_them(self, gappy):
        with pytest.raises(ValueError, match="clock has 2 gaps"):
            gappy.preprocess_signal()
        assert gappy.signal is None

    def test_missing_values_are_refused_likewise(self, recording):
        recording.raw_isosbestic[17] = np.nan
        with pytest.raises(ValueError, match=r"1 of 2000 samples are missing, at 0\.85 s"):
            recording.preprocess_signal()

    def test_short_ones_are_bridged_and_long_ones_stay(self, gappy):
        gappy.preprocess_signal(resample_gaps=0.5)
        assert gappy.metadata["gaps"] == {"bridged": 1, "left_open": 1}
        assert gappy.frequency == pytest.approx(20)
        np.testing.assert_allclose(gappy.time, np.arange(2000) / 20)
        missing = gappy.time[np.isnan(gappy.signal)]
        assert (missing.min(), missing.max()) == pytest.approx((40.05, 49.95))
        assert gappy.raw_signal.size == gappy.raw_isosbestic.size == gappy.signal.size == 2000

    def test_trials_that_touch_one_are_dropped_and_counted(self, gappy):
        gappy.preprocess_signal(resample_gaps=0.5)
        gappy.extract_trial_data("cue", (-2, 6), baseline_bounds=(-8, -4))
        # The window of the cue at 45 s lies in the gap; so does the baseline of that at 55 s.
        assert gappy.metadata["invalid_windows"] == [3, 4]
        assert gappy.metadata["windows_in_gaps"] == [3, 4]
        assert gappy.trial_data.n_trials == 4
        assert not np.isnan(gappy.trial_data.X).any()

    def test_doing_it_again_gives_the_same(self, gappy):
        gappy.preprocess_signal(resample_gaps=0.5)
        once = gappy.signal
        gappy.preprocess_signal(resample_gaps=0.5)
        np.testing.assert_allclose(gappy.signal, once, atol=1e-9)
        assert gappy.metadata["gaps"] == {"bridged": 1, "left_open": 1}

    def test_an_even_recording_is_left_as_it_is(self, recording):
        time, raw = recording.time, recording.raw_signal
        recording.preprocess_signal(resample_gaps=0.5)
        assert recording.time is time
        assert np.array_equal(recording.raw_signal, raw)
        assert "gaps" not in recording.metadata

    def test_a_failure_after_resampling_leaves_nothing_of_another_length(self, gappy):
        gappy.preprocess_signal(resample_gaps=100.0)
        with pytest.raises(ValueError, match="cutoff_frequency"):
            gappy.preprocess_signal(resample_gaps=0.5, cutoff_frequency=1000)
        assert gappy.signal is None or gappy.signal.size == gappy.time.size


class TestTrials:
    def test_they_become_a_dataset_with_the_recording_s_metadata(self, processed):
        processed.metadata["subject"] = "m3"
        processed.extract_trial_data(
            "cue", (-25, 4), event_tolerances={"lev": (2, 4)}, baseline_bounds=(-5, -2)
        )
        trials, baselines = processed.trial_data, processed.baseline_data
        assert (
            repr(trials) == "Photometry dataset with 2 trials, 580 timepoints, and 4 observations."
        )
        assert list(trials.obs) == ["trial_num", "cue", "lev", "sh"]
        assert trials.X[:, 0].tolist() == [200, 400]
        assert trials.ts[0] == -25
        assert trials.freq == pytest.approx(20)
        assert processed.metadata["invalid_windows"] == [0, 1]
        assert trials.uns["metadata"]["invalid_windows"] == [0, 1]
        assert trials.uns["metadata"]["subject"] == "m3"
        assert baselines.X[:, 0].tolist() == [600, 800]  # 25 and 35 s
        assert baselines.obs["trial_num"].tolist() == [1, 2]
        np.testing.assert_allclose(baselines.ts[[0, -1]], [-5, -2.05])

    def test_baselines_have_the_events_in_seconds_from_their_own_zero(self, processed):
        processed.extract_trial_data(
            "cue",
            (-2, 4),
            center_on="lev",
            event_tolerances={"lev": (2, 4)},
            baseline_bounds=(-5, -2),
        )
        trials, baselines = processed.trial_data.obs, processed.baseline_data.obs
        assert trials["cue"].tolist() == [-2, -4, 0, 0]
        assert baselines["cue"].tolist() == [0, 0, 0, 0]
        np.testing.assert_allclose(trials["lev"], [0, 0, np.nan, np.nan])
        np.testing.assert_allclose(baselines["lev"], [2, 4, np.nan, np.nan])

    def test_there_are_no_baselines_without_their_bounds(self, processed):
        processed.extract_trial_data("cue", (-2, 4), baseline_bounds=(-5, -2))
        processed.extract_trial_data("cue", (-2, 4))
        assert processed.baseline_data is None

    @pytest.mark.parametrize("spelling", ["event_tolerances", "event_tolerences"])
    def test_both_spellings_of_the_tolerances_are_taken(self, processed, spelling):
        processed.extract_trial_data("cue", (-2, 4), **{spelling: {"lev": (3, 4)}})
        np.testing.assert_allclose(processed.trial_data.obs["lev"], [3, 4, np.nan, np.nan])

    def test_both_spellings_at_once_are_refused(self, processed):
        tolerances = {"lev": (3, 4)}
        with pytest.raises(ValueError, match="not both"):
            processed.extract_trial_data(
                "cue", (-2, 4), event_tolerances=tolerances, event_tolerences=tolerances
            )

    def test_a_signal_not_preprocessed_has_no_trials(self, recording):
        with pytest.raises(ValueError, match="preprocess it first"):
            recording.extract_trial_data("cue", (-2, 4))


class TestTrimming:
    @pytest.mark.parametrize(
        ("lower", "upper", "first", "last"),
        [(10, 20, 10, 20), (10.01, 19.99, 10.05, 19.95), (None, 20, 0, 20), (10, None, 10, 99.95)],
    )
    def test_by_values_keeps_both_edges(self, recording, lower, upper, first, last):
        recording.trim_times_by_values(lower, upper)
        assert recording.time[[0, -1]].tolist() == [first, last]
        np.testing.assert_allclose(recording.raw_signal, 100 + 20 * recording.time)
        np.testing.assert_allclose(recording.raw_isosbestic, 100 + 20 * recording.time)

    def test_by_index_leaves_the_stop_out(self, recording):
        recording.trim_times_by_index(200, 400)
        assert recording.time[[0, -1]].tolist() == [10, 19.95]
        assert recording.raw_signal.size == 200

    def test_events_outside_go(self, recording):
        recording.trim_times_by_values(10, 20)
        assert {label: times.tolist() for label, times in recording.events.items()} == {
            "cue": [10, 20],
            "lev": [12, 13],
            "sh": [11.02],
        }

    def test_what_was_made_of_the_whole_goes(self, processed):
        processed.extract_trial_data("cue", (-2, 4))
        processed.trim_times_by_values(10, 60)
        for attribute in ("signal", "filt_sig", "filt_iso", "fitted_ref", "trial_data"):
            assert getattr(processed, attribute) is None

    def test_leaving_nothing_is_refused(self, recording):
        with pytest.raises(ValueError, match=r"leaves 0 of 2000 samples \(0 to 99\.95 s\)"):
            recording.trim_times_by_values(200, 300)
        assert recording.time.size == 2000

    def test_a_single_channel_can_be_trimmed(self, ramp):
        recording = PhotometryExperiment(ramp.signal, None, ramp.time)
        recording.trim_times_by_index(0, 100)
        assert recording.raw_isosbestic is None
        assert recording.raw_signal.size == 100


class TestMergingEvents:
    def test_events_are_pooled_by_time(self, recording):
        recording.merge_events(["lev", "sh"], "any")
        assert list(recording.events) == ["cue", "any"]
        assert recording.events["any"].tolist() == [11.02, 12, 13, 24, 34.01, 50]

    def test_their_own_labels_can_be_kept(self, recording):
        recording.merge_events(["lev", "sh"], "any", drop_merged=False)
        assert list(recording.events) == ["cue", "lev", "sh", "any"]

    def test_the_new_label_can_be_one_of_the_old(self, recording):
        recording.merge_events(["lev", "sh"], "lev")
        assert recording.events["lev"].size == 6
        assert "sh" not in recording.events

    def test_a_label_that_is_not_there_is_named(self, recording):
        with pytest.raises(
            ValueError, match=r"no events \['tone'\] to merge \(has: cue, lev, sh\)"
        ):
            recording.merge_events(["lev", "tone"], "any")
        assert list(recording.events) == ["cue", "lev", "sh"]


def test_the_text_says_what_is_recorded(recording, ramp):
    assert repr(recording) == "dual-channel recording of 2000 samples at 20 Hz, with 3 events"
    single = PhotometryExperiment(ramp.signal, None, ramp.time)
    assert repr(single) == "single-channel recording of 2000 samples at 20 Hz, with 0 events"
