"""Intervals of a signal: what lies in them, and its levels on both sides."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from phopro_core.references import NORMAL_MAD

Interval = tuple[float, float]

#: Samples without which a level can't be told.
ENOUGH = 5


class LevelChange(NamedTuple):
    """How far the level of a signal moves across an interval, and its noise there.

    Both in the signal's units; ``noise`` is the standard deviation around the levels,
    estimated by the median absolute deviation. NaN where a side has too few samples.
    """

    change: float
    noise: float


def span(time: np.ndarray, interval: Interval) -> slice:
    """The samples in an interval (seconds), its edges included."""
    start, stop = interval
    return slice(*np.searchsorted(time, [start, np.nextafter(stop, np.inf)]))


def outside(time: np.ndarray, intervals: Iterable[Interval]) -> np.ndarray:
    """Which samples lie in none of the intervals (seconds), shape (n_samples,)."""
    free = np.ones(time.size, dtype=bool)
    for interval in intervals:
        free[span(time, interval)] = False
    return free


def merge(intervals: np.ndarray, distance: float) -> np.ndarray:
    """Join intervals that are no farther apart than a distance.

    Parameters
    ----------
    intervals : array, shape (n_intervals, 2)
        Starts and stops, each increasing.
    distance : float
        In the units of the intervals.

    Examples
    --------
    >>> merge(np.array([[0.0, 1.0], [1.5, 2.0], [4.0, 5.0]]), 0.5).tolist()
    [[0.0, 2.0], [4.0, 5.0]]
    """
    if not len(intervals):
        return intervals
    apart = intervals[1:, 0] - intervals[:-1, 1] > distance
    return np.stack([intervals[np.r_[True, apart], 0], intervals[np.r_[apart, True], 1]], axis=1)


def level_change(
    signal: np.ndarray,
    time: np.ndarray,
    interval: Interval,
    usable: np.ndarray,
    level_sec: float,
    jumps: Iterable[Interval] = (),
) -> LevelChange:
    """Compare the medians of a signal before and after an interval.

    Parameters
    ----------
    signal, time : array, shape (n_samples,)
        The signal and its clock, seconds.
    interval : (start, stop)
        Seconds.
    usable : bool array, shape (n_samples,)
        Samples that lie in no artifact.
    level_sec : float
        How much of the signal to look at on each side, seconds.
    jumps : intervals
        Where the level is known to change: what lies beyond the next is not looked at.
    """
    start, stop = interval
    earliest = max([start - level_sec, *(end for _, end in jumps if end <= start)])
    latest = min([stop + level_sec, *(begin for begin, _ in jumps if begin >= stop)])
    sides = [
        signal[side][usable[side]]
        for side in (span(time, (earliest, start)), span(time, (stop, latest)))
    ]
    if min(side.size for side in sides) < ENOUGH:
        return LevelChange(np.nan, np.nan)
    before, after = (np.median(side) for side in sides)
    deviations = np.concatenate([sides[0] - before, sides[1] - after])
    return LevelChange(after - before, np.median(np.abs(deviations)) / NORMAL_MAD)
