"""Joining the trials of many experiments into one dataset."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)

#: Seconds by which the time points of joined experiments may differ.
TIME_TOLERANCE = 1e-6
#: The same in steps, for rates that were measured: two sessions of one camera differ by some
#: parts in ten thousand, and a trial's centre is told no better than to half a step.
STEP_TOLERANCE = 0.1
#: Experiments that a message lists.
N_LISTED = 10


class Trials(NamedTuple):
    """Trials of one or more experiments.

    ``signals`` has shape (n_trials, n_timepoints); ``obs`` one row per trial; ``t``,
    shape (n_timepoints,), is in seconds from the trial's centre.
    """

    signals: np.ndarray
    obs: pd.DataFrame
    t: np.ndarray


def merge_trials(
    experiments: Mapping[str, Trials],
    join: Literal["inner", "outer"] = "inner",
    time_tol: float = TIME_TOLERANCE,
) -> Trials:
    """Stack the trials of experiments, in the order given.

    Parameters
    ----------
    experiments : mapping of name to Trials
    join : {'inner', 'outer'}
        Whether to keep the columns common to all, or all of them, with missing values
        where an experiment has none.
    time_tol : float
        Seconds by which time points may differ from the first experiment's.

    Returns
    -------
    Trials
        On the first experiment's time grid; the rows of obs are named 0 … n−1.

    Raises
    ------
    ValueError
        If there is nothing to merge, or time grids differ: which, and by how much.
    """
    if not experiments:
        raise ValueError("no trials to merge")
    check_time_grids({name: trials.t for name, trials in experiments.items()}, time_tol)
    parts = list(experiments.values())
    return Trials(
        signals=np.concatenate([trials.signals for trials in parts]),
        obs=join_annotations(
            {name: trials.obs for name, trials in experiments.items()},
            [len(trials.obs) for trials in parts],
            join,
        ),
        t=parts[0].t,
    )


def check_time_grids(grids: Mapping[str, np.ndarray], time_tol: float | None = None) -> None:
    """Raise ValueError unless all time grids agree with the first, to a tolerance.

    Parameters
    ----------
    grids : mapping of name to array
        Seconds.
    time_tol : float, optional
        Seconds; by default a tenth of a step.
    """
    first, expected = next(iter(grids.items()))
    if time_tol is None:
        time_tol = (
            STEP_TOLERANCE * np.diff(expected).mean() if expected.size > 1 else TIME_TOLERANCE
        )
    differing = {}
    for name, grid in grids.items():
        if grid.size != expected.size:
            differing[name] = _describe(grid)
        elif np.abs(grid - expected).max(initial=0) > time_tol:
            gap = np.abs(grid - expected).max()
            differing[name] = f"{_describe(grid)}, off by up to {gap:.3g} s"
    if differing:
        listed = "".join(f"\n  {name}: {what}" for name, what in differing.items())
        raise ValueError(
            f"the trials of {len(differing)} of {len(grids)} experiments lie on another time "
            f"grid than those of {first} ({_describe(expected)}):{listed}\n"
            "Recordings of different sampling rates go into different batches, or are brought "
            "to one rate with the loader's downsample; to rates that differ by less than a "
            "hundredth, since they were measured, give one with preprocess_kwargs: frequency"
        )


def _describe(grid: np.ndarray) -> str:
    if grid.size < 2:
        return f"{grid.size} time points"
    rate = (grid.size - 1) / (grid[-1] - grid[0])
    return f"{grid.size} time points from {grid[0]:g} to {grid[-1]:g} s, {rate:.6g} Hz"


def join_annotations(
    tables: Mapping[str, Mapping[str, Any]],
    lengths: Sequence[int],
    join: Literal["inner", "outer"] = "inner",
) -> pd.DataFrame:
    """Annotations of experiments one below the other.

    Parameters
    ----------
    tables : mapping of name to table
        A DataFrame, or a mapping of column to values. Text of different categories stays
        text.
    lengths : list of int
        Rows of each table.
    join : {'inner', 'outer'}
        As of :func:`merge_trials`. Columns that 'inner' leaves out are logged, with the
        experiments that lack them.
    """
    columns = list(dict.fromkeys(column for table in tables.values() for column in table))
    lacking = {
        column: [name for name, table in tables.items() if column not in table]
        for column in columns
    }
    if join == "inner":
        _warn_of_dropped_columns(lacking, len(tables))
        columns = [column for column in columns if not lacking[column]]
    rows = pd.RangeIndex(sum(lengths))
    ends = np.cumsum(lengths)
    places = [rows[stop - n : stop] for n, stop in zip(lengths, ends, strict=True)]
    joined = {}
    for column in columns:
        parts = [
            _without_categories(pd.Series(table[column]).set_axis(place))
            for table, place in zip(tables.values(), places, strict=True)
            if column in table
        ]
        joined[column] = pd.concat(parts).reindex(rows)
    return pd.DataFrame(joined, index=rows).set_axis(rows.astype(str), axis="index")


def _warn_of_dropped_columns(lacking: Mapping[str, Sequence[str]], n_experiments: int) -> None:
    for column, names in lacking.items():
        if names:
            logger.warning(
                "Left out the column %r, which %d of %d experiments lack: %s%s (an outer join "
                "would keep it)",
                column,
                len(names),
                n_experiments,
                ", ".join(names[:N_LISTED]),
                " …" if len(names) > N_LISTED else "",
            )


def _without_categories(column: pd.Series) -> pd.Series:
    is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
    return column.astype(object) if is_categorical else column
