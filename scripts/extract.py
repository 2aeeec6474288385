"""Cut the processed signal of one recording into trials around its events."""

import logging
from typing import Any

from phopro_core.dataset import PhotometryData
from phopro_core.experiment import PhotometryExperiment
from phopro_core.h5ad import write_h5ad
from phopro_core.hooks import build_id, run_hook
from phopro_core.objects import find_class, load_named
from phopro_core.provenance import after
from phopro_core.storage import read_provenance, read_recording, storable

logger = logging.getLogger("phopro_core.extract")


def main(
    processed: str,
    trials: str,
    trial_extraction_kwargs: dict[str, Any],
    experiment_cls: str,
    post_trial_extraction_operation: str | None,
    id_builder: str | None,
    passdown_metadata: list[str] | None,
) -> None:
    """Read `processed`, extract trials, and write `trials`.

    The metadata named in `passdown_metadata` become columns with the same value in
    every trial; one that this recording lacks gives a column of missing values. The id
    that `id_builder` makes stands in a column before them.
    """
    logger.info("Extracting trial data...")
    experiment = read_recording(processed, find_class(experiment_cls, PhotometryExperiment))
    settings = load_named(experiment.extract_trial_data, trial_extraction_kwargs)
    experiment.extract_trial_data(**settings)
    operation = post_trial_extraction_operation
    run_hook("post_trial_extraction_operation", operation, experiment)
    data = experiment.trial_data
    if not isinstance(data, PhotometryData):
        raise TypeError(f"{operation} left a {type(data).__name__} as trial_data")
    if id_builder is not None:
        experiment.id = build_id(id_builder, experiment)
        data.add_obs_columns({"experiment_id": experiment.id})
    logger.info("Passing down experiment metadata as columns...")
    passed_down = passdown_metadata or []
    unknown = [key for key in passed_down if key not in experiment.metadata]
    if unknown:
        known = ", ".join(experiment.metadata)
        logger.warning("passdown_metadata: no %s in this recording (has: %s)", unknown, known)
    data.add_obs_columns(experiment.metadata, passed_down)
    behind = {
        "trial_extraction_kwargs": trial_extraction_kwargs,
        "experiment_cls": experiment_cls,
        "post_trial_extraction_operation": operation,
        "id_builder": id_builder,
        "passdown_metadata": passdown_metadata,
    }
    uns = storable(data.uns | {"metadata": experiment.metadata})
    uns["provenance"] = after("extract", behind, read_provenance(processed))
    if experiment.id is not None:
        uns["experiment_id"] = experiment.id
    write_h5ad(trials, X=data.X, obs=data.obs, var=data.var, uns=uns)
    logger.info("Extracted %d trials", data.n_trials)
