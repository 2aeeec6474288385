# What the rules share: the checked config with its jobs, and how a script is run.
import threading
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from phopro_core.batch.configuration import complete_config
from phopro_core.batch.failures import (
    FailedStage,
    Failures,
    in_order,
    read_mark,
    write_table,
)
from phopro_core.batch.jobs import plan_batch
from phopro_core.batch.journal import Journal, summary
from phopro_core.batch.memory import megabytes
from phopro_core.batch.stages import CODE, SCRIPTS, code_digest
from phopro_core.errors import ConfigError
from phopro_core.objects import files_behind
from phopro_core.replacing import remove_unfinished


class ForTheUser(WorkflowError):
    """Something that a user can mend: shown as its message, without a traceback."""

    __traceback__ = property(lambda self: None, lambda self, value: None)


class InvalidConfig(ForTheUser):
    pass


class StageFailed(ForTheUser):
    pass


def plan():
    journal.note("Beginning: checking the config, discovering inputs")
    try:
        schema = Path(workflow.basedir, "workflow", "schemas", "config.schema.yaml")
        batch = plan_batch(complete_config(config, schema))
    except ConfigError as error:
        raise InvalidConfig(str(error))
    inputs = {job.path for job in batch.jobs.values()}
    journal.note(f"Found {len(inputs)} inputs in {batch.config['data_directory']}")
    journal.note(f"Planned {len(batch.jobs)} jobs")
    return batch


def recover():
    """Take away what a run that was killed has left, unless a run is going on."""
    if workflow.is_main_process and not any(Path(".snakemake", "locks").glob("*.lock")):
        failures.clear()
        for folder in batch.paths.folders:
            remove_unfinished(folder)


journal = Journal()
batch = plan()
failures = Failures(batch.paths.marks)
recover()


wildcard_constraints:
    experiment="[^/]+",


def every(path):
    """The path of each experiment's file, in the order of the jobs."""
    return expand(path, experiment=batch.jobs)


def memory(stage):
    """What a stage needs of memory, as a function of its input, MB."""
    return lambda wildcards, input: megabytes(stage, input.size_mb, list(input))


def call_script(stage, log, kwargs):
    """Run scripts/<stage>.py: its main() with these arguments, its messages to the log."""
    call = str(SCRIPTS / f"{stage}.py"), str(log), kwargs
    failure = run_script_in(workers, *call) if workers else run_script(*call)
    if failure and failure.spares_the_recording:
        raise StageFailed(f"{stage}: {failure}")
    return failure


def run_stage(stage, experiment, output, log, made_of=None, **kwargs):
    """Run a stage of one experiment, made of what the stage before has made.

    A failure leaves a mark in the place of the output, which later stages pass on.
    """
    failed = read_mark(made_of) if made_of else None
    if failed is None:
        failure = call_script(stage, log, kwargs)
        if failure is None:
            return
        path = str(batch.jobs[experiment].path)
        failed = FailedStage(experiment, stage, path, failure.error, failure.message)
        message = f"{stage} of {experiment} ({path}):\n{failure}\nMore in {log}"
        if batch.config["on_error"] == "stop":
            raise StageFailed(message)
        logger.error(message)
    failures.mark(output, stage, failed)


def run_merge(trials, merged, log, **kwargs):
    """Merge the trials of those experiments (by name) that have not failed."""
    whole = {name: path for name, path in trials.items() if read_mark(path) is None}
    if not whole:
        raise StageFailed(
            f"all {len(trials)} recordings failed, so that there is nothing to merge; "
            f"why is in {batch.paths.failures}"
        )
    failure = call_script("merge_trials", log, dict(trials=whole, merged=merged, **kwargs))
    if failure:
        raise StageFailed(
            f"merge_trials of {batch.config['data_directory']}:\n{failure}\nMore in {log}"
        )


def finish(well):
    """What is left to do when all jobs have ended, well or not."""
    failed = in_order(failures.found(), list(batch.jobs), list(CODE))
    failures.clear()
    try:
        write_table(batch.paths.failures, failed)
        journal.write(batch.paths, batch.jobs, failed, well)
    except OSError as error:
        logger.error(f"The log and the table of failures can't be written: {error}")
    logger.info(summary(batch.paths, batch.jobs, failed, well))
    # Snakemake leaves timers of its rate limiter behind, which would hold up its exit.
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
