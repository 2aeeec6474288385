"""Preprocessing: from raw traces to the processed signal of one recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector, checked_table
from phopro_core.correction import (
    CorrectionMethod,
    SignalNormalization,
    check_correction,
    checked_result,
    correct,
    normalize_signal,
)
from phopro_core.filtering import lowpass
from phopro_core.photobleaching import fit_detrended, fit_photobleaching
from phopro_core.references import ReferenceFit, fit_irls, fit_ols, with_r2

if TYPE_CHECKING:
    import pandas as pd

FitMethod = Literal["OLS", "IRLS", "detrend_retrend", "detrend_fit_retrend"]
ChannelMode = Literal["auto", "dual", "single"]


@dataclass(frozen=True)
class ProcessedTraces:
    """What preprocessing makes of a recording; arrays of shape (n_samples,).

    ``fit`` is the reference curve with its coefficients; ``reference_type`` is
    'isosbestic' or 'photobleaching'; ``artifacts`` is a table of those found, None where
    none were looked for, and the filtered signal is without those that were mended.
    Arrays are NaN in gaps.
    """

    filtered_signal: np.ndarray
    filtered_isosbestic: np.ndarray | None
    fit: ReferenceFit
    reference_type: Literal["isosbestic", "photobleaching"]
    processed_signal: np.ndarray
    artifacts: pd.DataFrame | None


def preprocess(
    signal: np.ndarray,
    isosbestic: np.ndarray | None,
    time: np.ndarray,
    frequency: float,
    *,
    cutoff_frequency: float | None = 3.0,
    order: int = 4,
    signal_normalization: SignalNormalization | Callable = "none",
    correction_method: CorrectionMethod | Callable = "dF/F",
    fit_using: FitMethod | Callable = "IRLS",
    add_intercept: bool = True,
    maxiter: int = 1000,
    c: float = 3.0,
    window_dur_sec: float = 5.0,
    channel_mode: ChannelMode = "auto",
    artifact_detector: ArtifactDetector | None = None,
    artifact_corrector: ArtifactCorrector | None = None,
) -> ProcessedTraces:
    """Filter, mend artifacts, fit the reference, correct, normalize.

    See :meth:`phopro_core.PhotometryExperiment.preprocess_signal` for the parameters.

    Parameters
    ----------
    signal : array, shape (n_samples,)
        Raw fluorescence at the sensor's wavelength, NaN in gaps.
    isosbestic : array, shape (n_samples,), or None
        Raw fluorescence at the sensor-independent wavelength, NaN in gaps.
    time : array, shape (n_samples,)
        The recording's clock, even, seconds.
    frequency : float
        Sampling rate, Hz.
    """
    dual = _is_dual(isosbestic, channel_mode)
    check_correction(correction_method, n_channels=2 if dual else 1)
    if artifact_corrector is not None and artifact_detector is None:
        raise ValueError("artifact_corrector needs an artifact_detector to tell it where they are")
    raw = np.stack([signal, isosbestic]) if dual else signal[np.newaxis]
    filtered = lowpass(raw, frequency, cutoff_frequency, order)

    present = ~np.isnan(filtered).any(axis=0)
    traces, time = _at(present, filtered), _at(present, time)
    sig, iso = traces[0], traces[1] if dual else None
    artifacts = None
    if artifact_detector is not None:
        artifacts, sig = _mend(sig, iso, time, artifact_detector, artifact_corrector)
    if dual:
        fit_reference = _reference_fit(
            fit_using,
            time,
            frequency,
            add_intercept=add_intercept,
            maxiter=maxiter,
            c=c,
            window_dur_sec=window_dur_sec,
        )
        fit = fit_reference(sig, iso)
    else:
        fit = fit_photobleaching(sig, time, frequency, window_dur_sec)
    corrected = correct(sig, fit.reference, correction_method)
    return ProcessedTraces(
        filtered_signal=_back(present, sig),
        filtered_isosbestic=filtered[1] if dual else None,
        fit=fit._replace(reference=_back(present, fit.reference)),
        reference_type="isosbestic" if dual else "photobleaching",
        processed_signal=_back(present, normalize_signal(corrected, signal_normalization)),
        artifacts=artifacts,
    )


def _mend(
    signal: np.ndarray,
    isosbestic: np.ndarray | None,
    time: np.ndarray,
    detector: ArtifactDetector,
    corrector: ArtifactCorrector | None,
) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of the artifacts, and the signal without them.

    Before the reference is fitted: a jump of the signal would pull any fit along, and what
    a wrong reference leaves is no longer to be mended. What both channels share is taken
    out first, for the reference will take it out, and put back in the end; so an artifact
    of the isosbestic alone ends up in both, and cancels.
    """
    shared = None
    if isosbestic is not None:
        # Told from the derivatives, in which a jump is one outlier among many samples.
        slope = fit_irls(np.diff(signal), np.diff(isosbestic), add_intercept=False).coeffs[0]
        shared = slope * isosbestic
    own = signal if shared is None else signal - shared
    artifacts = checked_table(detector.detect(own, shared, time), detector)
    if corrector is None:
        return artifacts, signal
    mended = checked_result(corrector.correct(own, time, artifacts), own, "artifact_corrector")
    return artifacts, mended if shared is None else mended + shared


def _at(present: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The samples that are there, shape (..., n_present); no copy where all are."""
    return values if present.all() else values[..., present]


def _back(present: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values in their places among all samples, NaN in gaps; the inverse of :func:`_at`."""
    if present.all():
        return values
    everywhere = np.full(present.size, np.nan)
    everywhere[present] = values
    return everywhere


def _is_dual(isosbestic: np.ndarray | None, channel_mode: ChannelMode) -> bool:
    if channel_mode not in get_args(ChannelMode):
        raise ValueError(
            f"channel_mode is {channel_mode!r}, but must be one of "
            f"{', '.join(get_args(ChannelMode))}"
        )
    if channel_mode == "dual" and isosbestic is None:
        raise ValueError("channel_mode is 'dual', but this recording has no isosbestic")
    return isosbestic is not None and channel_mode != "single"


def _reference_fit(
    fit_using: FitMethod | Callable,
    time: np.ndarray,
    frequency: float,
    *,
    add_intercept: bool,
    maxiter: int,
    c: float,
    window_dur_sec: float,
) -> Callable[[np.ndarray, np.ndarray], ReferenceFit]:
    """The function of signal and isosbestic that a setting names."""
    if callable(fit_using):
        return partial(_fit_by_user, fit_using)
    irls = partial(fit_irls, add_intercept=add_intercept, c=c, maxiter=maxiter)
    detrended = partial(
        fit_detrended, time=time, frequency=frequency, window_dur_sec=window_dur_sec
    )
    match fit_using:
        case "OLS":
            return partial(fit_ols, add_intercept=add_intercept)
        case "IRLS":
            return irls
        case "detrend_retrend":
            return detrended
        case "detrend_fit_retrend":
            return partial(detrended, fit_line=irls)
        case _:
            raise ValueError(
                f"fit_using is {fit_using!r}, but must be one of "
                f"{', '.join(get_args(FitMethod))}, or a function"
            )


def _fit_by_user(function: Callable, signal: np.ndarray, isosbestic: np.ndarray) -> ReferenceFit:
    result = function(signal, isosbestic)
    try:
        reference, params = result
    except (TypeError, ValueError):
        raise ValueError(
            "the function given as fit_using must return the fitted reference and its "
            f"parameters, (fitted, params), but returned a {type(result).__name__}"
        ) from None
    reference = checked_result(reference, signal, "fit_using")
    return with_r2(signal, reference, _as_coefficients(params))


def _as_coefficients(params: Any) -> np.ndarray | dict[str, float]:
    """Parameters of a user's fit as plain numbers, which files can hold."""
    try:
        if isinstance(params, Mapping):
            return {str(name): float(value) for name, value in params.items()}
        return np.ravel(np.asarray([] if params is None else params, dtype=float))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the function given as fit_using returned the parameters {params!r}, which are not "
            "numbers, a mapping of names to numbers, or None"
        ) from error
