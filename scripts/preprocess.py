"""Filter one recording, fit its reference, and correct the signal with it."""

import logging
from typing import Any

from phopro_core.storage import read_recording, write_recording

logger = logging.getLogger("phopro_core.preprocess")


def main(recording: str, processed: str, settings: dict[str, Any]) -> None:
    """Read `recording`, preprocess it with `settings`, and write `processed`."""
    logger.info("Preprocessing %s", recording)
    experiment = read_recording(recording)
    experiment.preprocess_signal(**settings)
    fit = experiment.metadata["reference_fit"]
    logger.info("Fitted the reference (%s): r2 %.4f", fit["type"], fit["r2_val"])
    write_recording(experiment, processed)
