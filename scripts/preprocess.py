"""Filter one recording, fit its reference, and correct the signal with it."""

import logging
from typing import Any

from phopro_core.objects import load_named
from phopro_core.provenance import after
from phopro_core.storage import read_provenance, read_recording, write_recording

logger = logging.getLogger("phopro_core.preprocess")


def main(recording: str, processed: str, settings: dict[str, Any]) -> None:
    """Read `recording`, preprocess it with `settings`, and write `processed`."""
    logger.info("Preprocessing %s", recording)
    experiment = read_recording(recording)
    experiment.preprocess_signal(**load_named(experiment.preprocess_signal, settings))
    about = experiment.metadata
    if "gaps" in about:
        logger.info("Brought to an even clock: gaps %s", about["gaps"])
    fit = about["reference_fit"]
    logger.info("Fitted the reference (%s): r2 %.4f", fit["type"], fit["r2_val"])
    if "artifacts" in about:
        logger.info("Found artifacts: %s", about["artifacts"] or "none")
    provenance = after("preprocess", settings, read_provenance(recording))
    write_recording(experiment, processed, provenance)
