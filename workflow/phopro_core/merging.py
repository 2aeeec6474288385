"""Joining the trials of many experiments into one dataset."""

import logging
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)

#: Seconds by which the time points of joined experiments may differ.
TIME_TOLERANCE = 1e-6
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
        obs=join_annotations({name: trials.obs for name, trials in experiments.items()}, join),
        t=parts[0].t,
    )


def check_time_grids(grids: Mapping[str, np.ndarray], time_tol: float = TIME_TOLERANCE) -> None:
    """Raise ValueError unless all time grids (s) agree with the first, to a tolerance."""
    first, expected = next(iter(grids.items()))
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
            "to one rate with the loader's downsample"
        )


def _describe(grid: np.ndarray) -> str:
    if grid.size < 2:
        return f"{grid.size} time points"
    rate = (grid.size - 1) / (grid[-1] - grid[0])
    return f"{grid.size} time points from {grid[0]:g} to {grid[-1]:g} s, {rate:.6g} Hz"


def join_annotations(
    frames: Mapping[str, pd.DataFrame], join: Literal["inner", "outer"] = "inner"
) -> pd.DataFrame:
    """Annotations of experiments one below the other; text of different categories stays text.

    Columns that 'inner' leaves out are logged, with the experiments that lack them.
    """
    if join == "inner":
        _warn_of_dropped_columns(frames)
    plain = [_without_categories(frame) for frame in frames.values()]
    obs = pd.concat(plain, join=join, ignore_index=True)
    return obs.set_axis(obs.index.astype(str), axis="index")


def _warn_of_dropped_columns(frames: Mapping[str, pd.DataFrame]) -> None:
    columns = dict.fromkeys(column for frame in frames.values() for column in frame)
    for column in columns:
        lacking = [name for name, frame in frames.items() if column not in frame]
        if lacking:
            logger.warning(
                "Left out the column %r, which %d of %d experiments lack: %s%s (obs_join 'outer' "
                "would keep it)",
                column,
                len(lacking),
                len(frames),
                ", ".join(lacking[:N_LISTED]),
                " …" if len(lacking) > N_LISTED else "",
            )


def _without_categories(obs: pd.DataFrame) -> pd.DataFrame:
    categories = {
        name: column.astype(object)
        for name, column in obs.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    return obs.assign(**categories)
