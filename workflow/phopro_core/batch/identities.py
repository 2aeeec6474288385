"""Ids that an id_builder gave to experiments: whose they are, and what is named after them."""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from phopro_core.batch.jobs import Job


def read_ids(path: str | Path) -> dict[str, str]:
    """The id of each experiment, of a table that scripts/identify.py wrote."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return {
            row["experiment"]: row["experiment_id"]
            for row in csv.DictReader(file, dialect="excel-tab")
        }


def taken_twice(ids: Mapping[str, str], jobs: Mapping[str, Job]) -> dict[str, str]:
    """Experiments whose id is that of an earlier one with another input: that one's name.

    Experiments that are made of one input may share an id.
    """
    owners: dict[str, str] = {}
    for experiment in jobs:
        if experiment in ids:
            owners.setdefault(ids[experiment], experiment)
    return {
        experiment: owners[made]
        for experiment, made in ids.items()
        if jobs[experiment].path != jobs[owners[made]].path
    }


def names_after(ids: Mapping[str, str], experiments: list[str]) -> dict[str, str]:
    """A name for each experiment's files: its id, with its own name where others share that.

    An experiment without an id keeps its name.
    """
    shared = Counter(ids.values())
    names: dict[str, str] = {}
    for experiment in experiments:
        name = ids.get(experiment, experiment)
        if shared[name] > 1 or (experiment not in ids and name in shared):
            name = f"{name}-{experiment}"
        while name in names.values():
            name += "_"
        names[experiment] = name
    return names
