# What the rules share: the checked config with its jobs, and how a script is run.
import threading
from pathlib import Path

from snakemake.exceptions import WorkflowError

from phopro_core.batch.configuration import complete_config
from phopro_core.batch.jobs import plan_batch
from phopro_core.batch.journal import Journal
from phopro_core.objects import files_behind
from phopro_core.batch.stages import SCRIPTS, code_digest
from phopro_core.errors import ConfigError


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


journal = Journal()
batch = plan()


wildcard_constraints:
    experiment="[^/]+",


def every(path):
    """The path of each experiment's file, in the order of the jobs."""
    return expand(path, experiment=batch.jobs)


def about(wildcards):
    """An experiment and its input, for messages."""
    return f"{wildcards.experiment} ({batch.jobs[wildcards.experiment].path})"


def run_stage(stage, about, log, **kwargs):
    """Run scripts/<stage>.py: its main() with these arguments, its messages to the log."""
    call = str(SCRIPTS / f"{stage}.py"), str(log), kwargs
    failure = run_script_in(workers, *call) if workers else run_script(*call)
    if failure:
        raise StageFailed(f"{stage} of {about}:\n{failure}\nMore in {log}")


def finish(end):
    """What is left to do when all jobs have ended."""
    journal.write(batch.paths, batch.jobs, end)
    # Snakemake leaves timers of its rate limiter behind, which would hold up its exit.
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
