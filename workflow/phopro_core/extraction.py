"""Trial extraction: from one processed signal and its events to a table of trials."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

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
RESERVED = ("trial_num", "align_event", ALIGNMENTS)


@dataclass(frozen=True)
class TrialTable:
    """The trials of one recording.

    ``signals`` (n_trials, n_timepoints) and ``t`` (n_timepoints,), seconds from the
    trial's centre; ``obs``, one row per trial; ``invalid_windows``, the indices of the
    trials that were dropped, counted before dropping; ``baselines`` and ``baseline_t``,
    seconds from the align time, where baseline bounds were given.
    """

    signals: np.ndarray
    t: np.ndarray
    obs: pd.DataFrame
    invalid_windows: list[int]
    baselines: np.ndarray | None = None
    baseline_t: np.ndarray | None = None


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

    def cut(
        self, signal: np.ndarray, centres: np.ndarray, bounds: Bounds
    ) -> tuple[Windows, np.ndarray]:
        """Windows around placed centres, and their grid in seconds."""
        if self.alignment == "interp":
            grid = interp_grid(bounds, self.frequency)
            return cut_interp(signal, self.time, centres, grid, self.frequency), grid
        grid = nearest_grid(bounds, self.frequency)
        return cut_nearest(signal, centres.astype(int), grid), grid / self.frequency


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
) -> TrialTable:
    """Cut a processed signal into trials and annotate each with its events.

    See :meth:`phopro_core.PhotometryExperiment.extract_trial_data` for the parameters.

    Parameters
    ----------
    signal, time : array, shape (n_samples,)
        The processed signal and its clock, seconds.
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
    trials, t = clock.cut(signal, centres, trial_bounds)
    inside = trials.inside
    if baseline_bounds is not None:
        baselines, baseline_t = clock.cut(signal, aligns, baseline_bounds)
        inside = inside & baselines.inside
    invalid = _invalid_windows(inside, invalid_window_policy, time, align_times)

    columns = {column: clock.seconds_between(aligns, centres)}
    for label, times in occurrences.items():
        placed = clock.place(times)
        for k, name in enumerate(occurrence_columns(label, times.shape[1])):
            columns[name] = clock.seconds_between(placed[:, k], centres)
    if align_labels is not None:
        columns["align_event"] = align_labels
    kept = {name: values[inside] for name, values in columns.items()}
    obs = pd.DataFrame({"trial_num": np.arange(1, inside.sum() + 1), **kept})

    signals = trials.values[inside[trials.inside]]
    if baseline_bounds is None:
        signals = normalize_trials(signals, None, trial_normalization)
        return TrialTable(signals, t, obs, invalid)
    baseline_signals = baselines.values[inside[baselines.inside]]
    signals = normalize_trials(signals, baseline_signals, trial_normalization)
    return TrialTable(signals, t, obs, invalid, baseline_signals, baseline_t)


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


def _invalid_windows(
    inside: np.ndarray, policy: InvalidWindowPolicy, time: np.ndarray, align_times: np.ndarray
) -> list[int]:
    invalid = np.flatnonzero(~inside).tolist()
    if not invalid:
        return invalid
    extent = f"the recording ({time[0]:g} to {time[-1]:g} s)"
    aligned = ", ".join(f"{align_times[trial]:g}" for trial in invalid)
    if policy == "error":
        raise ValueError(
            f"windows of trials {invalid} (aligned at {aligned} s) reach outside {extent}; "
            "invalid_window_policy 'drop' leaves them out"
        )
    if len(invalid) == inside.size:
        raise ValueError(
            f"all {inside.size} trial windows reach outside {extent}; aligned at {aligned} s. "
            "Shorten trial_bounds or baseline_bounds, or check the events' clock"
        )
    logger.warning(
        "Dropped %d of %d trials whose windows reach outside %s: %s",
        len(invalid),
        inside.size,
        extent,
        invalid,
    )
    return invalid
