"""Photobleaching curves against closed forms and simulated truth."""

import numpy as np
import pytest

from phopro_core.photobleaching import fit_detrended, fit_photobleaching
from phopro_core.references import fit_irls, fit_ols
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
    fit = fit_photobleaching(curve(*truth), TIME, 20.0)
    np.testing.assert_allclose(fit.coeffs, truth, rtol=1e-2)
    np.testing.assert_allclose(fit.reference, curve(*truth), rtol=1e-5)
    assert fit.r2 == pytest.approx(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_transients_and_noise_do_not_bend_the_curve(seed):
    recording = simulate_recording(seed, single_channel=True)
    fit = fit_photobleaching(recording.signal, recording.time, recording.frequency)
    np.testing.assert_allclose(fit.reference, recording.reference, rtol=2e-3)


def test_gain_and_offset_of_the_amplifier_do_not_matter():
    trace = simulate_recording(0, single_channel=True).signal
    plain = fit_photobleaching(trace, TIME, 20.0)
    scaled = fit_photobleaching(1000 * trace + 500, TIME, 20.0)
    np.testing.assert_allclose(scaled.reference, 1000 * plain.reference + 500, rtol=1e-6)


def test_the_time_constants_are_seconds():
    fading = curve(*TRUTH)
    as_if_slower = fit_photobleaching(fading, 2 * TIME, 10.0, window_dur_sec=10.0)
    np.testing.assert_allclose(as_if_slower.coeffs[[1, 3]], [60, 800], rtol=1e-3)


def test_a_constant_trace_is_its_own_reference():
    fit = fit_photobleaching(np.full(2000, 70.0), TIME[:2000], 20.0)
    assert (fit.reference == 70).all()
    assert (curve(*fit.coeffs) == 70).all()


def test_a_recording_too_short_for_its_windows_is_refused():
    fading = curve(*TRUTH)
    assert fit_photobleaching(fading[:300], TIME[:300], 20.0).reference.size == 300  # five windows
    with pytest.raises(ValueError, match=r"14\.9 s is too short.*windows of 5 s"):
        fit_photobleaching(fading[:298], TIME[:298], 20.0)
    assert (
        fit_photobleaching(fading[:298], TIME[:298], 20.0, window_dur_sec=4).reference.size == 298
    )


def test_a_gap_does_not_bend_the_curve():
    kept = (TIME < 100) | (TIME > 250)
    fit = fit_photobleaching(curve(*TRUTH)[kept], TIME[kept], 20.0)
    np.testing.assert_allclose(fit.reference, curve(*TRUTH)[kept], rtol=1e-4)


def test_time_zero_is_the_first_sample():
    fit = fit_photobleaching(curve(*TRUTH), 5000 + TIME, 20.0)
    np.testing.assert_allclose(fit.coeffs, TRUTH, rtol=1e-2)


class TestDetrending:
    ISOSBESTIC = (3.0, 100.0, 2.0, 800.0, 10.0)

    MOTION = 0.02 * np.sin(2 * np.pi * TIME / 7) * np.cos(2 * np.pi * TIME / 31)

    def traces(self, weight=1.0):
        """Signal and isosbestic that share motion, and bleach each in its own way."""
        signal = curve(*TRUTH) * (1 + weight * self.MOTION)
        return signal, curve(*self.ISOSBESTIC) * (1 + self.MOTION)

    def test_the_isosbestic_s_bleaching_is_swapped_for_the_signal_s(self):
        signal, isosbestic = self.traces()
        fit = fit_detrended(signal, isosbestic, TIME, 20.0)
        np.testing.assert_allclose(fit.reference, signal, rtol=6e-3)
        assert fit.r2 > 0.999

    def test_it_beats_a_line_where_the_channels_bleach_differently(self):
        signal, isosbestic = self.traces()
        line = fit_irls(signal, isosbestic).reference
        detrended = fit_detrended(signal, isosbestic, TIME, 20.0).reference
        assert np.std(detrended / signal) < np.std(line / signal) / 10

    def test_a_line_between_weighs_the_motion(self):
        signal, isosbestic = self.traces(weight=2.0)
        plain = fit_detrended(signal, isosbestic, TIME, 20.0).reference
        fitted = fit_detrended(signal, isosbestic, TIME, 20.0, fit_line=fit_irls)
        assert np.abs(plain / signal - 1).max() > 0.02
        np.testing.assert_allclose(fitted.reference, signal, rtol=1e-2)
        np.testing.assert_allclose(fitted.coeffs[:2], [-1, 2], rtol=0.01)

    def test_the_coefficients_are_the_line_s_then_those_of_both_curves(self):
        signal, isosbestic = self.traces()
        curves = [
            fit_photobleaching(trace, TIME, 20.0, 10.0).coeffs for trace in (signal, isosbestic)
        ]
        fit = fit_detrended(signal, isosbestic, TIME, 20.0, 10.0)
        np.testing.assert_allclose(fit.coeffs, np.concatenate(curves))
        between = fit_detrended(signal, isosbestic, TIME, 20.0, 10.0, fit_ols)
        assert between.coeffs.size == 12
        np.testing.assert_allclose(between.coeffs[2:], fit.coeffs)

    def test_the_units_of_the_traces_do_not_matter(self):
        signal, isosbestic = self.traces()
        counts = fit_detrended(signal, isosbestic, TIME, 20.0).reference
        volts = fit_detrended(1e-3 * signal, 1e-3 * isosbestic, TIME, 20.0).reference
        np.testing.assert_allclose(volts, 1e-3 * counts, rtol=1e-6)

    @pytest.mark.parametrize("name", ["signal", "isosbestic"])
    @pytest.mark.parametrize("gain", [1.0, 0.0])
    def test_a_curve_that_falls_to_zero_is_refused_by_name(self, name, gain):
        traces = dict(zip(("signal", "isosbestic"), self.traces(), strict=True))
        traces[name] = gain * (traces[name] - traces[name].max())
        with pytest.raises(ValueError, match=f"photobleaching curve of the {name}, which falls"):
            fit_detrended(**traces, time=TIME, frequency=20.0)
