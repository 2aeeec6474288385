"""Low-pass filtering of continuous traces."""

import numpy as np
from scipy import signal as sps


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
        Evenly sampled, finite. Several traces are filtered in one call.
    frequency : float
        Sampling rate, Hz.
    cutoff_frequency : float or None
        Hz, below half the sampling rate. None returns the traces as they are.
    order : int
        Order of the Butterworth prototype.

    Returns
    -------
    array, shape (..., n_samples)

    Raises
    ------
    ValueError
        If the cutoff or the order can't be realised at this sampling rate, or the
        traces are too short to be extended at their ends.

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
    n_samples = traces.shape[-1]
    if n_samples <= padding:
        raise ValueError(
            f"{n_samples} samples are too few for a low-pass filter of order {order}, "
            f"which needs more than {padding}; "
            "lower the order, or switch the filter off with cutoff_frequency: null"
        )
    return sps.sosfiltfilt(sections, traces, padtype="odd", padlen=padding)


def _padding(sections: np.ndarray) -> int:
    """Samples of reflected trace at each end: three times the filter's length."""
    zeros_at_origin = min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum())
    return int(3 * (2 * len(sections) + 1 - zeros_at_origin))
