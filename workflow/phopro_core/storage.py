"""Files of the workflow: how they are laid out, written and read.

A continuous recording is an AnnData file. Its rows are traces, named in ``obs``, of
``TRACES`` those that it has; the samples are ``obsm["trace"]``, of shape (n_traces,
n_samples), stored uncompressed, NaN where one is missing. ``uns`` holds

* ``time``: seconds, shape (n_samples,), and ``frequency``: Hz;
* ``events``: label to times in seconds, and ``event_labels``: the labels in order;
* ``metadata``: whatever is known of the recording;
* ``artifacts``: a table, where artifacts were looked for;
* ``provenance``: see :mod:`phopro_core.provenance`;
* ``experiment_id``: where the experiment has one;
* ``format_version``: of this layout.

In keys of ``events`` and ``metadata`` a slash, which HDF5 takes for a folder, is written
as %2F, and a percent sign as %25. Lists of mixed values are written as JSON, marked by
the prefix ``json:``.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import h5py
import numpy as np
import pandas as pd

from phopro_core.artifacts.base import artifact_table
from phopro_core.checking import checked_trace
from phopro_core.experiment import PhotometryExperiment
from phopro_core.h5ad import Rows, read_mapping, write_h5ad

FORMAT_VERSION = 1

#: Rows of a continuous file, and the attribute of the experiment that each one is.
TRACES = {
    "raw_signal": "raw_signal",
    "raw_isosbestic": "raw_isosbestic",
    "filtered_signal": "filt_sig",
    "filtered_isosbestic": "filt_iso",
    "fitted_reference": "fitted_ref",
    "processed_signal": "signal",
}
_JSON_MARK = "json:"


def write_recording(
    experiment: PhotometryExperiment,
    path: str | Path,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write a continuous recording, raw or processed, to an h5ad file.

    Raises
    ------
    ValueError
        If a trace has not as many samples as there are times.
    """
    traces = {
        name: checked_trace(attribute, getattr(experiment, attribute), experiment.time)
        for name, attribute in TRACES.items()
        if getattr(experiment, attribute) is not None
    }
    uns = {
        "time": experiment.time,
        "frequency": float(experiment.frequency),
        "events": {_escape(label): times for label, times in experiment.events.items()},
        "event_labels": list(experiment.events),
        "metadata": storable(experiment.metadata),
        "format_version": FORMAT_VERSION,
    }
    if experiment.artifacts is not None:
        uns["artifacts"] = experiment.artifacts.set_axis(
            experiment.artifacts.index.astype(str), axis="index"
        )
    if experiment.id is not None:
        uns["experiment_id"] = experiment.id
    if provenance is not None:
        uns["provenance"] = provenance
    write_h5ad(
        path,
        obs=pd.DataFrame(index=list(traces)),
        obsm={
            "trace": Rows(
                (len(traces), experiment.time.size),
                (trace[np.newaxis] for trace in traces.values()),
            )
        },
        uns=uns,
    )


def read_recording(
    path: str | Path, experiment_cls: type[PhotometryExperiment] = PhotometryExperiment
) -> PhotometryExperiment:
    """Read a continuous recording that :func:`write_recording` wrote, as one of a class.

    Raises
    ------
    ValueError
        If the file is of another layout than this version of the package knows.
    """
    with h5py.File(path) as file:
        uns = read_mapping(file["uns"])
        version = uns.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path}: not a recording of format version {FORMAT_VERSION} (found: {version})"
            )
        names = file["obs/_index"].asstr()[()]
        rows = dict(zip(names, file["obsm/trace"][()], strict=True))
    events = uns["events"]
    experiment = experiment_cls(
        raw_signal=rows["raw_signal"],
        raw_isosbestic=rows.get("raw_isosbestic"),
        time=uns["time"],
        events={label: events[_escape(label)] for label in uns["event_labels"]},
        metadata=restored(uns["metadata"]),
        frequency=uns["frequency"],
    )
    for name, attribute in TRACES.items():
        setattr(experiment, attribute, rows.get(name))
    if "artifacts" in uns:
        experiment.artifacts = artifact_table(uns["artifacts"].itertuples(index=False))
    experiment.id = uns.get("experiment_id")
    return experiment


def read_provenance(path: str | Path) -> dict[str, Any]:
    """The provenance of a file, continuous or of trials."""
    with h5py.File(path) as file:
        return read_mapping(file["uns/provenance"])


def storable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata in types and under keys that AnnData can store."""
    return {_escape(str(key)): _storable_value(value) for key, value in metadata.items()}


def restored(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`storable`; lists of numbers come back as arrays."""
    return {_unescape(key): _restored_value(value) for key, value in metadata.items()}


def _storable_value(value: Any) -> Any:
    match value:
        case Mapping():
            return storable(value)
        case [] | ():
            return np.empty(0)
        case list() | tuple() if all(isinstance(item, str) for item in value):
            return list(value)
        case list() | tuple() if all(_is_number(item) for item in value):
            return np.array(value)
        case set() | frozenset():
            return _storable_value(sorted(value, key=str))
        case list() | tuple():
            return _JSON_MARK + json.dumps(list(value), default=_in_python)
        case PurePath() | date():
            return str(value)
        case str() if value.startswith(_JSON_MARK):
            return _JSON_MARK + json.dumps(value)
        case _:
            return value


def _in_python(value: Any) -> Any:
    """A value that JSON does not know, as one that it does."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _restored_value(value: Any) -> Any:
    match value:
        case Mapping():
            return restored(value)
        case str() if value.startswith(_JSON_MARK):
            return json.loads(value.removeprefix(_JSON_MARK))
        case _:
            return value


def _escape(key: str) -> str:
    return key.replace("%", "%25").replace("/", "%2F")


def _unescape(key: str) -> str:
    return key.replace("%2F", "/").replace("%25", "%")
