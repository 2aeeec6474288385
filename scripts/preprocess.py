"""Filter one recording, fit its reference, and correct the signal with it."""

import logging
from typing import Any

from phopro_core.experiment import PhotometryExperiment
from phopro_core.hooks import run_hook
from phopro_core.objects import find_class, load_named
from phopro_core.provenance import after
from phopro_core.storage import read_provenance, read_recording, write_recording

logger = logging.getLogger("phopro_core.preprocess")


def main(
    recording: str,
    processed: str,
    preprocess_kwargs: dict[str, Any],
    experiment_cls: str,
    post_preprocess_operation: str | None,
) -> None:
    """Read `recording`, preprocess it, and write `processed`."""
    logger.info("Preprocessing signal...")
    experiment = read_recording(recording, find_class(experiment_cls, PhotometryExperiment))
    settings = load_named(experiment.preprocess_signal, preprocess_kwargs)
    experiment.preprocess_signal(**settings)
    about = experiment.metadata
    if "gaps" in about:
        logger.info("Brought to an even clock: gaps %s", about["gaps"])
    fit = about["reference_fit"]
    logger.info("Fitted the reference (%s): r2 %.4f", fit["type"], fit["r2_val"])
    if "artifacts" in about:
        logger.info("Found artifacts: %s", about["artifacts"] or "none")
    run_hook("post_preprocess_operation", post_preprocess_operation, experiment)
    behind = {
        "preprocess_kwargs": preprocess_kwargs,
        "experiment_cls": experiment_cls,
        "post_preprocess_operation": post_preprocess_operation,
    }
    provenance = after("preprocess", behind, read_provenance(recording))
    write_recording(experiment, processed, provenance)
