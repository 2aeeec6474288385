"""Preprocessing: from raw traces to the processed signal of one recording."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from phopro_core.correction import (
    CorrectionMethod,
    SignalNormalization,
    check_correction,
    correct,
    normalize_signal,
)
from phopro_core.filtering import lowpass
from phopro_core.photobleaching import fit_photobleaching
from phopro_core.references import ReferenceFit, fit_irls, fit_ols

logger = logging.getLogger(__name__)

FitMethod = Literal["OLS", "IRLS"]
ChannelMode = Literal["auto", "dual", "single"]


@dataclass(frozen=True)
class ProcessedTraces:
    """What preprocessing makes of a recording; arrays of shape (n_samples,).

    ``fit`` is the reference curve with its coefficients; ``reference_type`` is
    'isosbestic' or 'photobleaching'.
    """

    filtered_signal: np.ndarray
    filtered_isosbestic: np.ndarray | None
    fit: ReferenceFit
    reference_type: Literal["isosbestic", "photobleaching"]
    processed_signal: np.ndarray


def preprocess(
    signal: np.ndarray,
    isosbestic: np.ndarray | None,
    frequency: float,
    *,
    cutoff_frequency: float | None = 3.0,
    order: int = 4,
    signal_normalization: SignalNormalization | Callable = "none",
    correction_method: CorrectionMethod | Callable = "dF/F",
    fit_using: FitMethod = "IRLS",
    add_intercept: bool = True,
    maxiter: int = 1000,
    c: float = 3.0,
    window_dur_sec: float = 5.0,
    channel_mode: ChannelMode = "auto",
) -> ProcessedTraces:
    """Filter, fit the reference, correct, normalize.

    See :meth:`phopro_core.PhotometryExperiment.preprocess_signal` for the parameters.

    Parameters
    ----------
    signal : array, shape (n_samples,)
        Raw fluorescence at the sensor's wavelength.
    isosbestic : array, shape (n_samples,), or None
        Raw fluorescence at the sensor-independent wavelength.
    frequency : float
        Sampling rate, Hz.
    """
    dual = _is_dual(isosbestic, channel_mode)
    check_correction(correction_method, n_channels=2 if dual else 1)
    raw = np.stack([signal, isosbestic]) if dual else signal[np.newaxis]
    filtered = lowpass(raw, frequency, cutoff_frequency, order)
    if dual:
        fit = _fit_isosbestic(filtered[0], filtered[1], fit_using, add_intercept, maxiter, c)
    else:
        fit = fit_photobleaching(filtered[0], frequency, window_dur_sec)
    corrected = correct(filtered[0], fit.reference, correction_method)
    return ProcessedTraces(
        filtered_signal=filtered[0],
        filtered_isosbestic=filtered[1] if dual else None,
        fit=fit,
        reference_type="isosbestic" if dual else "photobleaching",
        processed_signal=normalize_signal(corrected, signal_normalization),
    )


def _is_dual(isosbestic: np.ndarray | None, channel_mode: ChannelMode) -> bool:
    if channel_mode not in get_args(ChannelMode):
        raise ValueError(
            f"channel_mode is {channel_mode!r}, but must be one of "
            f"{', '.join(get_args(ChannelMode))}"
        )
    if channel_mode == "dual" and isosbestic is None:
        raise ValueError("channel_mode is 'dual', but this recording has no isosbestic")
    return isosbestic is not None and channel_mode != "single"


def _fit_isosbestic(
    signal: np.ndarray,
    isosbestic: np.ndarray,
    fit_using: FitMethod,
    add_intercept: bool,
    maxiter: int,
    c: float,
) -> ReferenceFit:
    match fit_using:
        case "OLS":
            return fit_ols(signal, isosbestic, add_intercept)
        case "IRLS":
            return fit_irls(signal, isosbestic, add_intercept, c, maxiter)
        case _:
            raise ValueError(
                f"fit_using is {fit_using!r}, but must be one of {', '.join(get_args(FitMethod))}"
            )
