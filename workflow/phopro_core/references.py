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
#: How far a median is looked for from where it was guessed, as a share of it.
NEAR = 0.05


class ReferenceFit(NamedTuple):
    """A reference curve and how it came about.

    ``reference`` has the signal's shape and units; ``coeffs`` is intercept and slope
    (or the slope alone) of a line, a1, τ1, a2, τ2, c of a photobleaching curve (τ in
    seconds), or what a fit of the user's own gives; ``r2`` is the share of the signal's
    variance that the reference explains.
    """

    reference: np.ndarray
    coeffs: np.ndarray | dict[str, float]
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
    scale = 0.0
    for _ in range(maxiter):
        line.residuals(intercept, slope, out=residuals)
        np.abs(residuals, out=weights)
        scale = median_near(scale * NORMAL_MAD, weights) / NORMAL_MAD
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


def median_near(guess: float, values: np.ndarray) -> float:
    """The median of values, putting in order only those near a guess.

    Parameters
    ----------
    guess : float
        A better one makes it faster; the result is the same with any.
    values : array, shape (n,)
        Not NaN. Left in another order.

    Examples
    --------
    >>> median_near(0.3, np.array([0.1, 0.31, 0.3, 0.9]))
    0.305
    """
    low, high = guess * (1 - NEAR), guess * (1 + NEAR)
    near = values[(values >= low) & (values <= high)]
    n_below = np.count_nonzero(values < low)
    middle = [(values.size - 1) // 2 - n_below, values.size // 2 - n_below]
    if middle[0] < 0 or middle[1] >= near.size:
        return float(np.median(values, overwrite_input=True))
    near.partition(middle)
    return float(near[middle].mean())


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
    return with_r2(signal, intercept + slope * isosbestic, coeffs)


def with_r2(
    signal: np.ndarray, reference: np.ndarray, coeffs: np.ndarray | dict[str, float]
) -> ReferenceFit:
    """A fit with the share of the signal's variance that its reference explains."""
    residuals = signal - reference
    deviations = signal - signal.mean()
    total = deviations @ deviations
    r2 = 1 - (residuals @ residuals) / total if total > 0 else np.nan
    return ReferenceFit(reference, coeffs, float(r2))
