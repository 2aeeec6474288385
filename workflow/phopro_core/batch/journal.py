"""The pipeline's log: the whole run in one file, in the order of the jobs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from phopro_core.batch.failures import FailedStage
from phopro_core.batch.jobs import Batch
from phopro_core.batch.workers import log_line
from phopro_core.replacing import replacing

#: Failures that a summary lists, and characters of each.
N_LISTED, WIDTH = 20, 300


class Journal:
    """Remembers how a run began, and joins it with the logs of the jobs at its end."""

    def __init__(self) -> None:
        self._beginning: list[str] = []

    def note(self, message: str, level: str = "INFO") -> None:
        self._beginning.append(log_line(datetime.now(), level, message))

    def write(
        self,
        path: str | Path,
        batch: Batch | None,
        failed: Sequence[FailedStage],
        well: bool,
        is_part: bool = False,
    ) -> None:
        """Write the pipeline's log; without a batch, where none could be planned.

        A job's part is taken from the logs of its stages, as they were left by the run
        that executed them last.
        """
        lines = list(self._beginning)
        if batch is not None:
            lines += _told_of(batch, failed)
            lines.append(log_line(datetime.now(), "INFO", _end(batch, failed, well, is_part)))
        with replacing(path) as unfinished:
            unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told_of(batch: Batch, failed: Sequence[FailedStage]) -> list[str]:
    """The logs of all jobs and merges, in order."""
    lines: list[str] = []
    for k, job in enumerate(batch.jobs.values(), 1):
        about = f"Processing job {job.path} ({k}/{len(batch.jobs)}) as {job.experiment}"
        lines += _told(about, _logs_of(batch, job.experiment, "", failed))
        for folder in list(batch.variants)[1:]:
            about = f"Variant {folder.rstrip('/')} of {job.experiment}"
            lines += _told(about, _logs_of(batch, job.experiment, folder, failed))
    for folder in batch.variants:
        about = f"Variant {folder.rstrip('/')}" if folder else None
        lines += _told(about, [Path(batch.paths.log("merge_trials").format(variant=folder))])
    return lines


def _logs_of(
    batch: Batch, experiment: str, folder: str, failed: Sequence[FailedStage]
) -> Iterator[Path]:
    """Logs of an experiment's stages in a variant, as far as these were come to this time."""
    failed_at = {(one.stage, one.variant) for one in failed if one.experiment == experiment}
    variant = batch.variants[folder]

    def log(stage: str) -> Path:
        return Path(batch.paths.log(stage).format(experiment=experiment, variant=folder))

    if not folder:
        yield log("load")
    if ("load", "") in failed_at:
        return
    if variant.processed_in == folder:
        yield log("preprocess")
    if ("preprocess", variant.processed_in.rstrip("/")) in failed_at:
        return
    if variant.extracted_in == folder:
        yield log("extract")
    if variant.processed_in == folder and batch.config["save_dashboards"]:
        yield log("dashboard")


def _told(about: str | None, logs: Iterable[Path]) -> list[str]:
    """What logs tell, below a line that says what it is about; nothing if they are not there."""
    found = [log for log in logs if log.is_file()]
    if not found:
        return []
    begun = datetime.fromtimestamp(found[0].stat().st_mtime)
    heading = [log_line(begun, "INFO", about)] if about else []
    return heading + [log.read_text(encoding="utf-8").rstrip("\n") for log in found]


def summary(batch: Batch, failed: Sequence[FailedStage], well: bool, is_part: bool = False) -> str:
    """How a run ended, in a few lines: what failed, what was left out, where to look.

    ``is_part`` tells that others of its batches (``--batch``) are to follow.
    """
    paths = batch.paths
    lines = [_end(batch, failed, well, is_part)]
    lines += [f"  {_shortened(str(one))}" for one in failed[:N_LISTED]]
    if len(failed) > N_LISTED:
        lines.append(f"  and {len(failed) - N_LISTED} more")
    if failed:
        when = "a run without --batch" if is_part else "the next run"
        lines.append(f"  All are in {paths.failures}; {when} tries them again.")
    if well and not is_part:
        merges = [paths.log("merge_trials").format(variant=variant) for variant in batch.variants]
        told = dict.fromkeys(line for merge in merges for line in _warnings(merge))
        lines += [f"  {_shortened(line)}" for line in list(told)[:N_LISTED]]
    lines.append(f"  The run is told in {paths.pipeline_log}.")
    return "\n".join(lines)


def _warnings(log: str) -> list[str]:
    """What a log warns of."""
    if not Path(log).is_file():
        return []
    lines = [line.partition(" WARNING ") for line in Path(log).read_text("utf-8").splitlines()]
    return [message.strip() for _, is_warning, message in lines if is_warning]


def _end(batch: Batch, failed: Sequence[FailedStage], well: bool, is_part: bool) -> str:
    """How many of the jobs ended how."""
    left_out = {one.experiment for one in failed}
    n_jobs, n_failed = len(batch.jobs), len(left_out)
    if well and not is_part:
        return f"Done: {n_failed} errors, {n_jobs - n_failed} successes, {n_jobs} jobs"
    extracted = batch.paths.extracted
    whole = sum(
        all(
            Path(extracted.format(experiment=name, variant=variant.extracted_in)).is_file()
            for variant in batch.variants.values()
        )
        for name in batch.jobs
        if name not in left_out
    )
    if well:
        return (
            f"A part is done: {n_failed} errors so far; {whole} of {n_jobs} jobs have "
            "their trials extracted"
        )
    return (
        f"The run failed: {n_failed} errors, {n_jobs} jobs, of which {whole} have their trials "
        "extracted; why it failed is said above"
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
