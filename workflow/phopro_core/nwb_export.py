"""Experiments as files of Neurodata Without Borders, by types of its core alone."""

import json
import logging
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from phopro_core import __version__
from phopro_core.loaders.extras import import_extra
from phopro_core.replacing import replacing
from phopro_core.sampling import EVEN, typical_step

if TYPE_CHECKING:
    from pynwb import NWBFile, TimeSeries

    from phopro_core.experiment import PhotometryExperiment

logger = logging.getLogger(__name__)

#: Traces of an experiment, and what they are.
RAW = {
    "raw_signal": "fluorescence at the sensor's wavelength, as recorded",
    "raw_isosbestic": "fluorescence at the sensor-independent wavelength, as recorded",
}
PROCESSED = {
    "filt_sig": "signal, low-pass filtered",
    "filt_iso": "isosbestic, low-pass filtered",
    "fitted_ref": "reference: what the signal would be without activity of the sensor",
    "signal": "processed signal",
}
#: Where metadata go that NWB has fields for.
SESSION = ("session_id", "lab", "institution", "experimenter", "experiment_description")
SUBJECT = ("species", "strain", "genotype", "weight")
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "u": "U"}
_ISO_DURATION = re.compile(r"P(\d+(\.\d+)?[YMWD])+(/(P(\d+(\.\d+)?[YMWD])+)?)?")
#: Names of columns that tables have for themselves.
_TAKEN = {"id", "name", "parent", "columns", "colnames", "description", "tags", "timeseries"}
#: What stands for a time that is not known.
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def write_nwb(
    experiment: "PhotometryExperiment",
    path: str | Path,
    session_start_time: datetime | None = None,
    session_description: str = "fiber photometry",
) -> None:
    """Write an experiment; see :meth:`phopro_core.PhotometryExperiment.write_nwb`."""
    pynwb = import_extra("pynwb", "nwb")
    if Path(path).suffix != ".nwb":
        raise ValueError(f"{str(path)!r} does not end in .nwb")
    metadata = {str(key): value for key, value in experiment.metadata.items()}
    file = pynwb.NWBFile(
        session_description=session_description,
        identifier=str(uuid.uuid4()),
        session_start_time=_start(session_start_time, metadata),
        was_generated_by=[["phopro-workflow", __version__]],
        notes=json.dumps(metadata, default=_plain, ensure_ascii=False),
        subject=_subject(experiment.id, metadata),
        **{key: _text(metadata, key) for key in SESSION if _text(metadata, key)},
    )
    _add_traces(file, experiment)
    _add_events(file, experiment)
    if experiment.trial_data is not None:
        _add_trials(file, experiment)
    with replacing(path) as unfinished, pynwb.NWBHDF5IO(str(unfinished), "w") as io:
        io.write(file, cache_spec=False)


def _start(given: datetime | None, metadata: Mapping[str, Any]) -> datetime:
    start = given or _time_of(metadata, "session_start_time") or _time_of(metadata, "date_time")
    if start is None:
        logger.warning("The start of the session is not known; written as %s", UNKNOWN)
        return UNKNOWN
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def _time_of(metadata: Mapping[str, Any], key: str) -> datetime | None:
    """A time from the metadata, if there is one that can be understood."""
    try:
        time = pd.Timestamp(metadata[key])
    except (KeyError, ValueError, TypeError):
        return None
    return None if time is pd.NaT else time.to_pydatetime()


def _subject(experiment_id: str | None, metadata: Mapping[str, Any]) -> Any:
    from pynwb.file import Subject

    fields = {key: _text(metadata, key) for key in SUBJECT if _text(metadata, key)}
    born = _time_of(metadata, "date_of_birth")
    sex = SEXES.get(_text(metadata, "sex").lower())
    age = _text(metadata, "age")
    name = _text(metadata, "subject_id") or _text(metadata, "subject") or experiment_id
    if name:
        fields["subject_id"] = name
    if sex:
        fields["sex"] = sex
    if _ISO_DURATION.fullmatch(age):
        fields["age"] = age
    if born is not None:
        fields["date_of_birth"] = born if born.tzinfo else born.replace(tzinfo=UTC)
    return Subject(**fields) if fields else None


def _text(metadata: Mapping[str, Any], key: str) -> str:
    """A value of the metadata; empty where there is none."""
    value = metadata.get(key)
    return "" if value is None or (np.isscalar(value) and pd.isna(value)) else str(value)


def _plain(value: Any) -> Any:
    """A value in types that JSON has."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def _add_traces(file: "NWBFile", experiment: "PhotometryExperiment") -> None:
    clock = _clock(experiment.time)
    traces = {name: getattr(experiment, name) for name in (*RAW, *PROCESSED)}
    unit = {"dF/F": "dF/F", "dB/B": "dB/B"}.get(str(experiment.metadata.get("correction_method")))
    first: TimeSeries | None = None
    module = None
    for name, values in traces.items():
        if values is None:
            continue
        # Times that are no even clock's are written once, and linked to.
        at = {"timestamps": first} if first is not None and "timestamps" in clock else clock
        series = _series(name, values, (unit if name == "signal" else None) or "a.u.", at)
        if name in RAW:
            file.add_acquisition(series)
        else:
            module = module or file.create_processing_module("ophys", "processed fiber photometry")
            module.add(series)
        first = first or series


def _series(name: str, values: np.ndarray, unit: str, at: Mapping[str, Any]) -> "TimeSeries":
    from pynwb import H5DataIO, TimeSeries

    data = H5DataIO(values, compression="gzip", shuffle=True)
    description = (RAW | PROCESSED)[name]
    return TimeSeries(name=name, description=description, unit=unit, data=data, **at)


def _clock(time: np.ndarray) -> dict[str, Any]:
    """How NWB is told the times of samples: by start and rate where they are even."""
    step = typical_step(time)
    if np.abs(time - (time[0] + step * np.arange(time.size))).max() > EVEN * step:
        return {"timestamps": time}
    return {"starting_time": float(time[0]), "rate": float((time.size - 1) / (time[-1] - time[0]))}


def _add_events(file: "NWBFile", experiment: "PhotometryExperiment") -> None:
    from pynwb.event import EventsTable

    taken: set[str] = set()
    for label, times in experiment.events.items():
        table = EventsTable(name=_free(label, taken), description=f"event {label!r}")
        for instant in times.tolist():
            table.add_event(timestamp=instant)
        file.add_events_table(table)


def _add_trials(file: "NWBFile", experiment: "PhotometryExperiment") -> None:
    from pynwb.core import DynamicTable, VectorData
    from pynwb.epoch import TimeIntervals

    trials = experiment.trial_data
    obs = trials.obs
    table = TimeIntervals(
        name="trials",
        description="windows around events; columns of events are in seconds from the centre",
    )
    for start, stop in _windows(experiment).tolist():
        table.add_interval(start_time=start, stop_time=stop)
    taken = {"start_time", "stop_time"}
    for name in obs.columns:
        if name not in ("start_time", "stop_time"):
            cells = _cells(obs[name])
            table.add_column(name=_free(str(name), taken), description=str(name), data=cells)
    table.add_column(
        name=_free("signal", taken),
        description="the trial, at the times of trial_times in the processing module ophys",
        data=np.asarray(trials.X, dtype=float),
    )
    file.trials = table
    t = VectorData(name="t", description="seconds from the trial's centre", data=trials.ts)
    module = file.processing.get("ophys") or file.create_processing_module("ophys", "trials")
    module.add(DynamicTable(name="trial_times", description="times of samples", columns=[t]))


def _windows(experiment: "PhotometryExperiment") -> np.ndarray:
    """Start and stop of each trial, seconds, shape (n_trials, 2)."""
    obs = experiment.trial_data.obs
    if {"start_time", "stop_time"} <= set(obs.columns):
        return obs[["start_time", "stop_time"]].to_numpy(dtype=float)
    known = experiment.trial_windows
    numbers = pd.to_numeric(obs.get("trial_num", pd.Series(dtype=float)), errors="coerce")
    if known is None or numbers.size != len(obs) or not numbers.between(1, len(known)).all():
        raise ValueError(
            "the place of the trials in the recording is not known, since they are not those "
            "that were extracted; extract them with window_times=True"
        )
    return known[numbers.to_numpy(dtype=int) - 1]


def _cells(column: pd.Series) -> Any:
    """A column in a type that NWB takes; texts that are missing are empty."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    return np.array(
        ["" if missing else str(cell) for cell, missing in zip(column, column.isna(), strict=True)],
        dtype=object,
    )


def _free(name: str, taken: set[str]) -> str:
    """A name that NWB takes, and that nothing else has; it is taken from now on."""
    name = re.sub(r"[/:]", "_", name) or "_"
    while name in taken | _TAKEN:
        name += "_"
    taken.add(name)
    return name
