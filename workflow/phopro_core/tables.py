"""A continuous recording as a table: one row per sample, or one per sample and trace."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from phopro_core.downsampling import downsample as downsampled
from phopro_core.experiment import PhotometryExperiment
from phopro_core.replacing import replacing
from phopro_core.storage import TRACES
from phopro_core.windows import nearest_samples

logger = logging.getLogger(__name__)

TableFormat = Literal["wide", "long"]

#: Traces that a table can do without: they are made of the raw ones by a filter alone.
FILTERED = ("filtered_signal", "filtered_isosbestic")


def wide_table(
    experiment: PhotometryExperiment,
    downsample: int | None = None,
    downsample_kwargs: Mapping[str, Any] | None = None,
    export_events: bool = False,
    include_filtered_traces: bool = True,
) -> pd.DataFrame:
    """One row per sample, one column per trace.

    Parameters
    ----------
    experiment : PhotometryExperiment
    downsample : int, optional
        Keep one sample in so many.
    downsample_kwargs : mapping, optional
        Of :func:`phopro_core.downsampling.downsample`, such as the method.
    export_events : bool
        Whether to add a column per event: how many of its occurrences are nearer to this
        sample than to any other of the table. Occurrences outside the recording are left
        out, with a warning.
    include_filtered_traces : bool
        Whether filtered_signal and filtered_isosbestic are among the columns.

    Returns
    -------
    DataFrame
        Columns time (seconds), the traces that the experiment has, in the order of
        ``storage.TRACES``, and the events in the experiment's order.

    Raises
    ------
    ValueError
        If downsampling leaves no sample, or an event has the name of another column.

    Examples
    --------
    >>> experiment = PhotometryExperiment(
    ...     [5, 6, 7, 8], None, [0, 0.1, 0.2, 0.3], events={"cue": [0.11, 0.3]}
    ... )
    >>> wide_table(experiment, export_events=True)
       time  raw_signal  cue
    0   0.0         5.0    0
    1   0.1         6.0    1
    2   0.2         7.0    0
    3   0.3         8.0    1
    """
    traces = {
        name: getattr(experiment, attribute)
        for name, attribute in TRACES.items()
        if getattr(experiment, attribute) is not None
        and (include_filtered_traces or name not in FILTERED)
    }
    time = experiment.time
    if downsample is not None:
        kept, time = downsampled(
            np.stack(list(traces.values())), time, downsample, **(downsample_kwargs or {})
        )
        traces = dict(zip(traces, kept, strict=True))
    counts = _event_counts(experiment, time) if export_events else {}
    return pd.DataFrame({"time": time, **traces, **counts})


def long_table(
    experiment: PhotometryExperiment,
    downsample: int | None = None,
    downsample_kwargs: Mapping[str, Any] | None = None,
    export_events: bool = False,
    include_filtered_traces: bool = True,
) -> pd.DataFrame:
    """One row per sample and trace.

    Takes the parameters of :func:`wide_table`, and raises what that does.

    Returns
    -------
    DataFrame
        Columns time (seconds), source (the name of the trace or event) and value; all
        samples of a source follow one another, the sources in the order of the wide
        table's columns.

    Examples
    --------
    >>> long_table(PhotometryExperiment([5, 6], [1, 2], [0, 0.1]))
       time          source  value
    0   0.0      raw_signal    5.0
    1   0.1      raw_signal    6.0
    2   0.0  raw_isosbestic    1.0
    3   0.1  raw_isosbestic    2.0
    """
    wide = wide_table(
        experiment, downsample, downsample_kwargs, export_events, include_filtered_traces
    )
    sources = wide.columns.drop("time")
    return pd.DataFrame(
        {
            "time": np.tile(wide["time"], sources.size),
            "source": np.repeat(sources, len(wide)),
            "value": np.concatenate([wide[source].to_numpy(dtype=float) for source in sources]),
        }
    )


def write_table(
    experiment: PhotometryExperiment,
    path: str | Path,
    downsample: int | None = None,
    downsample_kwargs: Mapping[str, Any] | None = None,
    export_events: bool = True,
    include_filtered_traces: bool = False,
    format: TableFormat = "wide",
) -> None:
    """Write a recording as comma-separated values, replacing a file only once complete.

    The wide form is what :class:`phopro_core.CSVLoader` reads: its signal_col is
    raw_signal, its isosbestic_col raw_isosbestic, its event_cols are the events.

    Parameters
    ----------
    path : path
        Compressed as its suffix says (.gz, .bz2, .xz, .zst, .zip, .tar …).
    format : {'wide', 'long'}
        Of :func:`wide_table` or :func:`long_table`, which see for the others.

    Raises
    ------
    ValueError
        If the format is another one, or the table can't be made.
    """
    if format not in get_args(TableFormat):
        raise ValueError(
            f"format is {format!r}, but must be one of {', '.join(get_args(TableFormat))}"
        )
    tabulate = wide_table if format == "wide" else long_table
    table = tabulate(
        experiment, downsample, downsample_kwargs, export_events, include_filtered_traces
    )
    path = Path(path)
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, compression=_compression(path))


def _event_counts(experiment: PhotometryExperiment, time: np.ndarray) -> dict[str, np.ndarray]:
    """For each event, how many occurrences are nearest to each of these times (s)."""
    taken = [label for label in experiment.events if label in ("time", *TRACES)]
    if taken:
        raise ValueError(
            f"events can't be named {taken}, which the table has as columns; "
            "rename them, or leave the events out"
        )
    return {
        label: np.bincount(
            _nearest_rows(_recorded(label, times, experiment), time), minlength=time.size
        )
        for label, times in experiment.events.items()
    }


def _recorded(label: str, times: np.ndarray, experiment: PhotometryExperiment) -> np.ndarray:
    """The occurrences that belong to a sample of the recording."""
    samples = nearest_samples(times, experiment.time, experiment.frequency)
    inside = (samples >= 0) & (samples < experiment.time.size)
    if not inside.all():
        logger.warning(
            "Left %d of %d occurrences of %s out of the table: they lie outside the recording "
            "(%g to %g s)",
            np.count_nonzero(~inside),
            inside.size,
            label,
            experiment.time[0],
            experiment.time[-1],
        )
    return times[inside]


def _nearest_rows(instants: np.ndarray, time: np.ndarray) -> np.ndarray:
    if time.size == 1:
        return np.zeros(instants.size, dtype=int)
    # Downsampled times begin later and end earlier than the recording does.
    instants = np.clip(instants, time[0], time[-1])
    return nearest_samples(instants, time, 1 / (time[1] - time[0]))


def _compression(path: Path) -> str | dict[str, str]:
    """How pandas is to compress: by the suffix, with the file's own name in an archive."""
    for kind in ("zip", "tar"):
        name, suffix, compressed = path.name.rpartition(f".{kind}")
        if suffix and compressed in ("", ".gz", ".bz2", ".xz"):
            return {"method": kind, "archive_name": name}
    return "infer"
