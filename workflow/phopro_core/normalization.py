"""Trial normalization: every trial in units of its own baseline."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from phopro_core.variation import varies

TrialNormalization = Literal["zscore", "zero", "mad", "amp", "none"]

#: Brings the median absolute deviation of normal data to their standard deviation.
MAD_TO_SD = 1.4826


def normalize_trials(
    trials: np.ndarray, baselines: np.ndarray | None, method: TrialNormalization | Callable
) -> np.ndarray:
    """Normalize trials against their baseline windows.

    Parameters
    ----------
    trials : array, shape (n_trials, n_timepoints)
    baselines : array, shape (n_trials, n_baseline_timepoints), or None
        Needed by every method but 'none'.
    method : {'zscore', 'zero', 'mad', 'amp', 'none'} or callable
        With m and s the mean and population standard deviation of the trial's baseline:
        'zscore' (x − m) / s; 'zero' x − m; 'mad' (x − median) / (1.4826 · median
        absolute deviation); 'amp' (x − m) over its own largest absolute value, so that
        every trial peaks at 1 or −1. A callable receives both arrays and returns one of
        the trials' shape.

    Returns
    -------
    array, shape (n_trials, n_timepoints)
        NaN in trials whose baseline does not vary where a method divides by its spread.

    Raises
    ------
    ValueError
        If a method needs baselines and there are none.
    """
    if callable(method):
        normalized = np.asarray(method(trials, baselines), dtype=float)
        if normalized.shape != trials.shape:
            raise ValueError(
                "the function given as trial_normalization returned an array of shape "
                f"{normalized.shape}, but must return one of shape {trials.shape}"
            )
        return normalized
    if method == "none":
        return trials
    if method not in get_args(TrialNormalization):
        raise ValueError(
            f"trial_normalization is {method!r}, but must be one of "
            f"{', '.join(get_args(TrialNormalization))}, or a function"
        )
    if baselines is None:
        raise ValueError(f"trial_normalization {method!r} needs baseline_bounds")
    if method == "mad":
        centre = np.median(baselines, axis=1, keepdims=True)
        spread = MAD_TO_SD * np.median(np.abs(baselines - centre), axis=1, keepdims=True)
        return _divide(trials - centre, spread, baselines)
    deviations = trials - baselines.mean(axis=1, keepdims=True)
    match method:
        case "zero":
            return deviations
        case "zscore":
            return _divide(deviations, baselines.std(axis=1, keepdims=True), baselines)
        case "amp":
            return _divide(deviations, np.abs(deviations).max(axis=1, keepdims=True), deviations)


def _divide(values: np.ndarray, spread: np.ndarray, spread_of: np.ndarray) -> np.ndarray:
    defined = varies(spread_of)[:, np.newaxis] & (spread > 0)
    return values / np.where(defined, spread, np.nan)
