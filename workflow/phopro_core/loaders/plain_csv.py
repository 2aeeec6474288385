"""Columns of CSV files that hold what they should, in half of the time that pandas takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

#: Bytes that are parsed at once: they are to fit the processor's cache.
BLOCK = 2**18


def read_plain_csv(
    path: Path, numbers: Sequence[str], flags: Sequence[str]
) -> tuple[list[np.ndarray], list[np.ndarray]] | None:
    """Read columns of numbers, and of flags: numbers of which only matters whether they are 0.

    Parameters
    ----------
    path : path
        A table of comma-separated values with a heading.
    numbers, flags : list of str
        Names of columns; of one that is not there, all cells are empty.

    Returns
    -------
    numbers : list of arrays, each of shape (n_rows,)
        NaN where a cell is empty.
    flags : list of arrays of bool, each of shape (n_rows,)
        False where a cell is empty.

    None is returned instead of both if the file is not such a table, or a cell is not a
    number: what is wrong with it, pandas tells better.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = [*numbers, *flags]
    parts: list[list[np.ndarray]] = [[] for _ in names]
    try:
        blocks = csv.open_csv(
            path,
            csv.ReadOptions(use_threads=False, block_size=BLOCK),  # jobs run in parallel already
            convert_options=csv.ConvertOptions(
                include_columns=list(dict.fromkeys(names)),
                include_missing_columns=True,
                column_types=dict.fromkeys(names, pa.float64()),
            ),
        )
        for block in blocks:
            for k, name in enumerate(names):
                cells = block[name].to_numpy(zero_copy_only=False)
                # NaN is not greater than anything.
                parts[k].append(cells if k < len(numbers) else np.abs(cells) > 0)
    except (OSError, pa.ArrowException):
        return None
    empty = [np.empty(0)]
    columns = [np.concatenate(cells or empty) for cells in parts]
    return columns[: len(numbers)], columns[len(numbers) :]
