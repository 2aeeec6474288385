"""The whole way from raw traces to the processed signal, against simulated truth."""

import numpy as np
import pytest

from phopro_core.extraction import extract_trials
from phopro_core.filtering import lowpass
from phopro_core.photobleaching import fit_photobleaching
from phopro_core.preprocessing import preprocess
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
    return preprocess(recording.signal, recording.isosbestic, recording.frequency, **settings)


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


@pytest.mark.parametrize("fit_using", ["OLS", "IRLS"])
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


def test_a_single_channel_is_corrected_by_its_bleaching(single):
    processed = process(single, correction_method="dB/B", window_dur_sec=4.0)
    filtered = lowpass(single.signal, 20.0, 3.0)
    reference = fit_photobleaching(filtered, 20.0, 4.0).reference
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
        preprocess(dual.signal[:10], dual.isosbestic[:10], 20.0)


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
            20.0,
            cutoff_frequency=cutoff,
            fit_using=fit_using,
            correction_method="dF",
        )
