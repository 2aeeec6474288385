"""Read one raw recording, and write it in the workflow's own format.

The only stage that touches raw data: whatever is done later is done with its output.
"""

import logging
from typing import Any

from phopro_core.loaders.finding import find_loader
from phopro_core.objects import load_named
from phopro_core.storage import write_recording

logger = logging.getLogger("phopro_core.load")


def main(path: str, loader: str, loader_kwargs: dict[str, Any], recording: str) -> None:
    """Load `path` with a loader class, and write `recording`."""
    logger.info("Loading %s", path)
    loader_cls = find_loader(loader)
    experiment = loader_cls(path, **load_named(loader_cls, loader_kwargs)).load()
    logger.info("Loaded a %r", experiment)
    if experiment.raw_isosbestic is None:
        logger.warning("There is no isosbestic in %s", path)
    write_recording(experiment, recording)
