"""Draw the dashboard of one recording."""

import logging
from typing import Any

from phopro_core.experiment import PhotometryExperiment
from phopro_core.objects import find_class
from phopro_core.storage import read_recording

logger = logging.getLogger("phopro_core.dashboard")


def main(
    processed: str,
    dashboard: str,
    title: str,
    dashboard_kwargs: dict[str, Any],
    experiment_cls: str,
) -> None:
    """Read `processed`, and write the picture `dashboard`."""
    logger.info("Drawing the dashboard...")
    experiment = read_recording(processed, find_class(experiment_cls, PhotometryExperiment))
    settings = {**dashboard_kwargs, "title": dashboard_kwargs["title"] or title}
    experiment.plot_dashboard(dashboard, **settings)
