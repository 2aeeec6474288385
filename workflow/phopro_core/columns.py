"""Columns of the trials' annotations: those asked for, and their values as numbers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def columns_named(obs: pd.DataFrame, names: str | Sequence[str] | None, setting: str) -> list[str]:
    """The columns that a setting names, each once; None names none.

    Raises
    ------
    ValueError
        If there is no such column; the message tells the setting and what there is.
    """
    listed = [names] if isinstance(names, str) else list(dict.fromkeys(names or ()))
    for name in listed:
        if name not in obs:
            raise ValueError(
                f"{setting}: no column {name!r} among the annotations (has: {', '.join(obs)})"
            )
    return listed


def numeric_columns(
    obs: pd.DataFrame, names: str | Sequence[str] | None, setting: str
) -> dict[str, np.ndarray]:
    """The columns that a setting names, as floats, NaN where a value is missing.

    Raises
    ------
    ValueError
        If there is no such column, or it holds something but numbers.
    """
    columns = {}
    for name in columns_named(obs, names, setting):
        try:
            columns[name] = obs[name].to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{setting}: column {name!r} holds something that is not a number: {error}"
            ) from error
    return columns


def number_per_trial(
    obs: pd.DataFrame, numbers: str | float | Sequence[float] | np.ndarray, setting: str
) -> np.ndarray:
    """One number per row: those of a column, those given, or the same for all.

    Examples
    --------
    >>> number_per_trial(pd.DataFrame({"lever": [1, None]}), "lever", "centers").tolist()
    [1.0, nan]
    >>> number_per_trial(pd.DataFrame({"lever": [1, None]}), 0.5, "centers").tolist()
    [0.5, 0.5]
    """
    if isinstance(numbers, str):
        return numeric_columns(obs, numbers, setting)[numbers]
    values = np.asarray(numbers, dtype=float)
    if values.ndim == 0:
        return np.full(len(obs), values)
    if values.shape != (len(obs),):
        raise ValueError(f"{setting} has shape {values.shape}, but there are {len(obs)} trials")
    return values
