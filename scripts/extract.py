"""Cut the processed signal of one recording into trials around its events."""

import logging
from typing import Any

from phopro_core.h5ad import write_h5ad
from phopro_core.objects import load_named
from phopro_core.provenance import after
from phopro_core.storage import read_provenance, read_recording, storable

logger = logging.getLogger("phopro_core.extract")


def main(
    processed: str, trials: str, settings: dict[str, Any], passdown_metadata: list[str] | None
) -> None:
    """Read `processed`, extract trials with `settings`, and write `trials`.

    The metadata named in `passdown_metadata` become columns with the same value in
    every trial; one that this recording lacks gives a column of missing values.
    """
    logger.info("Extracting trials from %s", processed)
    experiment = read_recording(processed)
    experiment.extract_trial_data(**load_named(experiment.extract_trial_data, settings))
    passed_down = passdown_metadata or []
    unknown = [key for key in passed_down if key not in experiment.metadata]
    if unknown:
        known = ", ".join(experiment.metadata)
        logger.warning("passdown_metadata: no %s in this recording (has: %s)", unknown, known)
    data = experiment.trial_data
    data.add_obs_columns(experiment.metadata, passed_down)
    behind = {"trial_extraction_kwargs": settings, "passdown_metadata": passdown_metadata}
    uns = storable(data.uns) | {"provenance": after("extract", behind, read_provenance(processed))}
    write_h5ad(trials, X=data.X, obs=data.obs, var=data.var, uns=uns)
    logger.info("Extracted %d trials", data.n_trials)
