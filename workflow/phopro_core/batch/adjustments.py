"""Where Snakemake is made to behave otherwise than by its options: each a single attribute."""

import threading

from snakemake.executors import local
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

#: By how much the time between two looks at what was submitted grows while nothing ends.
GROWTH = 1.1


def cancel_timers_at_exit() -> None:
    """Let no timer hold up the exit; Snakemake's rate limiter leaves one behind for each job."""

    def cancel() -> None:
        threading.main_thread().join()
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.cancel()

    threading.Thread(target=cancel).start()


def run_jobs_in_threads() -> None:
    """Run the jobs of a group in the Snakemake that was started for it.

    Each would get a Snakemake of its own, which takes longer than the job; the option
    against that (``--force-use-threads``) is not handed on to groups.
    """
    local.Executor.use_threads = property(lambda executor: True, lambda executor, value: None)


def look_in_proportion() -> None:
    """Wait for what was submitted in proportion to how long it has taken so far.

    The executor for Slurm waits ten seconds more each time that it finds nothing ended, so
    that runs of a minute take half a minute longer.
    """

    def set_seconds(executor: RemoteExecutor, seconds: float) -> None:
        before = executor._next_seconds_between_status_checks
        executor._next_seconds_between_status_checks = min(seconds, GROWTH * (before or seconds))

    RemoteExecutor.next_seconds_between_status_checks = (
        RemoteExecutor.next_seconds_between_status_checks.setter(set_seconds)
    )
