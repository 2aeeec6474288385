"""Traces and digital lines that were sampled at different times."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from phopro_core.sampling import TOO_LONG, typical_step

logger = logging.getLogger(__name__)


class Trace(NamedTuple):
    """Samples and their times, both of shape (n_samples,), in seconds."""

    time: np.ndarray
    values: np.ndarray


def on_one_clock(
    path: str | Path, signal: Trace, isosbestic: Trace | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Bring an isosbestic to the times of the signal, by linear interpolation.

    Parameters
    ----------
    path : path
        The file, for messages.
    signal : Trace
    isosbestic : Trace or None

    Returns
    -------
    time : array, shape (n_samples,)
        Times of the signal at which there is an isosbestic, less than a step of it away
        at either end.
    traces : list of array, each of shape (n_samples,)
        The signal and, where there is one, the isosbestic; NaN in gaps of the isosbestic.

    Raises
    ------
    ValueError
        If a trace has less than two samples, its time does not increase, or the two were
        not recorded at the same time.
    """
    for name, trace in {"signal": signal, "isosbestic": isosbestic}.items():
        if trace is None:
            continue
        if trace.values.size < 2:
            raise ValueError(f"{path}: {trace.values.size} samples of the {name} are no recording")
        back = np.flatnonzero(np.diff(trace.time) <= 0)
        if back.size:
            before, after = trace.time[back[0] : back[0] + 2]
            raise ValueError(
                f"{path}: the time of the {name} does not increase after its sample {back[0]} "
                f"({before:.6f} s, then {after:.6f} s), nor at {back.size - 1} more"
            )
    if isosbestic is None:
        return signal.time, [signal.values]
    if np.array_equal(signal.time, isosbestic.time):
        return signal.time, [signal.values, isosbestic.values]
    step = typical_step(isosbestic.time)
    first, last = isosbestic.time[0] - step, isosbestic.time[-1] + step
    within = (signal.time > first) & (signal.time < last)
    if np.count_nonzero(within) < 2:
        raise ValueError(
            f"{path}: the signal ({signal.time[0]:g} to {signal.time[-1]:g} s) and the isosbestic "
            f"({isosbestic.time[0]:g} to {isosbestic.time[-1]:g} s) were not recorded at the same "
            "time"
        )
    if not within.all():
        logger.warning(
            "%s: left out %d of %d samples of the signal, at which there is no isosbestic (%g to "
            "%g s)",
            path,
            np.count_nonzero(~within),
            within.size,
            isosbestic.time[0],
            isosbestic.time[-1],
        )
    time = signal.time[within]
    values = np.interp(time, isosbestic.time, isosbestic.values)
    for gap in np.flatnonzero(np.diff(isosbestic.time) > TOO_LONG * step):
        start, stop = isosbestic.time[gap : gap + 2]
        after = np.searchsorted(time, start + step / 2, side="right")
        values[after : np.searchsorted(time, stop - step / 2)] = np.nan
    return time, [signal.values[within], values]


def onsets(time: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Times at which a digital line goes from low to high.

    Parameters
    ----------
    time : array, shape (n_samples,)
        Seconds.
    levels : array, shape (n_samples,)
        High where above half of the way from the lowest to the highest level; NaN where
        not known. A line that is high from the start has no onset there: when it went up
        is not known.

    Examples
    --------
    >>> onsets(np.arange(5.0), np.array([1, 0, 1, 1, 0]))
    array([2.])
    """
    levels = np.asarray(levels, dtype=float)
    known = ~np.isnan(levels)
    time, levels = time[known], levels[known]
    if levels.size == 0:
        return time
    high = levels > (levels.min() + levels.max()) / 2
    return time[1:][high[1:] & ~high[:-1]]
