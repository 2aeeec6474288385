"""Recordings of Doric systems: .doric files (HDF5), and the CSV files exported from them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.clocks import Trace, on_one_clock, onsets
from phopro_core.loaders.description import (
    GUESSED,
    Description,
    as_loader_kwargs,
    channel,
    guess_pair,
)
from phopro_core.loaders.hdf5 import is_hdf5, open_hdf5
from phopro_core.loaders.naming import by_label, find_part
from phopro_core.loaders.text_tables import heading_of, numbers_of, read_table

if TYPE_CHECKING:
    import h5py

#: Roots of the newer and the older tree.
ACQUISITION, TRACES = "DataAcquisition", "Traces"
#: Group of the times, in the older tree.
_OLDER_CLOCK = "Time(s)"
_IS_SERIES = re.compile(r"Series\d+")
_IS_DEMODULATED = re.compile(r"LockIn|Dem |Deinterleaved|ROI")
#: Leaf that says nothing of which trace it is.
_VALUES = "/Values"


class DoricLoader(FormatLoader):
    """Loads one fiber of a .doric file, or of a CSV file exported from one.

    Parameters
    ----------
    path : path
    signal, isosbestic : str
        Traces, by their path in the file or as much of its end as tells them apart
        (``LockInAOUT02/AIN01``, ``AIN01xAOUT02-LockIn``, ``CAM1EXC1/ROI01``); of a CSV file,
        columns. An isosbestic of None means a single channel.
    events : str, list of str, or mapping of label to str, optional
        Digital lines in the same way; they occur when the line goes up.
    downsample, downsample_kwargs, annotation_file, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.

    Notes
    -----
    Groups have times of their own; the isosbestic is brought to those of the signal by
    linear interpolation. Samples without a value (NaN) before the first and after the
    last that has one are left out.
    """

    def __init__(
        self,
        path: str | Path,
        signal: str,
        isosbestic: str | None = None,
        events: str | Sequence[str] | Mapping[str, str] | None = None,
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
        """What is in a file: all its traces and digital lines."""
        if not _is_doric(path):
            return None
        with open_doric(path) as file:
            digital = [name for name in file.names if file.is_digital(name)]
            analog = [name for name in file.names if name not in digital]
            calls = _suggested(analog, digital)
            return Description(
                path,
                "Doric recording",
                [channel(name, file.trace(name).time) for name in analog],
                {name: onsets(*file.trace(name)).size for name in digital},
                cls.__name__,
                as_loader_kwargs(calls),
                [GUESSED],
            )

    def read(self) -> Reading:
        """Read the wanted traces and lines, and no others."""
        with open_doric(self.path) as file:
            time, traces = on_one_clock(
                self.path,
                _without_empty_ends(file.trace(self.signal)),
                None
                if self.isosbestic is None
                else _without_empty_ends(file.trace(self.isosbestic)),
            )
            events = {label: onsets(*file.trace(line)) for label, line in self.events.items()}
            return Reading(time, traces, events, file.metadata())


def _is_doric(path: Path) -> bool:
    if path.suffix.lower() == ".doric":
        return True
    if is_hdf5(path):
        with open_hdf5(path) as file:
            return ACQUISITION in file or TRACES in file
    heading = heading_of(path)
    return heading[:1] == ["---"] or "Time(s)" in heading


def _suggested(analog: list[str], digital: list[str]) -> list[dict[str, Any]]:
    """Keyword arguments that would load each series of a file."""

    def series(name: str) -> str:
        return next((part for part in name.split("/") if _IS_SERIES.fullmatch(part)), "")

    demodulated = [name for name in analog if _IS_DEMODULATED.search(name)] or analog
    leaves = Counter(f"{series(name)}/{name.rsplit('/', 1)[-1]}" for name in demodulated)

    def fiber(name: str) -> tuple[str, str]:
        """What traces of a fiber share: the series, and the leaf if it is in several groups."""
        leaf = name.rsplit("/", 1)[-1]
        return series(name), leaf if leaves[f"{series(name)}/{leaf}"] > 1 else ""

    calls = []
    for one in dict.fromkeys(map(fiber, demodulated)):
        signal, isosbestic = guess_pair([name for name in demodulated if fiber(name) == one])
        lines = [name for name in digital if series(name) == one[0]]
        calls.append({"signal": signal, "isosbestic": isosbestic, "events": lines})
    return calls


class _Stored(NamedTuple):
    """Where the times and the values of a trace are, as functions that read them."""

    time: Callable[[], np.ndarray]
    values: Callable[[], np.ndarray]
    is_digital: bool


@contextmanager
def open_doric(path: str | Path) -> "Iterator[DoricFile]":
    """Open a .doric file, or a CSV file exported from one.

    Raises
    ------
    ValueError
        If it is neither, or broken, be it that this shows when its traces are read.
    FileNotFoundError
        If it is not there.
    """
    path = Path(path)
    if path.is_file() and not is_hdf5(path) and path.suffix.lower() != ".doric":
        yield DoricFile(path, _columns(path))
        return
    with open_hdf5(path) as file:
        if ACQUISITION not in file and TRACES not in file:
            raise ValueError(
                f"{path}: not a Doric file: neither {ACQUISITION!r} nor {TRACES!r} is in it "
                f"(has: {', '.join(file) or 'nothing'})"
            )
        stored = (
            _of_newer_tree(file[ACQUISITION])
            if ACQUISITION in file
            else _of_older_tree(file[TRACES])
        )
        yield DoricFile(path, dict(stored), dict(file.attrs))


class DoricFile:
    """The traces of a Doric file, read when asked for.

    Attributes
    ----------
    names : list of str
        Paths of the traces in the file, or columns.
    """

    def __init__(
        self, path: Path, stored: dict[str, _Stored], attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        self.names = list(stored)
        self._stored = stored
        self._attributes = attributes or {}

    def trace(self, name: str) -> Trace:
        """Times and values of a trace.

        Raises
        ------
        ValueError
            If there is no such trace, or several; or if it has not as many times as values.
        """
        stored = self._stored[find_part(self.path, name, self.names, "trace")]
        time, values = stored.time(), stored.values()
        if time.size != values.size:
            raise ValueError(
                f"{self.path}: {name} has {values.size} values, but {time.size} times; was the "
                "recording cut off?"
            )
        return Trace(time, values)

    def is_digital(self, name: str) -> bool:
        """Whether a trace is that of a digital line."""
        return self._stored[name].is_digital

    def metadata(self) -> dict[str, Any]:
        """What the file says of the recording."""
        known = {"Created": "date_time", "SoftwareVersion": "software_version"}
        return {
            name: str(self._attributes[key])
            for key, name in known.items()
            if key in self._attributes
        }


def _columns(path: Path) -> dict[str, _Stored]:
    """Of a CSV file: one or two lines of heading, the last with the names of columns."""
    for n_groups in (1, 0):
        head = read_table(path, header=None, nrows=n_groups + 1, dtype=str)
        if len(head) > n_groups:
            cells = head.iloc[n_groups].fillna("").str.strip().tolist()
            if any(_is_clock(cell) for cell in cells):
                break
    else:
        raise ValueError(
            f"{path}: not a Doric CSV file: no column 'Time(s)' in the first two lines"
        )
    groups = head.iloc[0].fillna("").tolist() if n_groups else [""] * len(cells)
    table = read_table(path, skiprows=n_groups)
    table.columns = [str(name).strip() for name in table.columns]
    if table.empty:
        raise ValueError(f"{path}: there is a heading, but no sample below it")
    clock = next(filter(_is_clock, table.columns))

    def numbers(name: str, with_gaps: bool = True) -> Callable[[], np.ndarray]:
        def read() -> np.ndarray:
            column = table[name]
            there = column.notna() if with_gaps else np.ones(len(column), dtype=bool)
            values = np.full(len(column), np.nan)
            values[there] = numbers_of(path, column[there], n_groups + 1)
            return values

        return read

    return {
        name: _Stored(numbers(clock, with_gaps=False), numbers(name), group.startswith("Digital"))
        for name, group in zip(table.columns, groups, strict=False)
        if name != clock and not name.startswith("Unnamed:")
    }


def _is_clock(name: str) -> bool:
    return name.lower() in ("time", "time(s)")


def _of_newer_tree(root: "h5py.Group") -> list[tuple[str, _Stored]]:
    """Traces of groups that have a dataset of times beside those of values."""
    import h5py

    found = []

    def look(_: str, group: Any) -> None:
        if not isinstance(group, h5py.Group) or not _is_trace(group.get("Time")):
            return
        for name, dataset in group.items():
            if name != "Time" and _is_trace(dataset):
                whole = dataset.name.strip("/").removesuffix(_VALUES)
                is_digital = "DigitalIO" in group.name.rsplit("/", 1)[-1]
                found.append((whole, _stored(group["Time"], dataset, is_digital)))

    root.visititems(look)
    return found


def _of_older_tree(root: "h5py.Group") -> list[tuple[str, _Stored]]:
    """Traces of a device, all on one clock; each dataset lies in a group of its own name."""
    import h5py

    found = []
    for device in root.values():
        times = device.get(_OLDER_CLOCK) if isinstance(device, h5py.Group) else None
        clock = next(iter(times.values()), None) if isinstance(times, h5py.Group) else None
        if not _is_trace(clock):
            continue
        for name, group in device.items():
            dataset = group.get(name) if isinstance(group, h5py.Group) else None
            if _is_trace(dataset):
                whole = group.name.strip("/")
                found.append((whole, _stored(clock, dataset, name.startswith("DI"))))
    return found


def _is_trace(item: Any) -> bool:
    """Whether something in a file is a row of numbers."""
    import h5py

    return isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "biuf"


def _stored(clock: "h5py.Dataset", dataset: "h5py.Dataset", is_digital: bool) -> _Stored:
    return _Stored(lambda: clock[:].astype(float), lambda: dataset[:].astype(float), is_digital)


def _without_empty_ends(trace: Trace) -> Trace:
    """A trace from its first sample to its last that are numbers."""
    there = np.flatnonzero(~np.isnan(trace.values))
    if there.size == 0:
        return Trace(trace.time[:0], trace.values[:0])
    within = slice(there[0], there[-1] + 1)
    return Trace(trace.time[within], trace.values[within])
