"""Read one raw recording, and write it in the workflow's own format.

The only stage that touches raw data: whatever is done later is done with its output.
"""

import logging
from pathlib import Path
from typing import Any

from phopro_core.loaders.finding import find_loader
from phopro_core.objects import load_named
from phopro_core.provenance import of_input
from phopro_core.storage import write_recording

logger = logging.getLogger("phopro_core.load")


def main(path: str, loader: str, loader_kwargs: dict[str, Any], recording: str) -> None:
    """Load `path` with a loader class, and write `recording`."""
    logger.info("Loading %s", path)
    before = stamps(Path(path))
    provenance = of_input(path, {"loader": loader, "loader_kwargs": loader_kwargs})
    loader_cls = find_loader(loader)
    experiment = loader_cls(path, **load_named(loader_cls, loader_kwargs)).load()
    if stamps(Path(path)) != before:
        raise ValueError(
            f"{path}: changed while it was being read; is it still being recorded or copied?"
        )
    logger.info("Loaded a %r", experiment)
    if experiment.raw_isosbestic is None:
        logger.warning("There is no isosbestic in %s", path)
    write_recording(experiment, recording, provenance)


def stamps(path: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in files}
