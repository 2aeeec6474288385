"""Recordings as tables of comma-separated values, one row per sample."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.description import GUESSED, Description, channel, guess_pair
from phopro_core.loaders.naming import as_list
from phopro_core.loaders.plain_csv import read_heading, read_plain_csv
from phopro_core.loaders.text_tables import (
    check_cells,
    heading_of,
    is_number,
    numbers_of,
    read_table,
)

if TYPE_CHECKING:
    import pandas as pd

#: Time and one or two traces; and of each event, in which samples it occurs.
_Columns = tuple[list[np.ndarray], dict[str, np.ndarray]]


class CSVLoader(FormatLoader):
    """Loads a recording from a CSV file, compressed (.gz, .bz2, .xz, .zst) or not.

    Parameters
    ----------
    csv : path
        One row per sample, with a heading.
    time_col : str
        Column of time, seconds.
    signal_col : str
        Column of the fluorescence at the sensor's wavelength.
    isosbestic_col : str or None
        Column of the fluorescence at the sensor-independent wavelength. Where there is
        no such column, the recording has a single channel.
    event_cols : str or list of str, optional
        Columns that are truthy in the samples in which an event occurs.
    downsample, downsample_kwargs, annotation_file, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.
    """

    def __init__(
        self,
        csv: str | Path,
        time_col: str = "time",
        signal_col: str = "signal",
        isosbestic_col: str | None = "isosbestic",
        event_cols: str | Sequence[str] | None = None,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        annotation_file: str | Path | None = None,
        annotation_handler: AnnotationHandler = "json",
    ) -> None:
        super().__init__(csv, downsample, downsample_kwargs, annotation_file, annotation_handler)
        self.csv = self.path
        self.time_col = time_col
        self.signal_col = signal_col
        self.isosbestic_col = isosbestic_col
        self.event_cols = as_list(event_cols)

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a file: its columns of numbers, and those of which all are 0 or 1."""
        if not heading_of(path):
            return None
        table = read_table(path)
        table = table[[name for name in table if not name.startswith("Unnamed:")]]
        numbers = table.select_dtypes(["number", "bool"])
        flags = [name for name in numbers if set(numbers[name].dropna().unique()) <= {0, 1}]
        clock = next(
            (name for name in numbers if re.match(r"time|t\b", name, re.IGNORECASE)),
            next((name for name in numbers if name not in flags), None),
        )
        traces = [
            name for name in numbers if name not in (*flags, clock) and "time" not in name.lower()
        ]
        if (
            any(map(is_number, table.columns))
            or clock is None
            or not traces
            or not (np.diff(numbers[clock]) > 0).all()
        ):
            return None
        signal, isosbestic = guess_pair(traces)
        time = numbers[clock].to_numpy(dtype=float)
        return Description(
            path,
            f"CSV table of {len(table):,} rows",
            [channel(name, time) for name in traces],
            {name: int(numbers[name].fillna(0).sum()) for name in flags},
            cls.__name__,
            {
                "time_col": clock,
                "signal_col": signal,
                "isosbestic_col": isosbestic,
                "event_cols": flags,
            },
            [GUESSED],
        )

    def read(self) -> Reading:
        """Read the wanted columns."""
        (time, *traces), occurrences = self._read_plain() or self._read_anything()
        return Reading(time, traces, {label: time[at] for label, at in occurrences.items()})

    def _read_plain(self) -> _Columns | None:
        """What is in a file in which all is well; None of any other."""
        heading = read_heading(self.path)
        names = self._traces(heading)
        found = read_plain_csv(self.path, names, self.event_cols) if heading else None
        if found is None:
            return None
        numbers, flags = found
        if numbers[0].size == 0 or any(np.isnan(column).any() for column in numbers):
            return None
        return numbers, dict(zip(self.event_cols, flags, strict=True))

    def _read_anything(self) -> _Columns:
        """What is in any file, or an error that says what is wrong with it."""
        table = self._read_table()
        numbers = [numbers_of(self.path, table[name]) for name in self._traces(table.columns)]
        return numbers, {label: self._occurs(table, label) for label in self.event_cols}

    def _traces(self, columns: Collection[str]) -> list[str]:
        """Columns of time and of one or two traces."""
        names = [self.time_col, self.signal_col]
        return [*names, self.isosbestic_col] if self.isosbestic_col in columns else names

    def _read_table(self) -> "pd.DataFrame":
        needed = [self.time_col, self.signal_col, *self.event_cols]
        wanted = {*needed, self.isosbestic_col}
        table = read_table(self.path, usecols=lambda name: name in wanted)
        missing = [name for name in needed if name not in table]
        if missing:
            heading = ", ".join(read_table(self.path, nrows=0).columns)
            raise ValueError(
                f"{self.path}: no column {', '.join(map(repr, missing))} (has: {heading})"
            )
        if table.empty:
            raise ValueError(f"{self.path}: there is a heading, but no sample below it")
        return table

    def _occurs(self, table: "pd.DataFrame", label: str) -> np.ndarray:
        """Which samples an event occurs in; a cell without a value means that it does not."""
        column = table[label]
        if column.dtype == object:
            known = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
            column = column.astype(str).mask(column.isna(), "false").str.strip().str.lower()
            check_cells(self.path, table[label], column.isin(known), "neither true nor false")
            return column.map(known).to_numpy(dtype=bool)
        return column.fillna(0).to_numpy().astype(bool)
