# Where jobs run. Included first, so that the workers' imports are under way while all else is read.
import os
import sys
from pathlib import Path

# The package beside this workflow, whichever version of it may be installed.
sys.path.insert(0, str(Path(workflow.basedir, "workflow")))

# What runs in parallel are jobs; threads within each would only get in their way.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

from phopro_core.batch.workers import (
    PRELOADED,
    PRELOADED_FOR_DASHBOARDS,
    WorkerPool,
    run_script,
    run_script_in,
)


def start_workers():
    """Workers for the jobs; none in a Snakemake that was itself started for one job."""
    if not workflow.is_main_process:
        return None
    for_dashboards = PRELOADED_FOR_DASHBOARDS if config.get("save_dashboards", True) else ()
    return WorkerPool([*PRELOADED, *for_dashboards])


workers = start_workers()
