"""Photobleaching: how the light of a trace fades over a session, and fits that mind it."""

from collections.abc import Callable

import numpy as np

from phopro_core.references import NORMAL_MAD, ReferenceFit, with_r2
from phopro_core.variation import varies


def fit_photobleaching(
    signal: np.ndarray, time: np.ndarray, frequency: float, window_dur_sec: float = 5.0
) -> ReferenceFit:
    """Fit the photobleaching of a trace: two exponential decays onto a floor.

    a1·exp(−t/τ1) + a2·exp(−t/τ2) + c, t in seconds from the first sample, by least
    squares with a soft-L1 loss on the medians of sliding windows: the medians take out
    transients and noise, the loss what they leave.

    Parameters
    ----------
    signal, time : array, shape (n_samples,)
        The trace and its clock, seconds; gaps in it do no harm.
    frequency : float
        Sampling rate, Hz.
    window_dur_sec : float
        Length of the windows, seconds; they follow one another by half of it. No decay
        is faster than that.

    Raises
    ------
    ValueError
        If the recording is too short to give at least five windows.
    """
    from scipy.optimize import least_squares

    time = time - time[0]
    seconds, medians = _window_medians(signal, time, frequency, window_dur_sec)
    # Fitted in units of the trace's range and duration, so that neither the gain of the
    # amplifier nor the length of the session decides where the optimiser stops.
    offset, height, duration = medians.min(), np.ptp(medians), seconds[-1]
    if not varies(medians):
        coeffs = np.array([0.0, duration, 0.0, duration, offset])
        return with_r2(signal, np.full_like(signal, offset), coeffs)
    t, y = seconds / duration, (medians - offset) / height
    # What counts as an outlier is told from the noise of the medians themselves.
    noise = np.median(np.abs(np.diff(y))) / (NORMAL_MAD * np.sqrt(2))

    def residuals(p: np.ndarray) -> np.ndarray:
        return _two_decays(t, p) - y

    # Amplitudes may take either sign: some fibers brighten before they bleach.
    # A decay faster than the windows would be told by the first of them alone, and could
    # take any height at the very beginning.
    fastest = np.clip(window_dur_sec / duration, 1e-3, 1.0)
    lower = [-np.inf, fastest, -np.inf, fastest, -np.inf]
    upper = [np.inf, 1e2, np.inf, 1e2, np.inf]
    # From both signs of the fast decay: between them the fit would stop in a local minimum.
    fits = [
        least_squares(
            residuals,
            x0=np.maximum(start, lower),
            bounds=(lower, upper),
            loss="soft_l1",
            f_scale=max(2 * noise, 1e-3),
            x_scale="jac",
            ftol=1e-12,
            xtol=1e-12,
            gtol=1e-12,
            max_nfev=2000,
        )
        for start in ([0.5, 0.1, 0.5, 1.0, 0.0], [-0.2, 0.02, 1.0, 0.5, 0.0])
    ]
    fit = min(fits, key=lambda fit: fit.cost)
    a1, tau1, a2, tau2, floor = fit.x
    (a1, tau1), (a2, tau2) = sorted([(a1, tau1), (a2, tau2)], key=lambda decay: decay[1])
    coeffs = np.array(
        [a1 * height, tau1 * duration, a2 * height, tau2 * duration, floor * height + offset]
    )
    return with_r2(signal, _two_decays(time, coeffs), coeffs)


def fit_detrended(
    signal: np.ndarray,
    isosbestic: np.ndarray,
    time: np.ndarray,
    frequency: float,
    window_dur_sec: float = 5.0,
    fit_line: Callable[[np.ndarray, np.ndarray], ReferenceFit] | None = None,
) -> ReferenceFit:
    """Scale the isosbestic to the signal where the two bleach differently.

    The isosbestic is divided by its own photobleaching curve, which leaves what moves
    both channels, and multiplied by that of the signal. With `fit_line`, it is first
    fitted to the signal that was divided by its curve likewise, so that motion may weigh
    more or less in the signal than in the isosbestic.

    Parameters
    ----------
    signal, isosbestic, time : array, shape (n_samples,)
        The traces and their clock, seconds.
    frequency, window_dur_sec : float
        As :func:`fit_photobleaching` takes them.
    fit_line : callable, optional
        Fits the second argument to the first, such as
        :func:`~phopro_core.references.fit_irls`.

    Returns
    -------
    ReferenceFit
        Its ``coeffs`` are those of the line, where one is fitted, then a1, τ1, a2, τ2, c
        of the signal's bleaching, then those of the isosbestic's.

    Raises
    ------
    ValueError
        If a photobleaching curve falls to zero, or the recording is too short for one.
    """
    curves = {
        name: fit_photobleaching(trace, time, frequency, window_dur_sec)
        for name, trace in (("signal", signal), ("isosbestic", isosbestic))
    }
    for name, curve in curves.items():
        if (curve.reference <= 0).any():
            raise ValueError(
                f"detrending divides by the photobleaching curve of the {name}, which falls to "
                f"{curve.reference.min():g}; fluorescence must stay above zero (was a dark "
                "level subtracted?), or use fit_using 'IRLS'"
            )
    bleaching = curves["signal"].reference
    reference = isosbestic / curves["isosbestic"].reference
    coeffs = [curve.coeffs for curve in curves.values()]
    if fit_line is not None:
        line = fit_line(signal / bleaching, reference)
        reference, coeffs = line.reference, [line.coeffs, *coeffs]
    return with_r2(signal, reference * bleaching, np.concatenate(coeffs))


def _window_medians(
    signal: np.ndarray, time: np.ndarray, frequency: float, window_dur_sec: float
) -> tuple[np.ndarray, np.ndarray]:
    """The mean time of half-overlapping windows, seconds, and the median of each."""
    length = max(round(window_dur_sec * frequency), 1)
    stride = max(length // 2, 1)
    n_windows = (signal.size - length) // stride + 1
    if n_windows < 5:
        raise ValueError(
            f"a recording of {signal.size / frequency:.3g} s is too short for a "
            f"photobleaching fit in windows of {window_dur_sec:g} s, of which it needs "
            "five; shorten window_dur_sec"
        )
    times, values = (
        np.lib.stride_tricks.sliding_window_view(trace, length)[::stride]
        for trace in (time, signal)
    )
    return times.mean(axis=1), np.median(values, axis=1)


def _two_decays(t: np.ndarray, coeffs: np.ndarray) -> np.ndarray:
    a1, tau1, a2, tau2, floor = coeffs
    return a1 * np.exp(-t / tau1) + a2 * np.exp(-t / tau2) + floor
