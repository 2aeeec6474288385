"""Recordings as tables of comma-separated values, one row per sample."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from phopro_core.loaders.annotations import read_annotation
from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.plain_csv import read_heading, read_plain_csv

if TYPE_CHECKING:
    import pandas as pd

#: Time and one or two traces; and of each event, in which samples it occurs.
_Columns = tuple[list[np.ndarray], dict[str, np.ndarray]]


class CSVLoader(PhotometryLoader):
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
    downsample : int, optional
        Keep one sample in so many. Events keep their own times.
    downsample_kwargs : mapping, optional
        Of :func:`phopro_core.downsampling.downsample`, such as the method.
    annotation_file : path, optional
        Its keys and values go into the metadata.
    annotation_handler : {'json', 'yaml'} or callable
        Format of that file, or a function of its path that returns a mapping.
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
        annotation_handler: Literal["json", "yaml"] | Callable[[Path], Mapping[str, Any]] = "json",
    ) -> None:
        self.csv = Path(csv)
        self.time_col = time_col
        self.signal_col = signal_col
        self.isosbestic_col = isosbestic_col
        self.event_cols = [event_cols] if isinstance(event_cols, str) else list(event_cols or [])
        self.downsample = downsample
        self.downsample_kwargs = dict(downsample_kwargs or {})
        self.annotation_file = annotation_file
        self.annotation_handler = annotation_handler

    def extract_data(self) -> dict[str, Any]:
        """Read the recording.

        Raises
        ------
        ValueError
            If the file is empty, lacks a column, or holds something but numbers in one.
        FileNotFoundError
            If the file, or the annotation file, is not there.
        """
        (time, *traces), occurrences = self._read_plain() or self._read_anything()
        events = {label: time[occurs] for label, occurs in occurrences.items()}
        if self.downsample is not None:
            from phopro_core.downsampling import downsample

            traces, time = downsample(
                np.stack(traces), time, self.downsample, **self.downsample_kwargs
            )
        annotation = read_annotation(self.annotation_file, self.annotation_handler)
        return {
            "raw_signal": traces[0],
            "raw_isosbestic": traces[1] if len(traces) == 2 else None,
            "time": time,
            "events": events,
            "metadata": {**annotation, "source": str(self.csv)},
        }

    def _read_plain(self) -> _Columns | None:
        """What is in a file in which all is well; None of any other."""
        heading = read_heading(self.csv)
        names = self._traces(heading)
        found = read_plain_csv(self.csv, names, self.event_cols) if heading else None
        if found is None:
            return None
        numbers, flags = found
        if numbers[0].size == 0 or any(np.isnan(column).any() for column in numbers):
            return None
        return numbers, dict(zip(self.event_cols, flags, strict=True))

    def _read_anything(self) -> _Columns:
        """What is in any file, or an error that says what is wrong with it."""
        table = self._read_table()
        numbers = [self._numbers(table, name) for name in self._traces(table.columns)]
        return numbers, {label: self._occurs(table, label) for label in self.event_cols}

    def _traces(self, columns: Collection[str]) -> list[str]:
        """Columns of time and of one or two traces."""
        names = [self.time_col, self.signal_col]
        return [*names, self.isosbestic_col] if self.isosbestic_col in columns else names

    def _read_table(self) -> "pd.DataFrame":
        import gzip
        import lzma
        import zlib

        import pandas as pd

        needed = [self.time_col, self.signal_col, *self.event_cols]
        wanted = {*needed, self.isosbestic_col}
        try:
            # Without index_col, rows with a trailing comma would have their first cell taken
            # for an index, and all others shifted.
            table = pd.read_csv(
                self.csv,
                usecols=lambda name: name in wanted,
                index_col=False,
                encoding="utf-8-sig",
                # Else the last digits may be others than those in the file.
                float_precision="round_trip",
            )
        except pd.errors.EmptyDataError as error:
            raise ValueError(
                f"{self.csv}: the file is empty; copy it anew from the acquisition system"
            ) from error
        except pd.errors.ParserError as error:
            raise ValueError(
                f"{self.csv}: not a table of comma-separated values: {error}"
            ) from error
        except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
            raise ValueError(
                f"{self.csv}: can't be decompressed: {error}; copy it anew from where it is whole"
            ) from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.csv}: not a text file in UTF-8: {error}") from error
        missing = [name for name in needed if name not in table]
        if missing:
            raise ValueError(
                f"{self.csv}: no column {', '.join(map(repr, missing))} (has: {self._heading()})"
            )
        if table.empty:
            raise ValueError(f"{self.csv}: there is a heading, but no sample below it")
        return table

    def _heading(self) -> str:
        import pandas as pd

        return ", ".join(pd.read_csv(self.csv, nrows=0, encoding="utf-8-sig").columns)

    def _numbers(self, table: "pd.DataFrame", name: str) -> np.ndarray:
        import pandas as pd

        column = table[name]
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        _check(~np.isnan(numbers) | column.isna(), column, self.csv, "not a number")
        _check(np.isfinite(numbers), column, self.csv, "a missing or infinite value")
        return numbers

    def _occurs(self, table: "pd.DataFrame", label: str) -> np.ndarray:
        """Which samples an event occurs in; a cell without a value means that it does not."""
        column = table[label]
        if column.dtype == object:
            known = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
            column = column.astype(str).mask(column.isna(), "false").str.strip().str.lower()
            _check(column.isin(known), table[label], self.csv, "neither true nor false")
            return column.map(known).to_numpy(dtype=bool)
        return column.fillna(0).to_numpy().astype(bool)


def _check(valid: "np.ndarray | pd.Series", column: "pd.Series", path: Path, what: str) -> None:
    """Raise ValueError naming the first cell that is not valid, by its line in the file."""
    valid = np.asarray(valid)
    if valid.all():
        return
    row = int(np.argmin(valid))
    cell = column.iloc[row]
    shown = repr(cell) if isinstance(cell, str) else cell
    more = np.count_nonzero(~valid) - 1
    raise ValueError(
        f"{path}: column {column.name!r}, line {row + 2}: {shown} is {what}"
        + (f", and so are {more} more of its {valid.size} cells" if more else "")
    )
