"""Collapsing: the trials of each group summarised as one."""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

#: A function of an array and an axis that takes this axis away, such as numpy.nanmean.
Summary = Callable[..., np.ndarray]


class Collapsed(NamedTuple):
    """One row per group of trials.

    ``signals`` and each of ``layers`` have shape (n_groups, n_timepoints); ``obs`` has
    one row per group.
    """

    signals: np.ndarray
    layers: dict[str, np.ndarray]
    obs: pd.DataFrame


def collapse_trials(
    signals: np.ndarray,
    keys: pd.DataFrame,
    data: Mapping[str, np.ndarray],
    method: Summary,
    metrics: Mapping[str, Summary],
    count_col: str | None,
) -> Collapsed:
    """Summarise the trials of each group; see :meth:`phopro_core.PhotometryData.collapse`.

    Parameters
    ----------
    signals : array, shape (n_trials, n_timepoints)
    keys : DataFrame, n_trials rows
        What the trials of a group have in common; without columns, all are one group.
    data : mapping of name to array, shape (n_trials,)
        Numbers to summarise beside the signals.
    """
    if len(keys) == 0:
        raise ValueError("there are no trials to collapse")
    groups = group_numbers(keys)
    first = np.unique(groups, return_index=True)[1]
    columns = [(name, keys[name].iloc[first].reset_index(drop=True)) for name in keys]
    if count_col is not None:
        columns.append((count_col, np.bincount(groups)))
    for name, values in data.items():
        columns.append((name, summarise(values, groups, method)))
        columns += [
            (f"{name}_{metric}", summarise(values, groups, function))
            for metric, function in metrics.items()
        ]
    repeated = [name for name, n in Counter(name for name, _ in columns).items() if n > 1]
    if repeated:
        raise ValueError(
            f"the collapsed trials would have more than one column {repeated}; "
            "choose other group_on, data_cols, count_col or names of metrics"
        )
    return Collapsed(
        signals=summarise(signals, groups, method),
        layers={name: summarise(signals, groups, metric) for name, metric in metrics.items()},
        obs=pd.DataFrame(dict(columns), index=range(first.size)),
    )


def group_numbers(keys: pd.DataFrame) -> np.ndarray:
    """Number of each row's group, 0 … n_groups − 1 in the order of the sorted keys.

    Missing keys are equal to one another, and come last.

    Examples
    --------
    >>> group_numbers(pd.DataFrame({"sex": ["M", "F", None, "M"]})).tolist()
    [1, 0, 2, 1]
    """
    if keys.columns.empty:
        return np.zeros(len(keys), dtype=int)
    grouped = keys.groupby(list(keys.columns), sort=True, dropna=False, observed=True)
    return grouped.ngroup().to_numpy()


def summarise(values: np.ndarray, groups: np.ndarray, function: Summary) -> np.ndarray:
    """Apply a function along the first axis to the rows of each group.

    Parameters
    ----------
    values : array, shape (n_rows, …)
    groups : integer array, shape (n_rows,)
        Each row's group, 0 … n_groups − 1, none of them empty.
    function : callable
        Called with the rows of one group and ``axis=0``. Where it finds nothing but NaN
        it may say so by NaN: numpy's warnings of that are not shown.

    Returns
    -------
    array, shape (n_groups, …)
    """
    ends = np.cumsum(np.bincount(groups))
    members = np.split(np.argsort(groups, kind="stable"), ends[:-1])
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        nothing_there = "Mean of empty slice|Degrees of freedom <= 0|All-NaN"
        warnings.filterwarnings("ignore", nothing_there, RuntimeWarning)
        rows = [np.asarray(function(values[rows], axis=0)) for rows in members]
    for row in rows:
        if row.shape != values.shape[1:]:
            raise ValueError(
                f"{getattr(function, '__name__', function)!r} made shape {row.shape} of trials "
                f"of shape {values.shape[1:]}, but must take away their first axis only"
            )
    return np.stack(rows)
