"""Recentring: trials cut anew, out of their own samples, around other centres."""

import logging
from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np

from phopro_core.extraction import Bounds, InvalidWindowPolicy, WindowAlignment, check_bounds
from phopro_core.windows import (
    SAME_SAMPLE,
    blend,
    bracket,
    interp_grid,
    nearest_grid,
    nearest_samples,
)

logger = logging.getLogger(__name__)


class Recentred(NamedTuple):
    """Trials around their new centres.

    ``arrays`` are of shape (n_valid, n_timepoints) each; ``t``, shape (n_timepoints,), is
    in seconds from the new centres; ``centres``, shape (n_valid,), tells where these lie,
    in seconds from the old ones; ``inside``, shape (n_trials,), which trials are valid.
    """

    arrays: list[np.ndarray]
    t: np.ndarray
    centres: np.ndarray
    inside: np.ndarray


def recentre_trials(
    arrays: Sequence[np.ndarray],
    t: np.ndarray,
    frequency: float,
    centres: np.ndarray,
    bounds: Bounds,
    strategy: WindowAlignment = "nearest",
) -> Recentred:
    """Cut each trial anew around a centre of its own.

    Parameters
    ----------
    arrays : list of array, shape (n_trials, n_timepoints)
        Signals, and whatever else there is per trial and time point.
    t : array, shape (n_timepoints,), of two time points or more
        Seconds.
    frequency : float
        Time points per second, Hz.
    centres : array, shape (n_trials,)
        Seconds on the clock of `t`. Trials without one, NaN, are not valid.
    bounds : (low, high)
        Seconds from the new centres.
    strategy : {'nearest', 'interp'}
        Whether a centre snaps to the nearest time point, or the trials are interpolated
        linearly around the exact centre.

    Raises
    ------
    ValueError
        If the strategy is another one, or the bounds hold no sample.
    """
    if strategy not in get_args(WindowAlignment):
        raise ValueError(
            f"strategy is {strategy!r}, but must be one of {', '.join(get_args(WindowAlignment))}"
        )
    check_bounds("bounds", bounds, frequency)
    recentre = _on_samples if strategy == "nearest" else _between_samples
    return recentre(arrays, t, frequency, centres, bounds)


def check_inside(
    inside: np.ndarray, centres: np.ndarray, t: np.ndarray, policy: InvalidWindowPolicy
) -> None:
    """Raise ValueError, or warn, where windows reach outside their trials.

    Parameters
    ----------
    inside, centres, t
        As in :class:`Recentred` and :func:`recentre_trials`.
    policy : {'error', 'drop'}
        'error' raises if any window is not inside, 'drop' only if none is.
    """
    if policy not in get_args(InvalidWindowPolicy):
        raise ValueError(
            f"invalid_window_policy is {policy!r}, but must be one of "
            f"{', '.join(get_args(InvalidWindowPolicy))}"
        )
    outside = np.flatnonzero(~inside)
    if outside.size == 0:
        return
    which = (
        f"the windows of {outside.size} of {inside.size} trials reach outside them "
        f"({t[0]:g} to {t[-1]:g} s), or have no centre: trials {outside.tolist()}, centred at "
        f"{', '.join(f'{centre:g}' for centre in centres[outside])} s"
    )
    if policy == "error":
        raise ValueError(f"{which}; invalid_window_policy 'drop' leaves them out")
    if outside.size == inside.size:
        raise ValueError(f"no trial is left: {which}; shorten the bounds, or check the centres")
    logger.warning("Dropped trials: %s", which)


def _on_samples(
    arrays: Sequence[np.ndarray],
    t: np.ndarray,
    frequency: float,
    centres: np.ndarray,
    bounds: Bounds,
) -> Recentred:
    grid = nearest_grid(bounds, frequency)
    known = np.isfinite(centres)
    placed = np.zeros(centres.shape, dtype=int)
    placed[known] = nearest_samples(centres[known], t, frequency)
    starts = placed + grid[0]
    inside = known & (starts >= 0) & (starts + grid.size <= t.size)
    columns = starts[inside, np.newaxis] + np.arange(grid.size)
    cut = [np.take_along_axis(values[inside], columns, axis=1) for values in arrays]
    # A window may lie inside its trial although its centre does not.
    nearest_within = np.clip(placed[inside], 0, t.size - 1)
    snapped = t[nearest_within] + (placed[inside] - nearest_within) / frequency
    return Recentred(cut, grid / frequency, snapped, inside)


def _between_samples(
    arrays: Sequence[np.ndarray],
    t: np.ndarray,
    frequency: float,
    centres: np.ndarray,
    bounds: Bounds,
) -> Recentred:
    grid = interp_grid(bounds, frequency)
    slack = SAME_SAMPLE / frequency
    inside = (centres + grid[0] >= t[0] - slack) & (centres + grid[-1] <= t[-1] + slack)
    instants = centres[inside, np.newaxis] + grid
    before, weight = bracket(instants, t)
    cut = [
        blend(
            np.take_along_axis(values[inside], before, axis=1),
            np.take_along_axis(values[inside], before + 1, axis=1),
            weight,
        )
        for values in arrays
    ]
    return Recentred(cut, grid, centres[inside], inside)
