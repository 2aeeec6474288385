"""Trial windows: which samples of a recording surround each event.

Two ways to place a window. *Nearest* snaps its centre to the nearest sample, and takes
the samples as they were recorded; *interp* keeps the centre where it is and interpolates
the trace linearly on a grid around it.
"""

from typing import NamedTuple

import numpy as np

#: Fraction of a sample below which two instants are the same.
SAME_SAMPLE = 1e-6


class Windows(NamedTuple):
    """Windows cut from a trace.

    ``values`` has shape (n_valid, n_timepoints); ``inside``, shape (n_centres,), tells
    which of the windows lie inside the recording.
    """

    values: np.ndarray
    inside: np.ndarray


def window_length(bounds: tuple[float, float], frequency: float) -> int:
    """Samples of a window of these bounds (s) at this rate (Hz): round((hi − lo)·f)."""
    return int(np.rint((bounds[1] - bounds[0]) * frequency))


def nearest_grid(bounds: tuple[float, float], frequency: float) -> np.ndarray:
    """Whole samples from the centre: rint(lo·f) + 0 … n−1, shape (n_timepoints,)."""
    return int(np.rint(bounds[0] * frequency)) + np.arange(window_length(bounds, frequency))


def interp_grid(bounds: tuple[float, float], frequency: float) -> np.ndarray:
    """Seconds from the centre: lo + (0 … n−1) / f, shape (n_timepoints,)."""
    return bounds[0] + np.arange(window_length(bounds, frequency)) / frequency


def nearest_samples(instants: np.ndarray, time: np.ndarray, frequency: float) -> np.ndarray:
    """Indices of the samples nearest to instants; of two equally near, the earlier.

    Parameters
    ----------
    instants : array
        Seconds. NaN is not allowed; instants outside the recording get indices outside
        of it, as if sampling went on.
    time : array, shape (n_samples,), of two samples or more
        The recording's clock, seconds, increasing.
    frequency : float
        Sampling rate, Hz.

    Returns
    -------
    integer array, of the instants' shape
    """
    instants = np.asarray(instants, dtype=float)
    last = time.size - 1
    before = np.clip(np.searchsorted(time, instants, side="right") - 1, 0, last - 1)
    step = time[before + 1] - time[before]
    outside = (instants < time[0]) | (instants > time[-1])
    before = np.where(instants > time[-1], last, before)
    step = np.where(outside, 1 / frequency, step)
    position = before + (instants - time[before]) / step
    return np.ceil(position - 0.5 - SAME_SAMPLE).astype(int)


def cut_nearest(trace: np.ndarray, centres: np.ndarray, grid: np.ndarray) -> Windows:
    """Cut windows of whole samples.

    Parameters
    ----------
    trace : array, shape (n_samples,)
    centres : integer array, shape (n_centres,)
        Indices into the trace.
    grid : integer array, shape (n_timepoints,)
        Consecutive offsets from the centre, in samples.
    """
    starts = centres + grid[0]
    inside = (starts >= 0) & (starts + grid.size <= trace.size)
    if not inside.any():
        return Windows(np.empty((0, grid.size)), inside)
    windows = np.lib.stride_tricks.sliding_window_view(trace, grid.size)
    return Windows(windows[starts[inside]], inside)


def cut_interp(
    trace: np.ndarray, time: np.ndarray, centres: np.ndarray, grid: np.ndarray, frequency: float
) -> Windows:
    """Interpolate windows linearly at the exact instants.

    Parameters
    ----------
    trace, time : array, shape (n_samples,)
    centres : array, shape (n_centres,)
        Seconds on the recording's clock.
    grid : array, shape (n_timepoints,)
        Seconds from the centre.
    frequency : float
        Sampling rate, Hz.
    """
    slack = SAME_SAMPLE / frequency
    inside = (centres + grid[0] >= time[0] - slack) & (centres + grid[-1] <= time[-1] + slack)
    before, weight = bracket(centres[inside, np.newaxis] + grid, time)
    return Windows(blend(trace[before], trace[before + 1], weight), inside)


def bracket(instants: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sample before each instant, and how far towards the next one the instant lies.

    Parameters
    ----------
    instants : array
        Seconds, inside the recording to within a rounding error.
    time : array, shape (n_samples,), of two samples or more
        Seconds, increasing.

    Returns
    -------
    before, weight : integer array, array, of the instants' shape
        An instant that misses a sample by a rounding error lies on it: 0 or 1 exactly.
    """
    before = np.clip(np.searchsorted(time, instants, side="right") - 1, 0, time.size - 2)
    weight = (instants - time[before]) / (time[before + 1] - time[before])
    on_sample = np.abs(weight - np.rint(weight)) <= SAME_SAMPLE
    return before, np.where(on_sample, np.rint(weight), weight)


def blend(left: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means of both sides; a side without weight gives nothing, not even NaN."""
    between = left * (1 - weight) + right * weight
    return np.where(weight == 0, left, np.where(weight == 1, right, between))
