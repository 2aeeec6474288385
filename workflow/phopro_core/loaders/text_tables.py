"""Tables of text, as acquisition systems and their users write them."""

import gzip
import lzma
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: str | Path, **options: Any) -> "pd.DataFrame":
    """Read a table of comma-separated values.

    Parameters
    ----------
    path : path
        Compressed or not.
    **options
        Of :func:`pandas.read_csv`.

    Raises
    ------
    ValueError
        If there is no table in the file: the file, why, and what to do.
    """
    import pandas as pd

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", pd.errors.ParserWarning)
            # Without index_col, rows with a trailing comma would have their first cell taken
            # for an index, and all others shifted.
            table = pd.read_csv(
                path,
                index_col=False,
                encoding="utf-8-sig",
                # Else the last digits may be others than those in the file.
                float_precision="round_trip",
                **options,
            )
    except pd.errors.EmptyDataError as error:
        raise ValueError(
            f"{path}: the file is empty; copy it anew from the acquisition system"
        ) from error
    except pd.errors.ParserError as error:
        raise ValueError(f"{path}: not a table of comma-separated values: {error}") from error
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise ValueError(
            f"{path}: can't be decompressed: {error}; copy it anew from where it is whole"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8: {error}") from error
    if any(issubclass(warning.category, pd.errors.ParserWarning) for warning in caught):
        _refuse_longer_rows(path, options.get("skiprows") or 0, options.get("sep") or ",")
    return table


def _refuse_longer_rows(path: str | Path, n_above: int, separator: str) -> None:
    """Raise ValueError if a row has cells beyond the heading, and not just a comma."""
    import pandas as pd

    given = {"header": None, "sep": separator, "dtype": str, "encoding": "utf-8-sig"}
    width = pd.read_csv(path, skiprows=n_above, nrows=1, **given).shape[1]
    beyond = pd.read_csv(
        path,
        skiprows=n_above,
        names=range(width + 1),
        usecols=[width],
        index_col=False,
        **given,
    )
    longer = np.flatnonzero(beyond[width].notna())
    if longer.size:
        raise ValueError(
            f"{path}: line {longer[0] + 1 + n_above} has more cells than the {width} of the "
            "heading; are decimals written with commas?"
        )


def heading_of(path: Path) -> list[str]:
    """Cells of the first line of a table, without blanks around them; none of other files."""
    if not path.is_file() or not {".csv", ".txt"}.intersection(map(str.lower, path.suffixes)):
        return []
    try:
        first = read_table(path, header=None, nrows=1, dtype=str)
    except ValueError:
        return []
    return first.iloc[0].fillna("").str.strip().tolist()


def is_number(text: str) -> bool:
    """Whether a cell is a number, as none in a heading should be."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def numbers_of(path: str | Path, column: "pd.Series", n_above: int = 1) -> np.ndarray:
    """A column's numbers.

    Parameters
    ----------
    path : path
        The file, for messages.
    column : Series
        Indexed by the numbers of its rows in the file.
    n_above : int
        Lines of the file above the first row.

    Raises
    ------
    ValueError
        If a cell holds something else, or nothing, or an infinite number: the first such.
    """
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    valid = ~np.isnan(numbers) | column.isna()
    check_cells(path, column, valid, "not a number", n_above)
    check_cells(path, column, np.isfinite(numbers), "a missing or infinite value", n_above)
    return numbers


def check_cells(
    path: str | Path,
    column: "pd.Series",
    valid: "np.ndarray | pd.Series",
    what: str,
    n_above: int = 1,
) -> None:
    """Raise ValueError naming the first cell that is not valid, by its line in the file."""
    valid = np.asarray(valid)
    if valid.all():
        return
    row = int(np.argmin(valid))
    line = int(column.index[row]) + 1 + n_above
    cell = column.iloc[row]
    shown = repr(cell) if isinstance(cell, str) else cell
    more = np.count_nonzero(~valid) - 1
    raise ValueError(
        f"{path}: column {column.name!r}, line {line}: {shown} is {what}"
        + (f", and so are {more} more of its {valid.size} cells" if more else "")
    )
