"""The pipeline's log: the whole run in one file, in the order of the jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from phopro_core.batch.failures import FailedStage
from phopro_core.batch.jobs import Job
from phopro_core.batch.paths import ResultPaths
from phopro_core.batch.workers import log_line
from phopro_core.replacing import replacing

#: Stages that are made of what another one makes.
AFTER = {"load": ("preprocess", "extract", "dashboard"), "preprocess": ("extract", "dashboard")}
#: Failures that a summary lists, and characters of each.
N_LISTED, WIDTH = 20, 300


class Journal:
    """Remembers how a run began, and joins it with the logs of the jobs at its end."""

    def __init__(self) -> None:
        self._beginning: list[str] = []

    def note(self, message: str) -> None:
        self._beginning.append(log_line(datetime.now(), "INFO", message))

    def write(
        self, paths: ResultPaths, jobs: Mapping[str, Job], failed: Sequence[FailedStage], well: bool
    ) -> None:
        """Write the pipeline's log.

        A job's part is taken from the logs of its stages, as they were left by the run
        that executed them last.
        """
        lines = list(self._beginning)
        failed_in = {one.experiment: one.stage for one in failed}
        for k, job in enumerate(jobs.values(), 1):
            # Logs of stages that were not come to this time are of an earlier run.
            not_reached = AFTER.get(failed_in.get(job.experiment), ())
            stages = [
                paths.log(stage).format(experiment=job.experiment)
                for stage in ("load", "preprocess", "extract", "dashboard")
                if stage not in not_reached
            ]
            found = [Path(log) for log in stages if Path(log).is_file()]
            if found:
                begun = datetime.fromtimestamp(found[0].stat().st_mtime)
                about = f"Job {k}/{len(jobs)}: {job.experiment} ({job.path})"
                lines.append(log_line(begun, "INFO", about))
                lines += [log.read_text(encoding="utf-8").rstrip("\n") for log in found]
        merge = Path(paths.log("merge_trials"))
        if merge.is_file():
            lines.append(merge.read_text(encoding="utf-8").rstrip("\n"))
        lines.append(log_line(datetime.now(), "INFO", _end(paths, jobs, failed, well)))
        with replacing(paths.pipeline_log) as unfinished:
            unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")


def summary(
    paths: ResultPaths, jobs: Mapping[str, Job], failed: Sequence[FailedStage], well: bool
) -> str:
    """How a run ended, in a few lines: what failed, what was left out, where to look."""
    lines = [_end(paths, jobs, failed, well)]
    lines += [f"  {_shortened(str(one))}" for one in failed[:N_LISTED]]
    if len(failed) > N_LISTED:
        lines.append(f"  and {len(failed) - N_LISTED} more")
    if failed:
        lines.append(f"  All are in {paths.failures}; the next run tries them again.")
    lines += [f"  {_shortened(line)}" for line in _warnings(paths.log("merge_trials"))[:N_LISTED]]
    lines.append(f"  The run is told in {paths.pipeline_log}.")
    return "\n".join(lines)


def _warnings(log: str) -> list[str]:
    """What a log warns of."""
    if not Path(log).is_file():
        return []
    lines = [line.partition(" WARNING ") for line in Path(log).read_text("utf-8").splitlines()]
    return [message.strip() for _, is_warning, message in lines if is_warning]


def _end(
    paths: ResultPaths, jobs: Mapping[str, Job], failed: Sequence[FailedStage], well: bool
) -> str:
    """How many of the jobs ended how."""
    n_failed = len({one.experiment for one in failed})
    if well:
        return f"Done: {n_failed} errors, {len(jobs) - n_failed} successes, {len(jobs)} jobs"
    whole = sum(Path(paths.extracted.format(experiment=name)).is_file() for name in jobs)
    return (
        f"The run failed: {n_failed} errors, {len(jobs)} jobs, of which {whole} have their trials "
        "extracted; why it failed is said above"
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
