"""Events around trials: which occurrence of an event belongs to which trial."""

from typing import Literal, get_args

import numpy as np

ConflictLogic = Literal["first", "last", "mean", "all"]

#: Seconds by which a time may miss a tolerance and still count as on its edge.
ON_THE_EDGE = 1e-9


def occurrences_in_trials(
    event_times: np.ndarray,
    align_times: np.ndarray,
    tolerance: tuple[float, float],
    conflict_logic: ConflictLogic = "first",
) -> np.ndarray:
    """Find the occurrences of an event in a tolerance around each trial's align time.

    Parameters
    ----------
    event_times : array, shape (n_occurrences,)
        Seconds, in any order.
    align_times : array, shape (n_trials,)
        Seconds.
    tolerance : (low, high)
        Seconds relative to the align time, both edges included.
    conflict_logic : {'first', 'last', 'mean', 'all'}
        What to give where several occurrences fall in one tolerance.

    Returns
    -------
    array, shape (n_trials, n_columns)
        Times of occurrence, seconds, NaN where there is none. One column, except for
        'all': as many as the trial with most occurrences has, and one at least.

    Examples
    --------
    >>> occurrences_in_trials([12.0, 13.0, 24.0], [10.0, 20.0, 30.0], (2, 4))
    array([[12.],
           [24.],
           [nan]])
    >>> occurrences_in_trials([12.0, 13.0], [10.0], (2, 4), "all")
    array([[12., 13.]])
    """
    check_tolerance(tolerance)
    if conflict_logic not in get_args(ConflictLogic):
        raise ValueError(
            f"event_conflict_logic is {conflict_logic!r}, but must be one of "
            f"{', '.join(get_args(ConflictLogic))}"
        )
    event_times = np.sort(np.asarray(event_times, dtype=float))
    align_times = np.asarray(align_times, dtype=float)
    first = np.searchsorted(event_times, align_times + tolerance[0] - ON_THE_EDGE, "left")
    stop = np.searchsorted(event_times, align_times + tolerance[1] + ON_THE_EDGE, "right")
    count = stop - first
    n_columns = max(int(count.max(initial=0)), 1) if conflict_logic == "all" else 1
    found = np.full((align_times.size, n_columns), np.nan)
    for trial in np.flatnonzero(count):
        inside = event_times[first[trial] : stop[trial]]
        match conflict_logic:
            case "first":
                found[trial] = inside[0]
            case "last":
                found[trial] = inside[-1]
            case "mean":
                found[trial] = inside.mean()
            case "all":
                found[trial, : inside.size] = inside
    return found


def check_tolerance(tolerance: tuple[float, float], name: str = "tolerance") -> None:
    """Raise ValueError unless this is (low, high) with low below or at high."""
    try:
        low, high = tolerance
        valid = low <= high
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(f"{name} is {tolerance!r}, but must be (low, high) in seconds, low first")


def occurrence_columns(label: str, n_columns: int) -> list[str]:
    """Column names of an event's occurrences: label, label_occurrence_2, …"""
    return [label] + [f"{label}_occurrence_{k}" for k in range(2, n_columns + 1)]
