"""Merging of files with trials, whose signals need not all be in memory."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
import pandas as pd

from phopro_core.dataset import with_categories
from phopro_core.h5ad import Rows, read_columns, read_mapping, write_h5ad
from phopro_core.merging import N_LISTED, check_time_grids, join_annotations
from phopro_core.provenance import Provenance, of_merged

logger = logging.getLogger(__name__)

#: Trials that are in memory at once.
N_ROWS = 10_000


class Merged(NamedTuple):
    """What a merged file holds."""

    n_trials: int
    n_timepoints: int
    n_columns: int


class _Part(NamedTuple):
    """All of a file but its signals."""

    table: dict[str, Any]
    n_trials: int
    t: np.ndarray
    provenance: Provenance


def merge_files(
    files: Mapping[str, str | Path], merged: str | Path, join: Literal["inner", "outer"] = "inner"
) -> Merged:
    """Write the trials of files one below the other, as :func:`~phopro_core.merging.merge_trials`.

    Parameters
    ----------
    files : mapping of name to path
        Of one experiment each, or merged ones.
    merged : path
        What is there is replaced once all is written.
    join : {'inner', 'outer'}
        Whether annotations are kept that not all have.

    Raises
    ------
    ValueError
        If a file is not one of trials, or time grids differ: which.
    OSError
        If a file can't be read, or the disk has no room for the merged one.
    """
    parts, known_grids = {}, {}
    for name, path in files.items():
        part = _read_part(path)
        # All but the first of many equal grids are not held.
        parts[name] = part._replace(t=known_grids.setdefault(part.t.tobytes(), part.t))
    grids = {name: part.t for name, part in parts.items()}
    check_time_grids(grids)
    obs = join_annotations(
        {name: part.table for name, part in parts.items()},
        [part.n_trials for part in parts.values()],
        join,
    )
    t = next(iter(grids.values()))
    provenance = of_merged(
        {name: part.provenance for name, part in parts.items()}, {"obs_join": join}
    )
    _warn_of_namesakes(provenance["experiments"])
    write_h5ad(
        merged,
        X=Rows((len(obs), t.size), _signals(files.values())),
        obs=with_categories(obs),
        var=pd.DataFrame({"t": t}, index=[str(i) for i in range(t.size)]),
        uns={"experiments": provenance["experiments"], "provenance": provenance},
    )
    return Merged(len(obs), t.size, obs.shape[1])


def _warn_of_namesakes(experiments: list[str]) -> None:
    twice = [name for name, times in Counter(experiments).items() if times > 1]
    if twice:
        logger.warning(
            "%d experiments have the name of another one, which their annotations may not tell "
            "apart: %s%s",
            len(twice),
            ", ".join(twice[:N_LISTED]),
            " …" if len(twice) > N_LISTED else "",
        )


def _read_part(path: str | Path) -> _Part:
    with _opened(path) as file:
        try:
            # As categories, an experiment's texts are held once, and not once for each trial.
            table = {
                name: values if isinstance(values, np.ndarray) else pd.Categorical(values)
                for name, values in read_columns(file["obs"]).items()
            }
            provenance = read_mapping(file["uns/provenance"])
            return _Part(table, file["X"].shape[0], file["var/t"][()], provenance)
        except KeyError as error:
            raise ValueError(
                f"{str(path)!r} is not a file of trials that this workflow wrote: {error.args[0]}"
            ) from None


def _signals(paths: Iterable[str | Path]) -> Iterator[np.ndarray]:
    """Signals of trials, shape (n_trials, n_timepoints); so many at a time."""
    for path in paths:
        with _opened(path) as file:
            signals = file["X"]
            for start in range(0, signals.shape[0], N_ROWS):
                yield signals[start : start + N_ROWS]


def _opened(path: str | Path) -> h5py.File:
    try:
        return h5py.File(path)
    except OSError as error:
        raise OSError(f"{str(path)!r} can't be read as HDF5: {error}") from error
