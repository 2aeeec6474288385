"""Events that another program wrote down: BORIS, Bonsai, a spreadsheet.

Which clock an event file's times are of, and in which unit, is hardly ever said in it. So
each column that may be a time is tried, in seconds before milliseconds, and the first is
taken that puts at least half of the events within the recording.
"""

import csv
import logging
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from phopro_core.loaders.text_tables import is_number, numbers_of, read_table

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

TimeUnit = Literal["s", "ms"]
SECONDS = {"s": 1.0, "ms": 1e-3}
#: Units of columns by their names, in lower case; others may be either.
UNITS: dict[str, TimeUnit] = {
    "time": "s",
    "time (s)": "s",
    "start (s)": "s",
    "timestamp": "s",
    "systemtimestamp": "s",
    "computertimestamp": "ms",
    "mstimestamp": "ms",
    "milliseconds": "ms",
    "ogtime": "ms",
}
#: Columns of a Bonsai file of digital lines, which often has no heading.
DIGITAL_IO = (
    "DigitalIOName",
    "DigitalIOFlag",
    "DigitalIOState",
    "SystemTimestamp",
    "ComputerTimestamp",
)
#: Lines in which the heading of a BORIS export is looked for.
_N_SEARCHED = 500


class _EventList(NamedTuple):
    """Labels of events, and their times by each column that may be a clock."""

    labels: np.ndarray
    clocks: dict[str, np.ndarray]


def read_events(
    path: str | Path,
    span: tuple[float, float],
    time_col: str | None = None,
    time_unit: TimeUnit | None = None,
    offset: float = 0.0,
) -> dict[str, np.ndarray]:
    """Read an event file.

    Parameters
    ----------
    path : path
        A BORIS export (tabular or aggregated events; comma- or tab-separated), a Bonsai
        file of digital lines, or a table of one column of times, or of times and labels,
        with or without a heading. States of BORIS give two labels each, as in
        ``Laser START`` and ``Laser STOP``; a digital line those times at which it goes up.
    span : (float, float)
        Start and end of the recording, seconds.
    time_col : str, optional
        Column of times. By default that by which most events lie within the recording.
    time_unit : {'s', 'ms'}, optional
        By default that which the column's name says, or by which most events lie within
        the recording.
    offset : float
        Seconds to add to the file's times to have them on the recording's clock.

    Returns
    -------
    dict of label to array
        Times in seconds on the recording's clock, ascending; labels in the order in which
        they first occur.

    Raises
    ------
    ValueError
        If the file is of none of these kinds, or of several observations, holds no such
        column, or less than half of the events lie within the recording by any.
    FileNotFoundError
        If it is not there.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such event file")
    if Path(path).stat().st_size == 0:  # as programs write it that write no heading
        return {}
    labels, clocks = _listed(Path(path), time_col)
    if labels.size == 0:
        return {}
    times = _on_clock_of_recording(path, clocks, span, time_col, time_unit, offset)
    return {str(label): np.sort(times[labels == label]) for label in dict.fromkeys(labels.tolist())}


def _on_clock_of_recording(
    path: str | Path,
    clocks: dict[str, np.ndarray],
    span: tuple[float, float],
    time_col: str | None,
    time_unit: TimeUnit | None,
    offset: float,
) -> np.ndarray:
    """Times by the column and unit that were given, or that fit the recording best."""
    if time_col is not None and time_col not in clocks:
        raise ValueError(
            f"{path}: no column of times {time_col!r} (columns that may be: {', '.join(clocks)})"
        )
    tried = {
        (column, unit): times * SECONDS[unit] + offset
        for column, times in clocks.items()
        if time_col in (None, column)
        for unit in _units(column, time_unit)
    }
    if not tried:
        raise ValueError(f"{path}: no column of times that has one for each event")
    within = {key: int(((span[0] <= t) & (t <= span[1])).sum()) for key, t in tried.items()}
    enough = tried[next(iter(tried))].size / 2
    chosen = max(within, key=lambda key: min(within[key], enough))
    if not within[chosen] or (within[chosen] < enough and time_col is None):
        raise ValueError(
            f"{path}: most events lie outside of the recording, {span[0]:g} to {span[1]:g} s, by "
            + ", nor by ".join(
                f"{column!r} in {unit} ({t.min():g} to {t.max():g} s)"
                for (column, unit), t in tried.items()
            )
            + "; tell the column, the unit, or by how many seconds the clocks differ"
        )
    column, unit = chosen
    n_events = tried[chosen].size
    logger.info("Times of %s are those of column %r, in %s", path, column, unit)
    if within[chosen] < n_events:
        outside = n_events - within[chosen]
        logger.warning("%d of %d events of %s lie outside the recording", outside, n_events, path)
    return tried[chosen]


def _units(column: str, given: TimeUnit | None) -> tuple[TimeUnit, ...]:
    known = given or UNITS.get(column.lower())
    return (known,) if known else ("s", "ms")


class _Heading(NamedTuple):
    """Where a table's heading is: below how many rows, and in which line of the file."""

    separator: str
    n_rows_above: int
    line: int


def _listed(path: Path, time_col: str | None) -> _EventList:
    """What an event file lists, of whichever kind it is."""
    heading = _heading(path)
    named = heading.line > 0
    table = read_table(
        path,
        sep=heading.separator,
        skiprows=heading.n_rows_above,
        header=0 if named else None,
        names=None if named else _names_of_columns(path, heading.separator),
    ).dropna(how="all")
    table.columns = [str(name).strip() for name in table.columns]
    by_lower = {name.lower(): name for name in table.columns}
    stamps = [name for name in table.columns if name == time_col or name.lower() in UNITS]
    if "behavior" in by_lower:
        return _of_boris(path, table, by_lower, stamps, heading.line)
    if set(DIGITAL_IO[:3]) <= set(table.columns):
        return _of_lines(path, table, heading.line)
    return _of_times(path, table, stamps, heading.line)


def _heading(path: Path) -> _Heading:
    """The heading of a BORIS export, below what is said of the observation; or the first row.

    In line 0 where there is none, but a number in the first row.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = list(islice(file, _N_SEARCHED))
    separator = "\t" if sum("\t" in line for line in lines) > len(lines) / 2 else ","
    if sum(";" in line for line in lines) > len(lines) / 2:
        raise ValueError(
            f"{path}: columns are separated by semicolons; save the table with commas between "
            "columns and points in decimals"
        )
    rows = csv.reader(lines, delimiter=separator)
    first: list[str] = []
    for number, row in enumerate(rows):
        first = first or row
        cells = {cell.strip().lower() for cell in row}
        if "behavior" in cells and cells & {"time", "start (s)"}:
            return _Heading(separator, number, rows.line_num)
    return _Heading(separator, 0, 0 if any(map(is_number, first)) else 1)


def _names_of_columns(path: Path, separator: str) -> list[str]:
    """Names for the columns of a table without a heading."""
    width = read_table(path, sep=separator, header=None, nrows=1).shape[1]
    if width == len(DIGITAL_IO):
        return list(DIGITAL_IO)
    return [f"column {k}" for k in range(1, width + 1)]


def _of_boris(
    path: Path,
    table: "pd.DataFrame",
    by_lower: dict[str, str],
    stamps: list[str],
    n_above: int,
) -> _EventList:
    behavior = table[by_lower["behavior"]].astype(str).str.strip()
    observations, subjects = (
        table[by_lower[name]].dropna().astype(str).unique() if name in by_lower else []
        for name in ("observation id", "subject")
    )
    if len(observations) > 1:
        raise ValueError(
            f"{path}: events of {len(observations)} observations ({', '.join(observations)}); "
            "export each to a file of its own"
        )
    if len(subjects) > 1:
        told = ", ".join(subjects)
        logger.warning("%s: the events of all subjects are taken: %s", path, told)
    kind_col = by_lower.get("status") or by_lower.get("behavior type")
    kind = (
        behavior.map(lambda _: "POINT")
        if kind_col is None
        else table[kind_col].astype(str).str.strip().str.upper()
    )
    if {"start (s)", "stop (s)"} <= set(by_lower):
        is_state = (kind == "STATE").to_numpy()
        start, stop = (
            numbers_of(path, table[by_lower[name]], n_above) for name in ("start (s)", "stop (s)")
        )
        labels = np.where(is_state, behavior + " START", behavior)
        labels = np.concatenate([labels, (behavior + " STOP")[is_state]])
        return _EventList(labels, {"Start (s)": np.concatenate([start, stop[is_state]])})
    labels = np.where(kind.isin(["START", "STOP"]), behavior + " " + kind, behavior)
    clocks = {
        name: numbers_of(path, table[name], n_above) for name in stamps if table[name].notna().all()
    }
    return _EventList(labels, clocks)


def _of_lines(path: Path, table: "pd.DataFrame", n_above: int) -> _EventList:
    up = table["DigitalIOState"].astype(str).str.strip().str.lower().isin(["true", "1"])
    clocks = {
        name: numbers_of(path, table[name], n_above)[up] for name in DIGITAL_IO[3:] if name in table
    }
    return _EventList(table["DigitalIOName"].astype(str).to_numpy()[up], clocks)


def _of_times(path: Path, table: "pd.DataFrame", stamps: list[str], n_above: int) -> _EventList:
    """Of a table of times alone, or of times and labels."""
    import pandas as pd

    def is_numeric(name: str) -> bool:
        return bool(pd.to_numeric(table[name], errors="coerce").notna().all())

    numeric = [name for name in table.columns if is_numeric(name)]
    texts = [name for name in table.columns if name not in numeric]
    stamps = [name for name in stamps if name in numeric] or numeric[:1]
    if not stamps or len(texts) > 1:
        raise ValueError(
            f"{path}: not an event file: neither an export of BORIS, nor digital lines of Bonsai, "
            f"nor times with or without labels (columns: {', '.join(table.columns)})"
        )
    others = texts or [name for name in numeric if name not in stamps]
    clocks = {name: numbers_of(path, table[name], n_above) for name in stamps}
    if not others:
        return _EventList(np.full(len(table), path.stem, dtype=object), clocks)
    values = table[others[0]]
    if len(others) > 1 or (others[0] in numeric and (values % 1 != 0).any()):
        raise ValueError(
            f"{path}: which of the columns {', '.join(map(repr, others))} has the labels is not "
            "clear; leave times and labels only"
        )
    labels = values.map(lambda cell: f"{cell:g}" if isinstance(cell, float) else str(cell).strip())
    labels = labels.mask(values.isna(), "")
    if set(labels.str.lower()) <= {"true", "false", "0", "1", ""}:
        labels = labels.str.lower().isin(["true", "1"]).map({True: path.stem, False: ""})
    told = (labels != "").to_numpy()
    return _EventList(
        labels.to_numpy(dtype=object)[told], {name: times[told] for name, times in clocks.items()}
    )
