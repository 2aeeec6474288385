"""Join the trials of all experiments into one dataset."""

import logging

import h5py

from phopro_core.dataset import PhotometryData
from phopro_core.h5ad import read_frame
from phopro_core.merging import Trials, merge_trials

logger = logging.getLogger("phopro_core.merge_trials")


def main(trials: dict[str, str], merged: str) -> None:
    """Read the files in `trials` (experiment to path), and write `merged`."""
    logger.info("Merging the trials of %d experiments", len(trials))
    signals, obs, t = merge_trials({name: read_trials(path) for name, path in trials.items()})
    data = PhotometryData.from_arrays(obs, signals, t, metadata={"experiments": list(trials)})
    data.write_h5ad(merged)
    logger.info("Merged into %s: %s", merged, data)


def read_trials(path: str) -> Trials:
    """Trials of one experiment, from the file that extract wrote."""
    with h5py.File(path) as file:
        return Trials(file["X"][()], read_frame(file["obs"]), file["var/t"][()])
