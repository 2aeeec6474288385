"""Photobleaching curves against closed forms and simulated truth."""

import numpy as np
import pytest

from phopro_core.photobleaching import fit_photobleaching
from phopro_core.simulation import simulate_recording

SEEDS = range(5)
TIME = np.arange(12000) / 20
TRUTH = (10.0, 30.0, 20.0, 400.0, 70.0)


def curve(a1, tau1, a2, tau2, floor):
    return a1 * np.exp(-TIME / tau1) + a2 * np.exp(-TIME / tau2) + floor


@pytest.mark.parametrize(
    "truth",
    [
        pytest.param(TRUTH, id="slow"),
        pytest.param((5.0, 10.0, 30.0, 200.0, 400.0), id="fast"),
        pytest.param(
            (-5.0, 20.0, 20.0, 400.0, 70.0),
            id="brightening first",
        ),
    ],
)
def test_two_decays_are_recovered(truth):
    fit = fit_photobleaching(curve(*truth), 20.0)
    np.testing.assert_allclose(fit.coeffs, truth, rtol=1e-2)
    np.testing.assert_allclose(fit.reference, curve(*truth), rtol=1e-5)
    assert fit.r2 == pytest.approx(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_transients_and_noise_do_not_bend_the_curve(seed):
    recording = simulate_recording(seed, single_channel=True)
    fit = fit_photobleaching(recording.signal, recording.frequency)
    np.testing.assert_allclose(fit.reference, recording.reference, rtol=2e-3)


def test_gain_and_offset_of_the_amplifier_do_not_matter():
    trace = simulate_recording(0, single_channel=True).signal
    plain = fit_photobleaching(trace, 20.0)
    scaled = fit_photobleaching(1000 * trace + 500, 20.0)
    np.testing.assert_allclose(scaled.reference, 1000 * plain.reference + 500, rtol=1e-6)


def test_the_time_constants_are_seconds():
    fading = curve(*TRUTH)
    as_if_slower = fit_photobleaching(fading, 10.0, window_dur_sec=10.0)
    np.testing.assert_allclose(as_if_slower.coeffs[[1, 3]], [60, 800], rtol=1e-3)


def test_a_constant_trace_is_its_own_reference():
    fit = fit_photobleaching(np.full(2000, 70.0), 20.0)
    assert (fit.reference == 70).all()


def test_a_recording_too_short_for_its_windows_is_refused():
    fading = curve(*TRUTH)
    assert fit_photobleaching(fading[:300], 20.0).reference.size == 300  # five windows
    with pytest.raises(ValueError, match=r"14\.9 s is too short.*windows of 5 s"):
        fit_photobleaching(fading[:298], 20.0)
    assert fit_photobleaching(fading[:298], 20.0, window_dur_sec=4).reference.size == 298
