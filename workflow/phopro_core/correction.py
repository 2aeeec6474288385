"""From filtered signal and reference to the processed signal."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from phopro_core.variation import varies

DualCorrection = Literal["dF/F", "dF"]
SingleCorrection = Literal["dB/B", "dB"]
CorrectionMethod = Literal["dF/F", "dF", "dB/B", "dB", "none"]
SignalNormalization = Literal["zscore", "nullZ", "none"]


def check_correction(method: CorrectionMethod | Callable, n_channels: int) -> None:
    """Raise ValueError where a correction method does not fit the recording's channels."""
    if callable(method):
        return
    if method not in get_args(CorrectionMethod):
        raise ValueError(
            f"correction_method is {method!r}, but must be one of "
            f"{', '.join(get_args(CorrectionMethod))}, or a function"
        )
    if n_channels == 1 and method in get_args(DualCorrection):
        raise ValueError(
            f"correction_method {method!r} is for dual-channel recordings, and this one "
            "has no isosbestic; use 'dB/B', 'dB' or 'none'"
        )
    if n_channels == 2 and method in get_args(SingleCorrection):
        raise ValueError(
            f"correction_method {method!r} is for single-channel recordings, and this "
            "one has an isosbestic; use 'dF/F', 'dF' or 'none', or channel_mode 'single'"
        )


def correct(
    signal: np.ndarray, reference: np.ndarray, method: CorrectionMethod | Callable
) -> np.ndarray:
    """Take the reference out of the signal.

    Parameters
    ----------
    signal, reference : array, shape (n_samples,)
        In the same units.
    method : {'dF/F', 'dB/B', 'dF', 'dB', 'none'} or callable
        'dF/F' and 'dB/B' give (signal − reference) / reference, without unit;
        'dF' and 'dB' give signal − reference; 'none' gives the signal; a callable
        receives both arrays and returns one of the same shape.

    Raises
    ------
    ValueError
        If dividing by a reference that touches zero.
    """
    if callable(method):
        return checked_result(method(signal, reference), signal, "correction_method")
    if method == "none":
        return signal.copy()
    corrected = signal - reference
    if method in ("dF/F", "dB/B"):
        if (reference <= 0).any():
            raise ValueError(
                f"{method} divides by the fitted reference, which falls to "
                f"{reference.min():g}; fluorescence must stay above zero (was a dark level "
                f"subtracted?), or use correction_method '{method[:2]}'"
            )
        corrected /= reference
    return corrected


def normalize_signal(signal: np.ndarray, method: SignalNormalization | Callable) -> np.ndarray:
    """Bring a whole processed signal to unit standard deviation.

    Parameters
    ----------
    signal : array, shape (n_samples,)
    method : {'zscore', 'nullZ', 'none'} or callable
        'zscore' subtracts the mean and divides by the (population) standard deviation;
        'nullZ' divides only, so that zero stays zero; a callable receives the signal and
        returns an array of the same shape.

    Raises
    ------
    ValueError
        If the signal is constant.
    """
    if callable(method):
        return checked_result(method(signal), signal, "signal_normalization")
    if method == "none":
        return signal
    if method not in get_args(SignalNormalization):
        raise ValueError(
            f"signal_normalization is {method!r}, but must be one of "
            f"{', '.join(get_args(SignalNormalization))}, or a function"
        )
    if not varies(signal):
        raise ValueError(f"signal_normalization {method!r} of a constant signal")
    return (signal - signal.mean() if method == "zscore" else signal) / signal.std()


def checked_result(result: np.ndarray, signal: np.ndarray, setting: str) -> np.ndarray:
    """What a user's function returned, if it is finite numbers in the signal's shape.

    Raises
    ------
    ValueError
        If not; the message names the setting that the function was given as.
    """
    result = np.asarray(result, dtype=float)
    if result.shape != signal.shape:
        raise ValueError(
            f"what was given as {setting} returned an array of shape {result.shape}, "
            f"but must return one of shape {signal.shape}"
        )
    unusable = np.count_nonzero(~np.isfinite(result))
    if unusable:
        raise ValueError(
            f"what was given as {setting} returned {unusable} values of {result.size} that are "
            "not finite numbers"
        )
    return result
