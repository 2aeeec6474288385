"""Trial extraction: from one processed signal and its events to a table of trials."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from phopro_core.downsampling import downsample as keep_fewer
from phopro_core.events import (
    ConflictLogic,
    check_tolerance,
    occurrence_columns,
    occurrences_in_trials,
)
from phopro_core.normalization import TrialNormalization, normalize_trials
from phopro_core.windows import (
    Windows,
    cut_interp,
    cut_nearest,
    interp_grid,
    nearest_grid,
    nearest_samples,
    window_length,
)

logger = logging.getLogger(__name__)

WindowAlignment = Literal["nearest", "interp"]
InvalidWindowPolicy = Literal["drop", "error"]
Bounds = tuple[float, float]

#: Column of the align times where they don't come from a single event.
ALIGNMENTS = "ALIGNMENTS"
#: Columns that every trial has, or may have, beside those of the events.
RESERVED = ("trial_num", "start_time", "stop_time", "align_event", ALIGNMENTS)


@dataclass(frozen=True)
class TrialTable:
    """The trials of one recording.

    ``signals`` (n_trials, n_timepoints) and ``t`` (n_timepoints,), seconds from the
    trial's centre; ``obs``, one row per trial.

    ``baselines``, ``baseline_t`` and ``baseline_obs`` are the like of the baseline
    windows, in seconds from the align time, where baseline bounds were given.
    ``windows`` (n_trials, 2) are the times of the first and the last sample of each trial,
    seconds; ``invalid_windows`` the indices of the trials that were dropped, counted before
    dropping, and ``windows_in_gaps`` those among them that lack samples.
    """

    signals: np.ndarray
    t: np.ndarray
    obs: pd.DataFrame
    windows: np.ndarray
    invalid_windows: list[int]
    windows_in_gaps: list[int]
    baselines: np.ndarray | None = None
    baseline_t: np.ndarray | None = None
    baseline_obs: pd.DataFrame | None = None


@dataclass(frozen=True)
class _Cut:
    """Windows of each trial around an instant of it, its zero: the centre, or the align time.

    ``zero`` (n_trials,) is placed on the windows' clock; ``t`` is in seconds from it.
    """

    zero: np.ndarray
    windows: Windows
    t: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """Which windows lie inside the recording, and in no gap; shape (n_trials,)."""
        complete = self.windows.inside.copy()
        complete[complete] = ~np.isnan(self.windows.values).any(axis=1)
        return complete

    def signals(self, kept: np.ndarray) -> np.ndarray:
        """The windows of some trials, all of them inside; shape (n_kept, n_timepoints)."""
        return self.windows.values[kept[self.windows.inside]]


@dataclass(frozen=True)
class _Clock:
    """How instants of a recording become windows of samples, and columns of seconds."""

    time: np.ndarray
    frequency: float
    alignment: WindowAlignment

    def place(self, instants: np.ndarray) -> np.ndarray:
        """Where instants (s) lie on the windows' clock: sample numbers, or seconds."""
        if self.alignment == "interp":
            return instants
        placed = np.full(instants.shape, np.nan)
        known = ~np.isnan(instants)
        placed[known] = nearest_samples(instants[known], self.time, self.frequency)
        return placed

    def seconds_between(self, placed: np.ndarray, centres: np.ndarray) -> np.ndarray:
        difference = placed - centres
        return difference if self.alignment == "interp" else difference / self.frequency

    def cut(self, signal: np.ndarray, zero: np.ndarray, bounds: Bounds) -> _Cut:
        """Windows around placed instants."""
        if self.alignment == "interp":
            grid = interp_grid(bounds, self.frequency)
            return _Cut(zero, cut_interp(signal, self.time, zero, grid, self.frequency), grid)
        grid = nearest_grid(bounds, self.frequency)
        return _Cut(zero, cut_nearest(signal, zero.astype(int), grid), grid / self.frequency)

    def ends(self, zero: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Times of the first and the last sample of windows, seconds, shape (n_trials, 2)."""
        if self.alignment == "interp":
            return zero[:, np.newaxis] + t[[0, -1]]
        samples = zero[:, np.newaxis] + np.rint(t[[0, -1]] * self.frequency)
        return self.time[samples.astype(int)]


def extract_trials(
    signal: np.ndarray,
    time: np.ndarray,
    frequency: float,
    events: Mapping[str, np.ndarray],
    *,
    align_to: str | Sequence[str] | float | Sequence[float],
    trial_bounds: Bounds,
    center_on: str | Sequence[str] | None = None,
    baseline_bounds: Bounds | None = None,
    event_tolerances: Mapping[str, Bounds | None] | None = None,
    trial_normalization: TrialNormalization | Callable = "none",
    check_overlap: bool = True,
    all_events: bool = True,
    window_alignment: WindowAlignment = "nearest",
    invalid_window_policy: InvalidWindowPolicy = "drop",
    event_conflict_logic: ConflictLogic = "first",
    window_times: bool = False,
    downsample: int | None = None,
    downsample_kwargs: Mapping[str, Any] | None = None,
) -> TrialTable:
    """Cut a processed signal into trials and annotate each with its events.

    See :meth:`phopro_core.PhotometryExperiment.extract_trial_data` for the parameters.

    Parameters
    ----------
    signal, time : array, shape (n_samples,)
        The processed signal, NaN in gaps, and its clock, seconds.
    frequency : float
        Sampling rate, Hz.
    events : mapping of label to array
        Times of each event, seconds on the same clock.
    """
    _check_choice("window_alignment", window_alignment, WindowAlignment)
    _check_choice("invalid_window_policy", invalid_window_policy, InvalidWindowPolicy)
    check_bounds("trial_bounds", trial_bounds, frequency)
    if baseline_bounds is not None:
        check_bounds("baseline_bounds", baseline_bounds, frequency)

    column, align_times, align_labels = _alignments(align_to, events)
    centre_labels = [center_on] if isinstance(center_on, str) else list(center_on or [])
    tolerances = _tolerances(
        events, event_tolerances or {}, trial_bounds, column, centre_labels, all_events
    )
    occurrences = {
        label: occurrences_in_trials(events[label], align_times, tolerance, event_conflict_logic)
        for label, tolerance in tolerances.items()
    }
    centre_times = _centre_times(align_times, occurrences, centre_labels, check_overlap)

    clock = _Clock(time, frequency, window_alignment)
    centres, aligns = clock.place(centre_times), clock.place(align_times)
    trials = clock.cut(signal, centres, trial_bounds)
    baselines = None if baseline_bounds is None else clock.cut(signal, aligns, baseline_bounds)
    cuts = [trials] if baselines is None else [trials, baselines]
    inside = np.logical_and.reduce([cut.windows.inside for cut in cuts])
    valid = np.logical_and.reduce([cut.complete for cut in cuts])
    _check_windows(inside, valid, invalid_window_policy, time, align_times)

    instants = {column: aligns}
    for label, times in occurrences.items():
        # Columns of further occurrences stand for trials that are there.
        n_columns = max(np.flatnonzero(~np.isnan(times[valid]).all(axis=0)), default=0) + 1
        names = occurrence_columns(label, n_columns)
        taken = [name for name in names if name in instants or (name != label and name in events)]
        if taken:
            raise ValueError(
                f"the occurrences of {label!r} would take the columns {taken} of other events; "
                "rename those"
            )
        instants |= dict(zip(names, clock.place(times[:, :n_columns]).T, strict=True))
    annotate = partial(
        _annotate, clock, valid, instants, align_labels=align_labels, window_times=window_times
    )

    def fewer(values: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if downsample is None:
            return values, t
        return keep_fewer(values, t, downsample, **(downsample_kwargs or {}))

    baseline_signals = None if baselines is None else baselines.signals(valid)
    normalized = normalize_trials(trials.signals(valid), baseline_signals, trial_normalization)
    signals, t = fewer(normalized, trials.t)
    table = TrialTable(
        signals,
        t,
        annotate(trials),
        windows=clock.ends(trials.zero[valid], trials.t),
        invalid_windows=np.flatnonzero(~valid).tolist(),
        windows_in_gaps=np.flatnonzero(inside & ~valid).tolist(),
    )
    if baselines is None:
        return table
    signals, t = fewer(baseline_signals, baselines.t)
    return replace(table, baselines=signals, baseline_t=t, baseline_obs=annotate(baselines))


def check_bounds(name: str, bounds: Bounds, frequency: float) -> None:
    """Raise ValueError unless bounds (s) hold at least one sample at this rate (Hz)."""
    check_tolerance(bounds, name)
    if window_length(bounds, frequency) < 1:
        raise ValueError(
            f"{name} {tuple(bounds)} holds no sample at a sampling rate of {frequency:g} Hz"
        )


def _check_choice(name: str, value: str, choices: object) -> None:
    if value not in get_args(choices):
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(get_args(choices))}")


def _alignments(
    align_to: str | Sequence[str] | float | Sequence[float], events: Mapping[str, np.ndarray]
) -> tuple[str, np.ndarray, np.ndarray | None]:
    """Column name, times (s), and, where events are pooled, the event each time is of."""
    if isinstance(align_to, str):
        times = _times_of("align_to", align_to, events)
        column, labels = align_to, None
    elif _are_labels(align_to):
        per_label = {label: _times_of("align_to", label, events) for label in align_to}
        times = np.concatenate(list(per_label.values()))
        labels = np.repeat(list(per_label), [len(t) for t in per_label.values()])
        order = np.argsort(times, kind="stable")
        column, times, labels = ALIGNMENTS, times[order], labels[order]
    else:
        column, times, labels = ALIGNMENTS, np.atleast_1d(np.asarray(align_to, float)), None
    if times.size == 0:
        raise ValueError(f"no event to align to: {align_to!r} does not occur in this recording")
    if not np.isfinite(times).all():
        raise ValueError(f"align_to {align_to!r} holds times that are not finite numbers")
    return column, times, labels


def _are_labels(align_to: object) -> bool:
    return isinstance(align_to, Sequence) and any(isinstance(item, str) for item in align_to)


def _times_of(setting: str, label: str, events: Mapping[str, np.ndarray]) -> np.ndarray:
    if label not in events:
        raise ValueError(
            f"{setting}: no event {label!r} in this recording (has: {', '.join(events) or 'none'})"
        )
    return np.asarray(events[label], dtype=float)


def _tolerances(
    events: Mapping[str, np.ndarray],
    given: Mapping[str, Bounds | None],
    trial_bounds: Bounds,
    align_column: str,
    centre_labels: Sequence[str],
    all_events: bool,
) -> dict[str, Bounds]:
    """The events to annotate, in the order of their columns, each with its tolerance."""
    reserved = [label for label in events if label in RESERVED]
    if reserved:
        raise ValueError(f"events can't be named {reserved}, which the trials have as columns")
    for label in given:
        _times_of("event_tolerances", label, events)
    for label in centre_labels:
        _times_of("center_on", label, events)
    if align_column in given or align_column in centre_labels:
        raise ValueError(
            f"{align_column!r} is what the trials are aligned to: its column holds each "
            "trial's own alignment, so it can't stand in center_on or event_tolerances"
        )
    labels = [*given, *centre_labels, *(events if all_events else ())]
    tolerances = {}
    for label in labels:
        if label != align_column:
            tolerance = given.get(label)
            tolerances[label] = tuple(trial_bounds if tolerance is None else tolerance)
    return tolerances


def _centre_times(
    align_times: np.ndarray,
    occurrences: Mapping[str, np.ndarray],
    centre_labels: Sequence[str],
    check_overlap: bool,
) -> np.ndarray:
    """Each trial's centre: the centring event that falls in it, else its align time."""
    centres = align_times.copy()
    candidates = {label: occurrences[label][:, 0] for label in centre_labels}
    if not candidates:
        return centres
    present = np.array([~np.isnan(times) for times in candidates.values()])
    crowded = np.flatnonzero(present.sum(axis=0) > 1)
    if check_overlap and crowded.size:
        trials = "; ".join(
            f"trial {trial + 1}, aligned at {align_times[trial]:g} s, has "
            + ", ".join(
                f"{label} at {times[trial]:g} s"
                for label, times in candidates.items()
                if not np.isnan(times[trial])
            )
            for trial in crowded
        )
        raise ValueError(
            f"center_on: more than one event to centre on in {crowded.size} of "
            f"{align_times.size} trials ({trials}); narrow their event_tolerances, or set "
            "check_overlap to false to centre on the one named last in center_on"
        )
    for times in candidates.values():
        centres = np.where(np.isnan(times), centres, times)
    return centres


def _check_windows(
    inside: np.ndarray,
    valid: np.ndarray,
    policy: InvalidWindowPolicy,
    time: np.ndarray,
    align_times: np.ndarray,
) -> None:
    """Raise or log what is wrong with the windows that reach outside, or lie in a gap."""
    wrong = {
        f"reach outside the recording ({time[0]:g} to {time[-1]:g} s)": np.flatnonzero(~inside),
        "touch a gap that was left open": np.flatnonzero(inside & ~valid),
    }
    wrong = {what: trials.tolist() for what, trials in wrong.items() if trials.size}
    described = "; ".join(
        f"{'all' if len(trials) == valid.size else f'{len(trials)} of'} {valid.size} trial windows "
        f"{what}: trials {trials}, aligned at {', '.join(f'{align_times[k]:g}' for k in trials)} s"
        for what, trials in wrong.items()
    )
    if wrong and policy == "error":
        raise ValueError(f"{described}; invalid_window_policy 'drop' leaves them out")
    if not valid.any():
        raise ValueError(
            f"{described}. Shorten trial_bounds or baseline_bounds, or check the events' clock"
        )
    for what, trials in wrong.items():
        logger.warning(
            "Dropped %d of %d trials whose windows %s: %s", len(trials), valid.size, what, trials
        )


def _annotate(
    clock: _Clock,
    kept: np.ndarray,
    instants: Mapping[str, np.ndarray],
    cut: _Cut,
    *,
    align_labels: np.ndarray | None,
    window_times: bool,
) -> pd.DataFrame:
    """One row per trial that is kept; its instants in seconds from the zero of the cut."""
    columns = {"trial_num": np.arange(1, kept.sum() + 1)}
    if window_times:
        ends = clock.ends(cut.zero[kept], cut.t)
        columns |= {"start_time": ends[:, 0], "stop_time": ends[:, 1]}
    for name, placed in instants.items():
        columns[name] = clock.seconds_between(placed, cut.zero)[kept]
    if align_labels is not None:
        columns["align_event"] = align_labels[kept]
    return pd.DataFrame(columns)
