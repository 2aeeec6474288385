"""Reference curves: what the signal would have been without the sensor's response.

With two channels the reference is the isosbestic fitted to the signal; with one it is
the photobleaching curve of the signal itself. All functions take and return arrays.
"""

import logging
from typing import NamedTuple

import numpy as np

from phopro_core.variation import varies

logger = logging.getLogger(__name__)

#: Median absolute deviation of the standard normal distribution.
NORMAL_MAD = 0.6744897501960817


class ReferenceFit(NamedTuple):
    """A reference curve and how it came about.

    ``reference`` has the signal's shape and units; ``coeffs`` is intercept and slope
    (or the slope alone) of a line, or a1, τ1, a2, τ2, c of a photobleaching curve
    (τ in seconds); ``r2`` is the share of the signal's variance that it explains.
    """

    reference: np.ndarray
    coeffs: np.ndarray
    r2: float


def fit_ols(signal: np.ndarray, isosbestic: np.ndarray, add_intercept: bool = True) -> ReferenceFit:
    """Scale the isosbestic to the signal by ordinary least squares.

    Parameters
    ----------
    signal, isosbestic : array, shape (n_samples,)
    add_intercept : bool
        Whether the line may miss the origin.

    Raises
    ------
    ValueError
        If the isosbestic is constant, so that no slope can be told.
    """
    intercept, slope = _Line(signal, isosbestic, add_intercept).fit()
    return _line_fit(signal, isosbestic, intercept, slope, add_intercept)


def fit_irls(
    signal: np.ndarray,
    isosbestic: np.ndarray,
    add_intercept: bool = True,
    c: float = 3.0,
    maxiter: int = 1000,
    tolerance: float = 1e-10,
) -> ReferenceFit:
    """Scale the isosbestic to the signal by a robust line.

    Iteratively reweighted least squares with Tukey's biweight: samples in which the
    sensor responds stand out from the line and lose their weight, so that they don't
    pull it. Started from ordinary least squares; the scale of the residuals, their
    median absolute value over 0.6745, is estimated anew at every iteration.

    Parameters
    ----------
    signal, isosbestic : array, shape (n_samples,)
    add_intercept : bool
        Whether the line may miss the origin.
    c : float
        Tuning constant: residuals beyond c scales have no weight.
    maxiter : int
        Iterations at most; reaching them is logged as a warning.
    tolerance : float
        Converged when no fitted value moves by more than this share of the signal's
        range.

    Raises
    ------
    ValueError
        If the isosbestic is constant, or `c` or `maxiter` is not positive.

    References
    ----------
    Beaton, A. E. & Tukey, J. W. (1974). The fitting of power series, meaning
    polynomials, illustrated on band-spectroscopic data. Technometrics, 16(2).
    Holland, P. W. & Welsch, R. E. (1977). Robust regression using iteratively
    reweighted least-squares. Communications in Statistics, A6.
    """
    if c is None or c <= 0:
        raise ValueError(f"c is {c!r}, but must be a positive number")
    if maxiter < 1:
        raise ValueError(f"maxiter is {maxiter!r}, but must be 1 or more")
    line = _Line(signal, isosbestic, add_intercept)
    intercept, slope = line.fit()
    farthest = max(abs(isosbestic.min()), abs(isosbestic.max()))
    enough = tolerance * np.ptp(signal)
    weights = np.empty_like(line.x)
    residuals = np.empty_like(line.x)
    for _ in range(maxiter):
        line.residuals(intercept, slope, out=residuals)
        np.abs(residuals, out=weights)
        scale = np.median(weights, overwrite_input=True) / NORMAL_MAD
        if scale == 0:
            # More than half of the samples lie on the line: nothing left to refine.
            break
        _biweight(residuals, c * scale, out=weights)
        before = intercept, slope
        intercept, slope = line.fit(weights, scratch=residuals)
        moved = abs(intercept - before[0]) + abs(slope - before[1]) * farthest
        if moved <= enough:
            break
    else:
        logger.warning("IRLS has not converged after %d iterations", maxiter)
    return _line_fit(signal, isosbestic, intercept, slope, add_intercept)


def fit_photobleaching(
    signal: np.ndarray, frequency: float, window_dur_sec: float = 5.0
) -> ReferenceFit:
    """Fit the photobleaching of a trace: two exponential decays onto a floor.

    a1·exp(−t/τ1) + a2·exp(−t/τ2) + c, t in seconds from the first sample, by least
    squares with a soft-L1 loss on the medians of sliding windows: the medians take out
    transients and noise, the loss what they leave.

    Parameters
    ----------
    signal : array, shape (n_samples,)
    frequency : float
        Sampling rate, Hz.
    window_dur_sec : float
        Length of the windows, seconds; they follow one another by half of it.

    Raises
    ------
    ValueError
        If the recording is too short to give at least five windows.
    """
    from scipy.optimize import least_squares

    seconds, medians = _window_medians(signal, frequency, window_dur_sec)
    # Fitted in units of the trace's range and duration, so that neither the gain of the
    # amplifier nor the length of the session decides where the optimiser stops.
    offset, height, duration = medians.min(), np.ptp(medians), seconds[-1]
    if not varies(medians):
        coeffs = np.array([0.0, duration, 0.0, duration, offset])
        return _with_r2(signal, np.full_like(signal, offset), coeffs)
    t, y = seconds / duration, (medians - offset) / height
    # What counts as an outlier is told from the noise of the medians themselves.
    noise = np.median(np.abs(np.diff(y))) / (NORMAL_MAD * np.sqrt(2))

    def residuals(p: np.ndarray) -> np.ndarray:
        return _two_decays(t, p) - y

    # Amplitudes may take either sign: some fibers brighten before they bleach.
    lower = [-np.inf, 1e-3, -np.inf, 1e-3, -np.inf]
    upper = [np.inf, 1e2, np.inf, 1e2, np.inf]
    # From both signs of the fast decay: between them the fit would stop in a local minimum.
    fits = [
        least_squares(
            residuals,
            x0=start,
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
    time = np.arange(signal.size) / frequency
    return _with_r2(signal, _two_decays(time, coeffs), coeffs)


class _Line:
    """Weighted least squares of a line through samples, on centred coordinates.

    Centring keeps the normal equations exact to rounding for traces that sit high
    above zero, which all fluorescence does.
    """

    def __init__(self, signal: np.ndarray, isosbestic: np.ndarray, add_intercept: bool):
        if not varies(isosbestic):
            raise ValueError(
                "the isosbestic is constant, so that it can't be fitted to the signal; "
                "is its column the right one, and was its LED on?"
            )
        self.add_intercept = add_intercept
        self.x_mean = isosbestic.mean() if add_intercept else 0.0
        self.y_mean = signal.mean() if add_intercept else 0.0
        self.x = isosbestic - self.x_mean
        self.y = signal - self.y_mean

    def fit(
        self, weights: np.ndarray | None = None, scratch: np.ndarray | None = None
    ) -> tuple[float, float]:
        """Intercept and slope in the units of the traces; `scratch` is overwritten."""
        x, y = self.x, self.y
        if weights is None:
            slope = (x @ y) / (x @ x)
            intercept = 0.0
        else:
            weighted_x = np.multiply(weights, x, out=scratch)
            if self.add_intercept:
                total = weights.sum()
                mean_x, mean_y = weighted_x.sum() / total, (weights @ y) / total
            else:
                total = mean_x = mean_y = 0.0
            spread = weighted_x @ x - total * mean_x**2
            slope = (weighted_x @ y - total * mean_x * mean_y) / spread
            intercept = mean_y - slope * mean_x
        return self.y_mean + intercept - slope * self.x_mean, slope

    def residuals(self, intercept: float, slope: float, out: np.ndarray) -> None:
        np.multiply(self.x, -slope, out=out)
        out += self.y
        out -= intercept - self.y_mean + slope * self.x_mean


def _biweight(residuals: np.ndarray, cutoff: float, out: np.ndarray) -> None:
    """(1 − (r/cutoff)²)² within the cutoff, 0 beyond."""
    np.divide(residuals, cutoff, out=out)
    out *= out
    np.subtract(1.0, out, out=out)
    np.maximum(out, 0.0, out=out)
    out *= out


def _line_fit(
    signal: np.ndarray,
    isosbestic: np.ndarray,
    intercept: float,
    slope: float,
    add_intercept: bool,
) -> ReferenceFit:
    coeffs = np.array([intercept, slope] if add_intercept else [slope])
    return _with_r2(signal, intercept + slope * isosbestic, coeffs)


def _with_r2(signal: np.ndarray, reference: np.ndarray, coeffs: np.ndarray) -> ReferenceFit:
    residuals = signal - reference
    deviations = signal - signal.mean()
    total = deviations @ deviations
    r2 = 1 - (residuals @ residuals) / total if total > 0 else np.nan
    return ReferenceFit(reference, coeffs, float(r2))


def _window_medians(
    signal: np.ndarray, frequency: float, window_dur_sec: float
) -> tuple[np.ndarray, np.ndarray]:
    """Medians of half-overlapping windows, and the time of each one's middle, seconds."""
    length = max(round(window_dur_sec * frequency), 1)
    stride = max(length // 2, 1)
    n_windows = (signal.size - length) // stride + 1
    if n_windows < 5:
        raise ValueError(
            f"a recording of {signal.size / frequency:.3g} s is too short for a "
            f"photobleaching fit in windows of {window_dur_sec:g} s, of which it needs "
            "five; shorten window_dur_sec"
        )
    windows = np.lib.stride_tricks.sliding_window_view(signal, length)[::stride]
    middles = (np.arange(n_windows) * stride + (length - 1) / 2) / frequency
    return middles, np.median(windows, axis=1)


def _two_decays(t: np.ndarray, coeffs: np.ndarray) -> np.ndarray:
    a1, tau1, a2, tau2, floor = coeffs
    return a1 * np.exp(-t / tau1) + a2 * np.exp(-t / tau2) + floor
