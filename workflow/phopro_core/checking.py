"""What makes arrays a recording: each function returns an array of floats, or raises ValueError."""

from collections.abc import Sequence

import numpy as np


def checked_time(time: np.ndarray) -> np.ndarray:
    """A clock: two finite, increasing times or more."""
    time = _one_dimensional("time", time)
    if time.size < 2:
        raise ValueError(f"a recording needs at least two samples, and this one has {time.size}")
    _check_finite("time", time, time)
    steps = np.diff(time)
    if not (steps > 0).all():
        at = int(np.argmax(steps <= 0))
        how = "repeats" if steps[at] == 0 else "goes backwards"
        raise ValueError(
            f"time {how} at sample {at + 1} ({time[at]:g} s, then {time[at + 1]:g} s), and does "
            f"not increase at {np.count_nonzero(steps <= 0)} of {steps.size} steps; were two "
            "recordings joined, or is this another clock's column?"
        )
    return time


def checked_trace(name: str, values: np.ndarray, time: np.ndarray) -> np.ndarray:
    """A trace: as many values as times, finite, or NaN where a sample is missing."""
    values = _one_dimensional(name, values)
    if values.size != time.size:
        raise ValueError(f"{name} has {values.size} samples, but time has {time.size}")
    _check_finite(name, values, time, missing_allowed=True)
    return values


def checked_event(label: str, times: Sequence[float]) -> np.ndarray:
    """An event: finite times, in any order, or none."""
    times = np.atleast_1d(_as_floats(f"event {label!r}", times))
    if not np.isfinite(times).all():
        raise ValueError(f"event {label!r} has times that are not finite numbers")
    return times


def _one_dimensional(name: str, values: np.ndarray) -> np.ndarray:
    values = _as_floats(name, values)
    if values.ndim != 1:
        raise ValueError(f"{name} has {values.ndim} dimensions, but must have one")
    return values


def _as_floats(name: str, values: object) -> np.ndarray:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number: {error}") from error


def _check_finite(
    name: str, values: np.ndarray, time: np.ndarray, missing_allowed: bool = False
) -> None:
    finite = ~np.isinf(values) if missing_allowed else np.isfinite(values)
    if finite.all():
        return
    at = int(np.argmin(finite))
    when = "" if values is time else f", at {time[at]:g} s"
    what = "infinite" if missing_allowed else "missing or infinite"
    raise ValueError(
        f"{name} has {np.count_nonzero(~finite)} {what} values, the first in sample "
        f"{at}{when}; cut them off or fill them in before loading"
    )
