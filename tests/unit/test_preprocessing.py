"""The whole way from raw traces to the processed signal, against simulated truth."""

from functools import partial
from typing import get_args

import numpy as np
import pytest

from phopro_core import ArtifactCorrector, ArtifactDetector, DerivativeDetector, SplineCorrector
from phopro_core.artifacts.base import artifact_table
from phopro_core.extraction import extract_trials
from phopro_core.filtering import lowpass
from phopro_core.photobleaching import fit_detrended, fit_photobleaching
from phopro_core.preprocessing import FitMethod, preprocess
from phopro_core.references import fit_irls, fit_ols
from phopro_core.simulation import simulate_recording

SEEDS = range(4)


@pytest.fixture(scope="module")
def dual():
    return simulate_recording(0, duration=200.0)


@pytest.fixture(scope="module")
def single():
    return simulate_recording(0, duration=200.0, single_channel=True)


def process(recording, **settings):
    return preprocess(
        recording.signal, recording.isosbestic, recording.time, recording.frequency, **settings
    )


def mean_trial(recording, trace):
    """The mean of a trace around the presses of lever1."""
    trials = extract_trials(
        trace,
        recording.time,
        recording.frequency,
        recording.events,
        align_to="lever1",
        trial_bounds=(-4, 8),
    )
    return trials.signals.mean(axis=0)


@pytest.mark.parametrize("fit_using", get_args(FitMethod))
@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_trial_is_the_evoked_response(seed, fit_using):
    recording = simulate_recording(seed)
    processed = process(recording, fit_using=fit_using).processed_signal
    measured, truth = mean_trial(recording, processed), mean_trial(recording, recording.dff)
    assert np.corrcoef(measured, truth)[0, 1] > 0.98
    assert np.ptp(measured) == pytest.approx(np.ptp(truth), rel=0.15)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_trial_of_a_single_channel_is_the_evoked_response(seed):
    recording = simulate_recording(seed, single_channel=True)
    processed = process(recording, correction_method="dB/B").processed_signal
    measured, truth = mean_trial(recording, processed), mean_trial(recording, recording.dff)
    assert np.corrcoef(measured, truth)[0, 1] > 0.98


def test_both_channels_are_filtered_alike_before_the_fit(dual):
    processed = process(dual, cutoff_frequency=2.0, order=3, fit_using="OLS")
    signal, isosbestic = (lowpass(x, 20.0, 2.0, 3) for x in (dual.signal, dual.isosbestic))
    np.testing.assert_allclose(processed.filtered_signal, signal)
    np.testing.assert_allclose(processed.filtered_isosbestic, isosbestic)
    reference = fit_ols(signal, isosbestic).reference
    np.testing.assert_allclose(processed.fit.reference, reference)
    np.testing.assert_allclose(processed.processed_signal, (signal - reference) / reference)


def test_the_defaults_are_those_of_the_design(dual):
    signal, isosbestic = (lowpass(x, 20.0, 3.0, 4) for x in (dual.signal, dual.isosbestic))
    reference = fit_irls(signal, isosbestic, True, c=3.0, maxiter=1000).reference
    processed = process(dual)
    np.testing.assert_allclose(processed.processed_signal, (signal - reference) / reference)
    assert processed.reference_type == "isosbestic"


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({"fit_using": "IRLS", "c": 1.5}, {"c": 1.5}),
        ({"fit_using": "IRLS", "maxiter": 2}, {"maxiter": 2}),
        ({"fit_using": "IRLS", "add_intercept": False}, {"add_intercept": False}),
    ],
)
def test_the_settings_of_the_robust_fit_reach_it(dual, settings, arguments):
    fit = process(dual, cutoff_frequency=None, **settings).fit
    expected = fit_irls(dual.signal, dual.isosbestic, **arguments)
    np.testing.assert_allclose(fit.coeffs, expected.coeffs)
    assert not np.array_equal(fit.reference, process(dual, cutoff_frequency=None).fit.reference)


@pytest.mark.parametrize(
    ("fit_using", "fit_line"),
    [
        ("detrend_retrend", None),
        ("detrend_fit_retrend", partial(fit_irls, add_intercept=False, c=2.0)),
    ],
)
def test_detrending_fits_get_their_settings(dual, fit_using, fit_line):
    settings = {"fit_using": fit_using, "window_dur_sec": 4.0, "add_intercept": False, "c": 2.0}
    fit = process(dual, cutoff_frequency=None, **settings).fit
    expected = fit_detrended(
        dual.signal, dual.isosbestic, dual.time, dual.frequency, 4.0, fit_line=fit_line
    )
    np.testing.assert_array_equal(fit.reference, expected.reference)
    assert fit.coeffs.size == (10 if fit_line is None else 11)


@pytest.mark.parametrize(
    ("params", "coeffs"),
    [
        ((1, 1.2), [1, 1.2]),
        (np.float32(1.5), [1.5]),
        (None, []),
        ({"gain": np.float64(1.2), 3: 1}, {"gain": 1.2, "3": 1.0}),
    ],
)
def test_a_function_may_fit_the_reference(dual, params, coeffs):
    processed = process(dual, fit_using=lambda signal, isosbestic: (1.2 * isosbestic, params))
    np.testing.assert_allclose(processed.fit.reference, 1.2 * processed.filtered_isosbestic)
    if isinstance(coeffs, dict):
        assert processed.fit.coeffs == coeffs
    else:
        np.testing.assert_allclose(processed.fit.coeffs, coeffs)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda iso: iso, r"must return the fitted reference and its parameters.* a ndarray"),
        (lambda iso: None, r"\(fitted, params\), but returned a NoneType"),
        (lambda iso: (iso[1:], 1), r"fit_using returned an array of shape \(3999,\)"),
        (lambda iso: (iso * np.nan, 1), "fit_using returned 4000 values of 4000 that are not fin"),
        (lambda iso: (iso, "steep"), "fit_using returned the parameters 'steep', which are not"),
    ],
)
def test_a_function_that_gives_no_fit_is_refused(dual, result, message):
    with pytest.raises(ValueError, match=message):
        process(dual, fit_using=lambda signal, isosbestic: result(isosbestic))


def test_gaps_are_left_out_of_the_fit_and_stay_gaps(dual):
    gap = (dual.time > 60) & (dual.time < 75)
    signal, isosbestic = dual.signal.copy(), dual.isosbestic.copy()
    signal[gap] = isosbestic[gap] = np.nan
    processed = preprocess(signal, isosbestic, dual.time, 20.0, fit_using="OLS")
    pieces = [slice(0, np.argmax(gap)), slice(gap.nonzero()[0][-1] + 1, None)]
    filtered = np.concatenate(
        [lowpass(np.stack([signal, isosbestic])[:, piece], 20.0, 3.0) for piece in pieces], axis=1
    )
    expected = fit_ols(*filtered)
    np.testing.assert_allclose(processed.fit.coeffs, expected.coeffs)
    assert processed.fit.r2 == pytest.approx(expected.r2)
    for trace in (
        processed.filtered_signal,
        processed.filtered_isosbestic,
        processed.fit.reference,
        processed.processed_signal,
    ):
        assert np.array_equal(np.isnan(trace), gap)
    np.testing.assert_allclose(
        processed.processed_signal[~gap], filtered[0] / expected.reference - 1
    )


@pytest.mark.parametrize("cutoff", [None, 3.0])
@pytest.mark.parametrize("channel", ["signal", "isosbestic"])
def test_what_one_channel_lacks_is_missing_in_what_is_made_of_both(dual, channel, cutoff):
    traces = {"signal": dual.signal.copy(), "isosbestic": dual.isosbestic.copy()}
    traces[channel][1000:1300] = np.nan
    processed = preprocess(**traces, time=dual.time, frequency=20.0, cutoff_frequency=cutoff)
    for trace in (processed.fit.reference, processed.processed_signal):
        assert np.flatnonzero(np.isnan(trace)).tolist() == list(range(1000, 1300))
    np.testing.assert_allclose(processed.fit.coeffs, process(dual).fit.coeffs, rtol=0.2)


@pytest.mark.parametrize("single_channel", [False, True])
@pytest.mark.parametrize("gap", [False, True])
def test_normalization_and_bleaching_mind_gaps(single_channel, gap):
    recording = simulate_recording(0, duration=200.0, single_channel=single_channel)
    method = "dB/B" if single_channel else "dF/F"
    if gap:
        recording.signal[1000:1300] = np.nan
    processed = process(recording, correction_method=method, signal_normalization="zscore")
    present = processed.processed_signal[~np.isnan(processed.processed_signal)]
    assert present.size == (3700 if gap else 4000)
    assert present.mean() == pytest.approx(0, abs=1e-12)
    assert present.std() == pytest.approx(1)


class TestArtifacts:
    SPIKES, JUMPS = 8, 3

    @pytest.fixture(scope="class")
    @classmethod
    def tainted(cls):
        return simulate_recording(9, duration=900.0, spikes=cls.SPIKES, jumps=cls.JUMPS)

    def test_mending_them_before_the_fit_recovers_the_response(self, tainted):
        truth = lowpass(tainted.dff, tainted.frequency, 3.0)
        left = process(tainted).processed_signal
        mended = process(
            tainted, artifact_detector=DerivativeDetector(), artifact_corrector=SplineCorrector()
        )
        assert mended.artifacts["type"].value_counts().to_dict() == {"spike": 8, "jump": 3}
        assert np.corrcoef(left, truth)[0, 1] < 0.3
        assert np.corrcoef(mended.processed_signal, truth)[0, 1] > 0.9
        np.testing.assert_allclose(mended.fit.coeffs, [5, 1.25], rtol=0.1)

    def test_a_detector_alone_changes_no_trace(self, tainted):
        plain = process(tainted)
        marked = process(tainted, artifact_detector=DerivativeDetector())
        assert plain.artifacts is None
        assert len(marked.artifacts) == self.SPIKES + self.JUMPS
        np.testing.assert_array_equal(marked.processed_signal, plain.processed_signal)
        np.testing.assert_array_equal(marked.filtered_signal, plain.filtered_signal)

    def test_what_the_isosbestic_alone_has_cancels(self):
        recording = simulate_recording(1, duration=600.0)
        clean = process(recording).processed_signal
        recording.isosbestic[6000:6002] *= 1.4
        settings = {
            "artifact_detector": DerivativeDetector(),
            "artifact_corrector": SplineCorrector(),
        }
        assert np.abs(process(recording).processed_signal - clean).max() > 0.1
        mended = process(recording, **settings)
        assert mended.artifacts["type"].tolist() == ["spike"]
        assert np.abs(mended.processed_signal - clean).max() < 0.02

    def test_motion_that_both_channels_share_is_none(self):
        recording = simulate_recording(2, duration=300.0, responses={})
        jerk = 0.3 * recording.isosbestic[3000:3010]
        recording.isosbestic[3000:3010] += jerk
        recording.signal[3000:3010] += recording.slope * jerk
        found = process(recording, artifact_detector=DerivativeDetector()).artifacts
        assert found.empty

    def test_a_detector_gets_the_signal_without_what_it_shares(self, dual):
        seen = {}

        class Detector(ArtifactDetector):
            def detect(self, signal, reference, time):
                seen.update(signal=signal, reference=reference, time=time)
                return artifact_table([])

        processed = process(dual, artifact_detector=Detector())
        np.testing.assert_allclose(seen["signal"] + seen["reference"], processed.filtered_signal)
        slope = seen["reference"] / processed.filtered_isosbestic
        np.testing.assert_allclose(slope, 1.25, rtol=0.05)
        np.testing.assert_allclose(slope, slope[0])
        assert np.array_equal(seen["time"], dual.time)

    def test_with_one_channel_a_detector_gets_the_filtered_signal(self, single):
        seen = {}

        class Detector(ArtifactDetector):
            def detect(self, signal, reference, time):
                seen.update(signal=signal, reference=reference)
                return artifact_table([])

        processed = process(single, correction_method="dB/B", artifact_detector=Detector())
        assert seen["reference"] is None
        np.testing.assert_array_equal(seen["signal"], processed.filtered_signal)

    def test_a_corrector_without_a_detector_is_refused(self, dual):
        with pytest.raises(ValueError, match="artifact_corrector needs an artifact_detector"):
            process(dual, artifact_corrector=SplineCorrector())

    def test_a_corrector_that_returns_something_else_is_refused(self, dual):
        class Corrector(ArtifactCorrector):
            def correct(self, signal, time, artifacts):
                return signal[:-1]

        with pytest.raises(ValueError, match=r"artifact_corrector returned an array of shape"):
            process(dual, artifact_detector=DerivativeDetector(), artifact_corrector=Corrector())


def test_a_single_channel_is_corrected_by_its_bleaching(single):
    processed = process(single, correction_method="dB/B", window_dur_sec=4.0)
    filtered = lowpass(single.signal, 20.0, 3.0)
    reference = fit_photobleaching(filtered, single.time, 20.0, 4.0).reference
    assert processed.filtered_isosbestic is None
    assert processed.reference_type == "photobleaching"
    np.testing.assert_allclose(processed.processed_signal, filtered / reference - 1, atol=1e-12)


def test_an_isosbestic_can_be_left_unused(dual):
    processed = process(dual, channel_mode="single", correction_method="dB")
    assert processed.filtered_isosbestic is None
    assert processed.reference_type == "photobleaching"


def test_the_processed_signal_is_normalized_as_a_whole(dual):
    plain = process(dual).processed_signal
    zscored = process(dual, signal_normalization="zscore").processed_signal
    np.testing.assert_allclose(zscored, (plain - plain.mean()) / plain.std())


def test_the_raw_traces_are_not_changed(dual):
    signal, isosbestic = dual.signal.copy(), dual.isosbestic.copy()
    process(dual, cutoff_frequency=None, correction_method="none", signal_normalization="zscore")
    assert np.array_equal(signal, dual.signal)
    assert np.array_equal(isosbestic, dual.isosbestic)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cutoff_frequency": 10.0}, "10 Hz.*between 0 and 10 Hz"),
        ({"correction_method": "dB/B"}, "'dB/B' is for single-channel recordings"),
        ({"correction_method": "dF/F", "channel_mode": "single"}, "for dual-channel recordings"),
        ({"correction_method": "dF%F"}, "'dF%F', but must be one of dF/F"),
        ({"signal_normalization": "z"}, "'z', but must be one of zscore, nullZ, none"),
        ({"fit_using": "ridge"}, "'ridge', but must be one of OLS, IRLS"),
        ({"channel_mode": "triple"}, "'triple', but must be one of auto, dual, single"),
    ],
)
def test_a_wrong_setting_is_named(dual, settings, message):
    with pytest.raises(ValueError, match=message):
        process(dual, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"correction_method": "dF/F"}, "'dF/F' is for dual-channel.*no isosbestic"),
        ({"channel_mode": "dual"}, "'dual', but this recording has no isosbestic"),
    ],
)
def test_what_a_single_channel_can_not_give_is_refused(single, settings, message):
    with pytest.raises(ValueError, match=message):
        process(single, **settings)


def test_a_recording_too_short_for_the_filter_is_refused(dual):
    with pytest.raises(ValueError, match="10 samples are too few"):
        preprocess(dual.signal[:10], dual.isosbestic[:10], dual.time[:10], 20.0)


@pytest.mark.parametrize("fit_using", ["OLS", "IRLS"])
@pytest.mark.parametrize("cutoff", [None, 3.0])
@pytest.mark.parametrize(
    "level",
    [
        0.0,
        400.0,
        123.456,
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_constant_isosbestic_is_refused(fit_using, cutoff, level):
    signal = 100 + np.random.default_rng(0).standard_normal(2000)
    with pytest.raises(ValueError, match="isosbestic is constant"):
        preprocess(
            signal,
            np.full(2000, level),
            np.arange(2000) / 20,
            20.0,
            cutoff_frequency=cutoff,
            fit_using=fit_using,
            correction_method="dF",
        )
