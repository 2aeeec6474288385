# What the rules share: the checked config with its jobs, and how a script is run.
import os
import sys
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
from phopro_core.batch.identities import names_after, read_ids, taken_twice
from phopro_core.batch.jobs import plan_batch
from phopro_core.batch.journal import Journal, summary
from phopro_core.batch.resources import megabytes, minutes, needed
from phopro_core.batch.stored import PREFIX, plan_stored_batch
from phopro_core.batch.stages import CODE, SCHEMA, SCRIPTS, code_digest
from phopro_core.batch.workers import Failure, add_to_log
from phopro_core.errors import ConfigError
from phopro_core.replacing import link_or_copy, remove_unfinished


class ForTheUser(WorkflowError):
    """Something that a user can mend: shown as its message, without a traceback."""

    __traceback__ = property(lambda self: None, lambda self, value: None)


class InvalidConfig(ForTheUser):
    pass


class StageFailed(ForTheUser):
    pass


def plan():
    journal.note("Beginning pipeline")
    try:
        complete = complete_config(config, SCHEMA)
        if complete["data_directory"].startswith(PREFIX):
            return plan_stored_batch(complete, storage, journal.note)
        return plan_batch(complete, journal.note)
    except ConfigError as error:
        raise InvalidConfig(error.told)


def given(option):
    """Whether Snakemake was called with an option."""
    return any(word.partition("=")[0] == option for word in sys.argv)


def recover():
    """Take away what a run that was killed has left, unless a run is going on."""
    if workflow.is_main_process and not any(Path(".snakemake", "locks").glob("*.lock")):
        # Marks of an earlier batch stand for what it has failed to make.
        if not given("--batch"):
            failures.clear()
        for folder in batch.paths.folders(list(batch.variants)):
            remove_unfinished(folder)


journal = Journal()
batch = plan()
failures = Failures(batch.paths.marks)
recover()


wildcard_constraints:
    experiment="[^/]+",
    # A folder's name and a slash, or nothing.
    variant="([^/]+/)?",


def every(path, variant):
    """The path of each experiment's file of a variant, in the order of the jobs."""
    return expand(path, experiment=batch.jobs, variant=variant)


def dashboards():
    """All dashboards, one of each experiment and way of preprocessing."""
    if not batch.config["id_builder"]:
        paths = every(batch.paths.dashboard, batch.preprocessed)
        # A report fails over what is to be shown and not there, as of recordings that failed.
        reporting = given("--report") and not given("--report-after-run")
        return [path for path in paths if Path(path).exists()] if reporting else paths
    folders = expand(batch.paths.dashboards, variant=batch.preprocessed)
    return folders + every(batch.paths.drawn, batch.preprocessed)


def raw_files(wildcards):
    """The files that an experiment's recording is made of; Snakemake fetches what is stored."""
    addresses = batch.addresses
    files = batch.inputs(wildcards.experiment)
    return [storage(addresses[file]) if file in addresses else file for file in files]


def processed_of(wildcards):
    """The processed recording that an experiment's trials in a variant are cut from."""
    folder = batch.variants[wildcards.variant].processed_in
    return expand(batch.paths.processed, experiment=wildcards.experiment, variant=folder)


def trials_of(wildcards):
    """The trials that are merged in a variant."""
    return every(batch.paths.extracted, batch.variants[wildcards.variant].extracted_in)


def ids_of(wildcards):
    """The table of the ids of a variant's experiments."""
    if not batch.config["id_builder"]:
        return []
    folder = batch.variants[wildcards.variant].extracted_in
    return expand(batch.paths.ids, variant=folder)


def memory(stage):
    """What a stage of an experiment needs of memory, MB; the more, the oftener it was tried."""
    return lambda wildcards, attempt: attempt * needed(stage, batch.inputs(wildcards.experiment))


def memory_of_all(stage):
    """The same of a stage of all experiments, by the size of its input."""
    return lambda wildcards, input, attempt: attempt * megabytes(stage, input.size_mb)


def runtime(stage, *followers):
    """Minutes that a stage of an experiment may take, several times what it should.

    Where those that follow it are submitted with it, the time of all is asked for with the first
    one that runs, as whole minutes of each would add up to hours.
    """
    n_variants = dict(
        preprocess=len(batch.preprocessed),
        extract=len(batch.extracted),
        dashboard=len(batch.preprocessed),
    )

    def asked_for(wildcards, input, attempt):
        together = bool(workflow.group_settings.overwrite_groups)
        if together and stage != "load" and not all(map(os.path.exists, input)):
            return 0
        following = [one for one in followers for _ in range(n_variants[one])]
        stages = [stage, *following] if together else [stage]
        return minutes(stages, batch.inputs(wildcards.experiment), attempt)

    return asked_for


def call_script(stage, log, kwargs):
    """Run scripts/<stage>.py: its main() with these arguments, its messages to the log."""
    script, folder = str(SCRIPTS / f"{stage}.py"), batch.config["relative_to"]
    failure = run_script_in(workers, script, str(log), kwargs, folder)
    # What was sent to a cluster gets more memory when it is tried again.
    first = workflow.remote_exec and workflow.attempt == 1
    if failure and (failure.spares_the_recording or first and failure.asks_for_memory):
        raise StageFailed(f"{stage}: {failure}")
    return failure


def run_stage(stage, wildcards, output, log, made_of=None, **kwargs):
    """Run a stage of one experiment, made of what the stage before has made.

    A failure leaves a mark in the place of the output, which later stages pass on.
    """
    failed = read_mark(made_of) if made_of else None
    if failed is not None:
        failures.mark(output, stage, failed)
        return
    failure = call_script(stage, log, kwargs)
    if failure is not None:
        fail(stage, wildcards.experiment, wildcards.get("variant", ""), output, log, failure)


def fail(stage, experiment, folder, output, log, failure):
    """Go on without an experiment of a variant, or stop, as the config says."""
    path, variant = str(batch.jobs[experiment].path), folder.rstrip("/")
    failed = FailedStage(experiment, stage, path, failure.error, failure.message, variant)
    message = f"{failed.what}:\n{failure}\nMore in {log}"
    if batch.config["on_error"] == "stop":
        raise StageFailed(message)
    logger.error(message)
    failures.mark(output, stage, failed)


def run_identify(trials, table, log, folder):
    """List the ids of experiments; those fail whose id another one has before them."""
    whole = {name: path for name, path in trials.items() if read_mark(path) is None}
    failure = call_script("identify", log, dict(trials=whole, table=table))
    if failure:
        raise StageFailed(f"identify: {failure}\nMore in {log}")
    for experiment, owner in taken_twice(read_ids(table), batch.jobs).items():
        message = f"its id is that of {owner} ({batch.jobs[owner].path}) already"
        failure = Failure("ValueError", f"{message}; let id_builder tell them apart")
        its_log = batch.paths.log("extract").format(experiment=experiment, variant=folder)
        add_to_log(its_log, "ERROR", str(failure))
        fail("extract", experiment, folder, trials[experiment], its_log, failure)


def name_dashboards(drawn, table, folder):
    """Put the dashboards of experiments (by name) into a folder, named after their ids."""
    ids = read_ids(table)
    for experiment in taken_twice(ids, batch.jobs):
        del ids[experiment]
    names = names_after(ids, list(drawn))
    Path(folder).mkdir()
    for experiment, path in drawn.items():
        if read_mark(path) is None:
            link_or_copy(path, Path(folder, f"{names[experiment]}.svg"))


def run_merge(trials, log, **kwargs):
    """Merge the trials of those experiments (by name) that have not failed."""
    whole = {name: path for name, path in trials.items() if read_mark(path) is None}
    if not whole:
        raise StageFailed(
            f"all {len(trials)} recordings failed, so that there is nothing to merge; "
            f"why is in {batch.paths.failures}"
        )
    failure = call_script("merge_trials", log, dict(trials=whole, **kwargs))
    if failure:
        raise StageFailed(
            f"merge_trials of {batch.config['data_directory']}:\n{failure}\nMore in {log}"
        )


def finish(well):
    """What is left to do when all jobs have ended, well or not."""
    failed = in_order(failures.found(), list(batch.jobs), list(CODE))
    part = workflow.dag_settings.batch
    is_part = part is not None and not part.is_final
    if part is None or (part.is_final and well):
        failures.clear()
    try:
        write_table(batch.paths.failures, failed, with_variants=len(batch.variants) > 1)
        journal.write(batch.paths.pipeline_log, batch, failed, well, is_part)
    except OSError as error:
        logger.error(f"The log and the table of failures can't be written: {error}")
    logger.info(summary(batch, failed, well, is_part))
