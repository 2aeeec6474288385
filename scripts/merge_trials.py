"""Join the trials of all experiments into one dataset, of which a part at a time is in memory."""

import json
import logging
from typing import Any, Literal

from phopro_core.merged_files import merge_files
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
    with replacing(settings_file) as unfinished:
        unfinished.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", "utf-8")
        found = merge_files(trials, merged, join)
    logger.info("Merged into %s: %d trials, %d timepoints, %d observations", merged, *found)
