"""List the ids that the experiments were given."""

import csv
import logging

import h5py

from phopro_core.replacing import replacing

logger = logging.getLogger("phopro_core.identify")


def main(trials: dict[str, str], table: str) -> None:
    """Read the ids of the files in `trials` (experiment to path), and write `table`."""
    logger.info("Collecting experiment IDs...")
    ids = {experiment: read_id(path) for experiment, path in trials.items()}
    with replacing(table) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, dialect="excel-tab", lineterminator="\n")
        rows.writerow(["experiment", "experiment_id"])
        rows.writerows(ids.items())


def read_id(path: str) -> str:
    with h5py.File(path) as file:
        return file["uns/experiment_id"].asstr()[()]
