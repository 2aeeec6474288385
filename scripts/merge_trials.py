"""Join the trials of all experiments into one dataset, of which one at a time is in memory."""

import json
import logging
from typing import Any, Literal

import h5py
import numpy as np
import pandas as pd

from phopro_core.dataset import with_categories
from phopro_core.h5ad import Rows, read_columns, read_mapping, write_h5ad
from phopro_core.merging import check_time_grids, join_annotations
from phopro_core.provenance import of_merged
from phopro_core.replacing import replacing

logger = logging.getLogger("phopro_core.merge_trials")


def main(
    trials: dict[str, str],
    merged: str,
    join: Literal["inner", "outer"],
    settings: dict[str, Any],
    settings_file: str,
) -> None:
    """Read the files in `trials` (experiment to path), and write `merged`.

    The settings that it was made by are written beside it, for people to read.
    """
    logger.info("Merging the trials of %d experiments", len(trials))
    tables, lengths, grids, known_grids, provenance = {}, [], {}, {}, {}
    for experiment, path in trials.items():
        with h5py.File(path) as file:
            # As categories, an experiment's texts are held once, and not once for each trial.
            tables[experiment] = {
                name: values if isinstance(values, np.ndarray) else pd.Categorical(values)
                for name, values in read_columns(file["obs"]).items()
            }
            t = file["var/t"][()]
            grids[experiment] = known_grids.setdefault(t.tobytes(), t)
            provenance[experiment] = read_mapping(file["uns/provenance"])
            lengths.append(file["X"].shape[0])
    check_time_grids(grids)
    obs = join_annotations(tables, lengths, join)
    t = next(iter(grids.values()))
    with replacing(settings_file) as unfinished:
        unfinished.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", "utf-8")
    write_h5ad(
        merged,
        X=Rows((len(obs), t.size), map(read_signals, trials.values())),
        obs=with_categories(obs),
        var=pd.DataFrame({"t": t}, index=[str(i) for i in range(t.size)]),
        uns={
            "experiments": list(trials),
            "provenance": of_merged(provenance, {"obs_join": join}),
        },
    )
    found = len(obs), t.size, obs.shape[1]
    logger.info("Merged into %s: %d trials, %d timepoints, %d observations", merged, *found)


def read_signals(path: str) -> np.ndarray:
    """Signals of one experiment's trials, shape (n_trials, n_timepoints)."""
    with h5py.File(path) as file:
        return file["X"][()]
