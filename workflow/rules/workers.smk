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

from snakemake.executors import local

from phopro_core.batch.workers import WorkerPool, run_script, run_script_in

# Workers for the jobs; none in a Snakemake that was started for one job, or for a group of jobs
# one after the other.
workers = WorkerPool() if workflow.is_main_process or workflow.cores > 1 else None

if not workflow.is_main_process:
    # Snakemake has no option for it that reaches groups of jobs; each of their jobs would be run
    # by a Snakemake of its own, which takes longer than the job.
    local.Executor.use_threads = property(lambda executor: True, lambda executor, value: None)

if workflow.is_main_process:
    # Snakemake imports pandas when the first job ends, with the others waiting for it.
    threading.Thread(target=importlib.import_module, args=["pandas"]).start()
    # At its end the interpreter looks through all objects for garbage, for half a second after
    # Snakemake; what is frozen it leaves alone.
    atexit.register(gc.freeze)

if not workflow.is_main_process:

    # What was sent to a cluster is run where it arrives, and not by a Snakemake for each job.
    localrules:
        load,
        preprocess,
        extract,
        dashboard,
        identify,
        merge_trials,
