# Where jobs run. Included first, so that the workers' imports are under way while all else is read.
import atexit
import gc
import importlib
import os
import sys
import threading
from pathlib import Path

# The package beside this workflow, whichever version of it may be installed.
sys.path.insert(0, str(Path(workflow.basedir, "workflow")))

# What runs in parallel are jobs; threads within each would only get in their way.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

from phopro_core.batch.adjustments import (
    cancel_timers_at_exit,
    look_in_proportion,
    run_jobs_in_threads,
)
from phopro_core.batch.workers import WorkerPool, run_script_in

workers = WorkerPool()
cancel_timers_at_exit()

if workflow.is_main_process:
    look_in_proportion()
    # Snakemake imports pandas when the first job ends, with the others waiting for it.
    threading.Thread(target=importlib.import_module, args=["pandas"]).start()
    # At its end the interpreter looks through all objects for garbage, for half a second after
    # Snakemake; what is frozen it leaves alone.
    atexit.register(gc.freeze)
else:
    run_jobs_in_threads()

    # What was sent to a cluster is run where it arrives, and not sent on.
    localrules:
        load,
        preprocess,
        extract,
        dashboard,
        identify,
        merge_trials,
