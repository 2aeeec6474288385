"""The recording's clock: whether its samples follow one another evenly, and the cure.

A camera drops frames, a computer stamps them late, two files are joined: then sample
numbers are no longer times, and a filter smears what it should smooth. Missing samples
are gaps: steps of the clock that are too long, or samples that are not a number (NaN).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

logger = logging.getLogger(__name__)

#: Steps beyond these multiples of the typical one are uneven: nearer to no step at all,
#: or to two, than to one.
TOO_SHORT, TOO_LONG = 0.5, 1.5
#: Standard deviation of the steps, relative to the typical one, that a log mentions.
JITTER = 0.05
#: Relative difference between a clock's measured rate and the one that it is said to have.
NOMINAL = 0.01
#: Deviation from an even clock, in samples, that rounding explains.
EVEN = 1e-3
#: Gaps that a message lists.
N_LISTED = 5


class EvenTraces(NamedTuple):
    """Traces on an even clock.

    ``time`` (n_samples,) in seconds and ``traces`` (n_traces, n_samples), NaN in the gaps
    that were left open; ``frequency`` in Hz; ``bridged`` and ``left_open``, the start and
    end of each gap, seconds, shape (n_gaps, 2).
    """

    time: np.ndarray
    traces: np.ndarray
    frequency: float
    bridged: np.ndarray
    left_open: np.ndarray


def typical_step(time: np.ndarray) -> float:
    """Seconds from sample to sample: the mean of the middle half of the steps.

    Neither gaps nor stamps in bursts move it, nor does a clock that counts in units not
    much finer than its steps, which would fool a median.
    """
    steps = np.diff(time)
    first, stop = steps.size // 4, steps.size - steps.size // 4
    steps.partition([first, stop - 1])
    return float(steps[first:stop].mean())


def check_sampling(time: np.ndarray, traces: Sequence[np.ndarray]) -> None:
    """Raise ValueError unless a recording is complete and its clock nearly even.

    Parameters
    ----------
    time : array, shape (n_samples,)
        Seconds, increasing.
    traces : list of arrays, each of shape (n_samples,)
        NaN where a sample is missing.

    Raises
    ------
    ValueError
        If samples are missing, or steps of the clock are so long or so short that
        samples must have been dropped or stamped late: how many, and where.
    """
    steps, typical = np.diff(time), typical_step(time)
    found = []
    missing = np.flatnonzero(np.logical_or.reduce([np.isnan(trace) for trace in traces]))
    if missing.size:
        found.append(
            f"{missing.size} of {time.size} samples are missing, at "
            + _listed(f"{time[at]:g} s" for at in missing)
        )
    gaps = np.flatnonzero(steps > TOO_LONG * typical)
    if gaps.size:
        found.append(
            f"the clock has {gaps.size} gaps, of {steps[gaps].sum():.4g} s in all: "
            + _listed(f"{steps[at]:.4g} s after {time[at]:.6g} s" for at in gaps)
        )
    bunched = np.flatnonzero(steps < TOO_SHORT * typical)
    if bunched.size:
        found.append(
            f"{bunched.size} samples follow sooner than half of a step after the one before, at "
            + _listed(f"{time[at + 1]:.6g} s" for at in bunched)
        )
    if found:
        raise ValueError(
            f"sampling is uneven, where a step takes {typical:.4g} s: {'; '.join(found)}. "
            "Was the recording interrupted, or are these rows of several channels? "
            "resample_gaps: 0.5 would bring it to an even clock, bridge gaps of up to 0.5 s, "
            "and leave out the trials that touch longer ones"
        )
    jitter = steps.std() / typical
    if jitter > JITTER:
        logger.warning(
            "The clock jitters: its steps vary by %.0f %% of %.4g s (standard deviation); "
            "resample_gaps would bring the traces to an even one",
            100 * jitter,
            typical,
        )


def check_frequency(time: np.ndarray, frequency: float) -> None:
    """Raise ValueError unless a rate (Hz) is that of a recording's clock, to a hundredth."""
    measured = 1 / typical_step(time)
    if not abs(frequency / measured - 1) <= NOMINAL:
        raise ValueError(
            f"frequency is {frequency!r}, but samples follow one another at {measured:.6g} Hz; "
            "to change the rate of a recording, use its loader's downsample"
        )


def resample_evenly(
    time: np.ndarray, traces: np.ndarray, longest_gap: float, frequency: float | None = None
) -> EvenTraces:
    """Bring traces to an even clock by linear interpolation.

    Parameters
    ----------
    time : array, shape (n_samples,)
        Seconds, increasing.
    traces : array, shape (n_traces, n_samples)
        A sample that is NaN in any trace counts as missing in all.
    longest_gap : float
        Seconds from the last sample before a gap to the first one after it, up to which
        the gap is bridged. In longer ones the traces are NaN.
    frequency : float, optional
        Rate of the even clock, Hz; by default that of the recording's own.

    Returns
    -------
    EvenTraces
        From the first sample to the last that is not missing. Traces that were complete
        and even are returned as they are.

    Raises
    ------
    ValueError
        If fewer than two samples are left, or `longest_gap` is negative.
    """
    if not longest_gap >= 0:
        raise ValueError(f"resample_gaps is {longest_gap!r}, but must be seconds, 0 or more")
    present = ~np.isnan(traces).any(axis=0)
    if np.count_nonzero(present) < 2:
        raise ValueError(f"all but {np.count_nonzero(present)} of {time.size} samples are missing")
    if not present.all():
        time, traces = time[present], traces[:, present]
    steps, typical = np.diff(time), typical_step(time)
    if frequency is None:
        n_steps = int(np.rint(steps / typical).sum())
        step = (time[-1] - time[0]) / n_steps
    else:
        step = 1 / frequency
        n_steps = int((time[-1] - time[0]) / step + EVEN)
    even = time[0] + step * np.arange(n_steps + 1)
    gaps = np.flatnonzero(steps > TOO_LONG * typical)
    edges = np.stack([time[gaps], time[gaps + 1]], axis=1)
    is_long = steps[gaps] > longest_gap * (1 + EVEN)
    if even.size == time.size and np.abs(time - even).max() <= EVEN * step:
        return EvenTraces(time, traces, 1 / step, edges, edges)
    resampled = np.stack([np.interp(even, time, trace) for trace in traces])
    for start, stop in edges[is_long]:
        # Half a step from its edges, a gap's first and last samples are those beside it.
        inside = np.searchsorted(even, [start + step / 2, stop - step / 2])
        resampled[:, slice(*inside)] = np.nan
    return EvenTraces(even, resampled, 1 / step, edges[~is_long], edges[is_long])


def _listed(places: Iterable[str]) -> str:
    places = list(places)
    more = len(places) - N_LISTED
    return ", ".join(places[:N_LISTED]) + (f" and {more} more" if more > 0 else "")
