"""Columns of CSV files that hold what they should, in half of the time that pandas takes."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

#: Bytes that are parsed at once: they are to fit the processor's cache.
BLOCK = 2**18


def read_heading(path: Path) -> list[str]:
    """Names of the columns, without a byte order mark; none if they are not easily told apart."""
    try:
        with path.open("rb") as file:
            line = file.readline(BLOCK).decode("utf-8-sig")
        names = next(csv.reader([line]), [])
    except (OSError, UnicodeError, csv.Error):
        return []
    return names if len({*names, ""}) == len(names) + 1 else []


def read_plain_csv(
    path: Path, numbers: Sequence[str], flags: Sequence[str]
) -> tuple[list[np.ndarray], list[np.ndarray]] | None:
    """Read columns of numbers, and of flags: numbers that only matter as 0 or not.

    Parameters
    ----------
    path : path
        A table of comma-separated values with a heading.
    numbers, flags : list of str
        Names of columns. What is in others is not looked at.

    Returns
    -------
    numbers : list of arrays, each of shape (n_rows,)
        NaN where a cell is empty.
    flags : list of arrays of bool, each of shape (n_rows,)
        False where a cell is empty.

    None is returned instead of both if the file is not such a table, lacks a column, or has a
    cell that is not a finite number: what is wrong with it, pandas tells better.
    """
    import pyarrow as pa
    import pyarrow.csv

    names = [*numbers, *flags]
    parts: list[list[np.ndarray]] = [[] for _ in names]
    try:
        with pa.csv.open_csv(
            path,
            pa.csv.ReadOptions(use_threads=False, block_size=BLOCK),  # jobs run in parallel already
            convert_options=pa.csv.ConvertOptions(
                include_columns=list(dict.fromkeys(names)),
                column_types=dict.fromkeys(names, pa.float64()),
            ),
        ) as blocks:
            for block in blocks:
                for k, name in enumerate(names):
                    cells = block[name].to_numpy(zero_copy_only=False)
                    if np.isinf(cells).any():
                        return None
                    # NaN is not greater than anything.
                    parts[k].append(cells if k < len(numbers) else np.abs(cells) > 0)
    except (OSError, UnicodeError, pa.ArrowException):
        return None
    empty = [np.empty(0)]
    columns = [np.concatenate(cells or empty) for cells in parts]
    return columns[: len(numbers)], columns[len(numbers) :]
