"""Draw the dashboard of one recording."""

import logging
from typing import Any

from phopro_core.storage import read_recording

logger = logging.getLogger("phopro_core.dashboard")


def main(processed: str, dashboard: str, title: str, settings: dict[str, Any]) -> None:
    """Read `processed`, and write the picture `dashboard`."""
    logger.info("Drawing the dashboard of %s", processed)
    settings = {**settings, "title": settings["title"] or title}
    read_recording(processed).plot_dashboard(dashboard, **settings)
