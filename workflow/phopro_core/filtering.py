"""Low-pass filtering of continuous traces."""

import numpy as np
from scipy import signal as sps

from phopro_core.runs import runs


def lowpass(
    traces: np.ndarray, frequency: float, cutoff_frequency: float | None, order: int = 4
) -> np.ndarray:
    """Remove what is faster than a cutoff, without shifting anything in time.

    A Butterworth filter in second-order sections, run forward and backward
    (zero phase, so that the effective order is doubled) over the trace extended by
    odd reflection at both ends.

    Parameters
    ----------
    traces : array, shape (..., n_samples)
        Evenly sampled. Several traces are filtered in one call. Where one is NaN there
        is a gap in all: the pieces between gaps are filtered each on its own.
    frequency : float
        Sampling rate, Hz.
    cutoff_frequency : float or None
        Hz, below half the sampling rate. None returns the traces as they are.
    order : int
        Order of the Butterworth prototype.

    Returns
    -------
    array, shape (..., n_samples)
        NaN in gaps, and in pieces between them too short to be extended at their ends.

    Raises
    ------
    ValueError
        If the cutoff or the order can't be realised at this sampling rate, or no piece
        of the traces is long enough to be extended at its ends.

    References
    ----------
    Gustafsson, F. (1996). Determining the initial states in forward-backward
    filtering. IEEE Transactions on Signal Processing, 44(4).
    """
    if cutoff_frequency is None:
        return traces
    nyquist = frequency / 2
    if not 0 < cutoff_frequency < nyquist:
        raise ValueError(
            f"cutoff_frequency is {cutoff_frequency:g} Hz, but must lie between 0 and "
            f"{nyquist:g} Hz (half the sampling rate of {frequency:g} Hz); "
            "None switches the filter off"
        )
    if order < 1 or order != int(order):
        raise ValueError(f"order is {order!r}, but must be a whole number from 1 up")
    sections = sps.butter(int(order), cutoff_frequency, fs=frequency, output="sos")
    padding = _padding(sections)
    complete = ~np.isnan(traces).any(axis=tuple(range(traces.ndim - 1)))
    pieces = runs(complete)
    longest = int(np.diff(pieces).max(initial=0))
    if longest <= padding:
        raise ValueError(
            f"{longest} samples are too few for a low-pass filter of order {order}, "
            f"which needs more than {padding}; "
            "lower the order, or switch the filter off with cutoff_frequency: null"
        )
    filtered = np.full_like(traces, np.nan)
    for start, stop in pieces[np.diff(pieces)[:, 0] > padding]:
        filtered[..., start:stop] = sps.sosfiltfilt(
            sections, traces[..., start:stop], padtype="odd", padlen=padding
        )
    return filtered


def _padding(sections: np.ndarray) -> int:
    """Samples of reflected trace at each end: three times the filter's length."""
    zeros_at_origin = min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum())
    return int(3 * (2 * len(sections) + 1 - zeros_at_origin))
