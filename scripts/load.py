"""Read one raw recording, and write it in the workflow's own format.

The only stage that touches raw data: whatever is done later is done with its output.
"""

import logging
from pathlib import Path
from typing import Any

from phopro_core.experiment import PhotometryExperiment
from phopro_core.hooks import run_hook
from phopro_core.loaders.finding import find_loader
from phopro_core.objects import find_class, load_named
from phopro_core.provenance import of_input
from phopro_core.storage import write_recording

logger = logging.getLogger("phopro_core.load")


def main(
    path: str,
    loader_cls: str,
    loader_kwargs: dict[str, Any],
    experiment_cls: str,
    post_load_operation: str | None,
    recording: str,
) -> None:
    """Load `path` with a loader class, and write `recording`."""
    logger.info("Loading experiment...")
    settings = {
        "loader_cls": loader_cls,
        "loader_kwargs": loader_kwargs,
        "experiment_cls": experiment_cls,
        "post_load_operation": post_load_operation,
    }
    loader = find_loader(loader_cls)
    files = loader.files_of(Path(path))
    before = stamps(files)
    provenance = of_input(path, settings, files, loader.files_to_digest(Path(path)))
    loading = loader(Path(path), **load_named(loader, loader_kwargs))
    experiment = loading.load(find_class(experiment_cls, PhotometryExperiment))
    if stamps(files) != before:
        raise ValueError(
            f"{path}: changed while it was being read; is it still being recorded or copied?"
        )
    logger.info("Loaded a %r", experiment)
    if experiment.raw_isosbestic is None:
        logger.warning("There is no isosbestic in %s", path)
    run_hook("post_load_operation", post_load_operation, experiment)
    write_recording(experiment, recording, provenance)


def stamps(files: list[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of files."""
    return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in files}
