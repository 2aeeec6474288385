"""Fewer samples: by averaging blocks, or by anti-aliased resampling."""

from typing import Literal, get_args

import numpy as np

DownsamplingMethod = Literal["mean", "resample"]


def downsample(
    traces: np.ndarray,
    time: np.ndarray,
    factor: int,
    method: DownsamplingMethod = "mean",
    window: str | tuple = ("kaiser", 5.0),
    padtype: str = "line",
) -> tuple[np.ndarray, np.ndarray]:
    """Keep one sample in `factor`.

    Parameters
    ----------
    traces : array, shape (..., n_samples)
    time : array, shape (n_samples,)
        Seconds.
    factor : int
        1 or more.
    method : {'mean', 'resample'}
        'mean' averages blocks of `factor` samples, an incomplete last block left out,
        each stamped with the mean of its times; 'resample' filters with a zero-phase
        polyphase FIR against aliasing and keeps every factor-th sample and its time.
    window, padtype
        Of :func:`scipy.signal.resample_poly`, for 'resample'.

    Returns
    -------
    traces, time : arrays, shape (..., n_kept) and (n_kept,)

    Raises
    ------
    ValueError
        If the factor is not a whole number from 1 up to the number of samples, or there
        is no such method.

    Examples
    --------
    >>> downsample(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), np.arange(5.0), 2)
    (array([2., 6.]), array([0.5, 2.5]))
    """
    if factor < 1 or factor != int(factor):
        raise ValueError(f"downsample is {factor!r}, but must be a whole number from 1 up")
    factor = int(factor)
    if method not in get_args(DownsamplingMethod):
        raise ValueError(
            f"downsampling method is {method!r}, but must be one of "
            f"{', '.join(get_args(DownsamplingMethod))}"
        )
    if factor == 1:
        return traces, time
    if factor > time.size:
        raise ValueError(f"downsample is {factor}, which leaves nothing of {time.size} samples")
    if method == "mean":
        return _block_means(traces, factor), _block_means(time, factor)
    from scipy.signal import resample_poly

    kept = resample_poly(traces, 1, factor, axis=-1, window=window, padtype=padtype)
    return kept, time[::factor]


def _block_means(values: np.ndarray, factor: int) -> np.ndarray:
    n_blocks = values.shape[-1] // factor
    blocks = values[..., : n_blocks * factor].reshape(*values.shape[:-1], n_blocks, factor)
    return blocks.mean(axis=-1)
