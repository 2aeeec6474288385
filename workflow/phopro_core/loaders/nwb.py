"""Recordings in Neurodata Without Borders (NWB) files."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.clocks import Trace, on_one_clock, onsets
from phopro_core.loaders.description import (
    GUESSED,
    Channel,
    Description,
    as_loader_kwargs,
    guess_pair,
)
from phopro_core.loaders.extras import import_extra
from phopro_core.loaders.hdf5 import is_hdf5, open_hdf5
from phopro_core.loaders.naming import by_label, find_part

logger = logging.getLogger(__name__)

#: An event: the name of what holds it, or a mapping of this with more about it.
EventSource = str | Mapping[str, Any]
#: Fields of a file and of its subject that go into the metadata.
SESSION = (
    "identifier",
    "session_id",
    "session_description",
    "session_start_time",
    "experimenter",
    "lab",
    "institution",
)
SUBJECT = ("subject_id", "species", "strain", "genotype", "sex", "age", "date_of_birth", "weight")
#: Characters of another program's message that are shown.
_LONGEST = 300
#: Values of a column that a message lists.
_N_LISTED = 10
#: Columns of times in tables, the first that there is.
_CLOCKS = ("timestamp", "start_time")
#: Series that are no recording, but what was sent to a light source.
_COMMANDED = "CommandedVoltageSeries"


class NWBLoader(FormatLoader):
    """Loads one fiber of an NWB file.

    Parameters
    ----------
    path : path
    signal, isosbestic : str
        Series, by name or by path in the file; of a series with a column per fiber, with
        the number of the column from 0: ``fiber_photometry_470[1]``. They may be
        FiberPhotometryResponseSeries or any other TimeSeries. An isosbestic of None means
        a single channel.
    events : str, list of str, or mapping of label to str or mapping, optional
        Where each event's times are: the name of a table of events or of intervals
        (``trials``), or of a series of time stamps; or a mapping of ``table`` with that
        name, ``column``, the column of times (by default timestamp or start_time), and
        ``where``, a mapping of other columns to the value that they must have, or to a
        list of such values. What a LabeledEvents has is told apart by its column
        ``label``. Of a series of zeros and ones, the events are when it goes up.
    downsample, downsample_kwargs, annotation_file, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.

    Notes
    -----
    Samples are in the unit of the series, conversion and offset applied. Time is that of
    the file, seconds from its reference time. Subject and session go into the metadata.
    """

    extra = ("pynwb", "nwb")

    def __init__(
        self,
        path: str | Path,
        signal: str,
        isosbestic: str | None = None,
        events: str | Sequence[str] | Mapping[str, EventSource] | None = None,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        annotation_file: str | Path | None = None,
        annotation_handler: AnnotationHandler = "json",
    ) -> None:
        super().__init__(path, downsample, downsample_kwargs, annotation_file, annotation_handler)
        self.signal = signal
        self.isosbestic = isosbestic
        self.events = by_label(events)

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a file: all columns of its series, and its tables of events."""
        if not _is_nwb(path):
            return None
        with open_nwb(path) as contents:
            traces = contents.traces()
            times = {name: contents.times_of(name) for name in contents.tables}
            pairs = [guess_pair(group) for group in _by_place(traces)]
            calls = [
                {"signal": signal, "isosbestic": isosbestic, "events": list(times)}
                for signal, isosbestic in filter(None, pairs)
            ]
            return Description(
                path,
                f"NWB file: {contents.file.session_description}",
                [contents.channel(name, said) for name, said in traces.items()],
                {name: found.size for name, found in times.items()},
                cls.__name__,
                as_loader_kwargs(calls),
                [GUESSED],
            )

    def read(self) -> Reading:
        """Read the wanted columns of the wanted series."""
        with open_nwb(self.path) as contents:
            isosbestic = None if self.isosbestic is None else contents.trace(self.isosbestic)
            time, traces = on_one_clock(self.path, contents.trace(self.signal), isosbestic)
            events = {label: contents.times_of(source) for label, source in self.events.items()}
            return Reading(time, traces, events, contents.metadata())


def _is_nwb(path: Path) -> bool:
    if path.suffix.lower() == ".nwb":
        return path.is_file()
    if not is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        return "nwb_version" in file.attrs


@contextmanager
def open_nwb(path: str | Path) -> "Iterator[NWBContents]":
    """Open an NWB file.

    Extensions are read by the definitions that files hold: importing one would put its
    installed version in their place, and lose what an older version wrote.

    Raises
    ------
    ValueError
        If it is not an NWB file of version 2, or broken: the file, and why.
    FileNotFoundError
        If it is not there.
    """
    pynwb = import_extra(*NWBLoader.extra)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        io = pynwb.NWBHDF5IO(str(path), "r")
    except Exception as error:  # of many classes, by what is broken
        raise _broken(path, error) from error
    with io:
        try:
            file = io.read()
        except Exception as error:
            raise _broken(path, error) from error
        places = {
            item.object_id: io.manager.get_builder(item).path.removeprefix("root/")
            for item in file.objects.values()
        }
        yield NWBContents(Path(path), file, places)


def _broken(path: str | Path, error: Exception) -> ValueError:
    what = str(error)[:_LONGEST] + ("…" if len(str(error)) > _LONGEST else "")
    return ValueError(
        f"{path}: can't be read as an NWB file of version 2 ({type(error).__name__}: {what}); is "
        "it whole, and does it hold the definitions of its extensions?"
    )


class NWBContents:
    """Series and events of an NWB file, by their paths in it.

    Parameters
    ----------
    path : Path
        The file, for messages.
    file : NWBFile
    places : mapping of id to path
        Where each object lies in the file.

    Attributes
    ----------
    series : dict of path to TimeSeries
        Without those of commands to light sources.
    tables : dict of path to table or other source of events
    """

    def __init__(self, path: Path, file: Any, places: Mapping[str, str]) -> None:
        self.path = path
        self.file = file
        series = import_extra(*NWBLoader.extra).TimeSeries
        self.series: dict[str, Any] = {}
        self.tables: dict[str, Any] = {}
        for item in sorted(file.objects.values(), key=lambda item: places[item.object_id]):
            name = places[item.object_id]
            if isinstance(item, series):
                if item.neurodata_type != _COMMANDED:
                    self.series[name] = item
            elif _holds_events(item):
                self.tables[name] = item

    def traces(self) -> dict[str, str]:
        """What is said of each trace, by the name that it is loaded by."""
        said = {}
        for name, series in self.series.items():
            shape = getattr(series.data, "shape", ())
            if getattr(series.data, "dtype", np.dtype(object)).kind not in "iuf":
                continue
            if len(shape) == 2:
                lights = _lights(series)
                said |= {
                    f"{name}[{k}]": lights[k] if k < len(lights) else "" for k in range(shape[1])
                }
            elif len(shape) == 1 and shape[0] > 1:
                said[name] = ", ".join(_lights(series)) or name
        return said

    def channel(self, name: str, said: str) -> Channel:
        """A trace, without reading its samples."""
        series = self.series[split_column(name)[0]]
        n_samples = series.data.shape[0]
        if series.timestamps is not None:
            first, last = (float(series.timestamps[at]) for at in (0, -1))
        else:
            first = float(series.starting_time or 0.0)
            last = first + (n_samples - 1) / series.rate
        return Channel(name if name.endswith(said) else f"{name} {said}", n_samples, first, last)

    def trace(self, name: str) -> Trace:
        """Times and values of a series, or of a column of it (``name[1]``)."""
        name, column = split_column(name)
        series = self.series[find_part(self.path, name, self.series, "series")]
        data = series.data
        n_columns = data.shape[1] if len(data.shape) == 2 else None
        if len(data.shape) > 2 or (n_columns is None) != (column is None):
            raise ValueError(
                f"{self.path}: series {name!r} has the shape {tuple(data.shape)}; "
                + (
                    "it has no columns to choose from"
                    if n_columns is None
                    else f"choose a column: {name}[0] to {name}[{n_columns - 1}]"
                )
            )
        if n_columns is not None and column >= n_columns:
            raise ValueError(
                f"{self.path}: series {name!r} has columns 0 to {n_columns - 1}, but not {column}"
            )
        try:
            values = np.asarray(data[:] if column is None else data[:, column], dtype=float)
        except (OSError, RuntimeError) as error:
            raise _broken(self.path, error) from error
        values = values * series.conversion + series.offset
        time = self._times(series, values.size)
        return Trace(time, values)

    def _times(self, series: Any, n_samples: int) -> np.ndarray:
        if series.timestamps is not None:
            time = np.asarray(series.timestamps[:], dtype=float)
            if time.size != n_samples:
                raise ValueError(
                    f"{self.path}: series {series.name!r} has {n_samples} samples, but {time.size} "
                    "time stamps"
                )
            return time
        if not series.rate or not np.isfinite(series.rate):
            raise ValueError(f"{self.path}: series {series.name!r} has neither times nor a rate")
        return series.starting_time + np.arange(n_samples) / series.rate

    def times_of(self, source: EventSource) -> np.ndarray:
        """Times of an event, ascending; see :class:`NWBLoader` for how it is told."""
        about = {"table": source} if isinstance(source, str) else dict(source)
        unknown = set(about) - {"table", "column", "where"}
        if unknown or "table" not in about:
            raise ValueError(f"an event is told by table, column and where, but not by {source!r}")
        names = [*self.tables, *self.series]
        found = find_part(self.path, about["table"], names, "table or series of events")
        if found in self.series:
            if about.keys() != {"table"}:
                raise ValueError(f"{self.path}: {found} is a series; it has no columns")
            return np.sort(self._times_of_series(found))
        return np.sort(self._times_of_table(found, about.get("column"), about.get("where") or {}))

    def _times_of_series(self, name: str) -> np.ndarray:
        series = self.series[name]
        time, values = self._times(series, len(series.data)), np.asarray(series.data[:])
        if series.neurodata_type == "IntervalSeries":
            return time[values > 0]
        is_line = values.dtype.kind in "biuf" and set(np.unique(values)) == {0, 1}
        if is_line or series.timestamps is None:
            return onsets(time, values)
        return time

    def _times_of_table(
        self, name: str, column: str | None, where: Mapping[str, Any]
    ) -> np.ndarray:
        columns = self.columns(name)
        clock = column or next((one for one in _CLOCKS if one in columns), None)
        missing = [one for one in [clock, *where] if one not in columns]
        if missing:
            raise ValueError(
                f"{self.path}: {name} has no column {missing[0]!r} (has: {', '.join(columns)})"
            )
        chosen = np.ones(len(columns[clock]), dtype=bool)
        for key, wanted in where.items():
            allowed = wanted if isinstance(wanted, list | tuple) else [wanted]
            there = [_comparable(cell) for cell in columns[key]]
            matching = np.isin(there, [_comparable(one) for one in allowed])
            if not matching.any():
                found = ", ".join(sorted(set(there))[:_N_LISTED])
                logger.warning(
                    "%s: column %r of %s is %r in no row (has: %s)",
                    self.path,
                    key,
                    name,
                    wanted,
                    found,
                )
            chosen &= matching
        cells = [columns[clock][row] for row in np.flatnonzero(chosen)]
        try:
            times = np.concatenate([np.atleast_1d(cell).astype(float) for cell in cells] or [[]])
        except ValueError as error:
            raise ValueError(f"{self.path}: column {clock!r} of {name} is no time") from error
        return times[~np.isnan(times)]

    def columns(self, name: str) -> dict[str, Sequence[Any]]:
        """Columns of a table, by their names; one with several values a row as lists."""
        table = self.tables[name]
        match table.neurodata_type:
            case "Events":
                return {"timestamp": table.timestamps[:]}
            case "LabeledEvents" | "TTLs":
                # In classes that are made from a file's definitions it is told by its place.
                given = getattr(table, "labels", None)
                given = table.data__labels if given is None else given
                labels = [str(label) for label in given[:]]
                numbers = table.data[:]
                return {
                    "timestamp": table.timestamps[:],
                    "label": [labels[k] if k < len(labels) else str(k) for k in numbers],
                }
        columns = {one: table[one][:] for one in table.colnames}
        if table.neurodata_type == "AnnotatedEventsTable":
            columns["timestamp"] = columns.pop("event_times")
        return columns

    def metadata(self) -> dict[str, Any]:
        """Fields of the session and of the subject that have a value."""
        found = {key: getattr(self.file, key, None) for key in SESSION}
        found |= {key: getattr(self.file.subject, key, None) for key in SUBJECT}
        return {
            key: ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
            for key, value in found.items()
            if value is not None and len(str(value)) > 0
        }


def _by_place(traces: Mapping[str, str]) -> list[dict[str, str]]:
    """Traces by the place that they are said to be of; those of which nothing is, together."""
    places: dict[str, dict[str, str]] = {}
    for name, said in traces.items():
        places.setdefault(re.sub(r"[\d.]+ nm$", "", said) if said != name else "", {})[name] = said
    return list(places.values())


def _lights(series: Any) -> list[str]:
    """Place and wavelength of each column of a fiber's series, as far as the file says."""
    region = getattr(series, "fiber_photometry_table_region", None)
    if region is None:
        return []
    table = region.table
    told = [one for one in ("location", "excitation_wavelength_in_nm") if one in table.colnames]
    rows = ([table[one][int(row)] for one in told] for row in region.data[:])
    return [
        " ".join(cell if isinstance(cell, str) else f"{cell:g} nm" for cell in row) for row in rows
    ]


def _comparable(cell: Any) -> str:
    """A cell as text; equal numbers are equal texts, whatever their types."""
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell))
    return f"{cell:.17g}" if isinstance(cell, int | float | np.number) else str(cell)


def split_column(name: str) -> tuple[str, int | None]:
    """The name of a series, and the number of the column, if one is told.

    >>> split_column("dLight[1]"), split_column("dLight")
    (('dLight', 1), ('dLight', None))
    """
    told = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return (told[1], int(told[2])) if told else (name, None)


def _holds_events(item: Any) -> bool:
    """Whether an object is a table, or the like, with times in it."""
    is_list = getattr(item, "neurodata_type", "") in ("Events", "LabeledEvents", "TTLs")
    return is_list or not {*_CLOCKS, "event_times"}.isdisjoint(getattr(item, "colnames", ()))
