"""The pipeline's log: the whole run in one file, in the order of the jobs."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from phopro_core.batch.jobs import Job
from phopro_core.batch.paths import ResultPaths
from phopro_core.batch.workers import log_line
from phopro_core.replacing import replacing


class Journal:
    """Remembers how a run began, and joins it with the logs of the jobs at its end."""

    def __init__(self) -> None:
        self._beginning: list[str] = []

    def note(self, message: str) -> None:
        self._beginning.append(log_line(datetime.now(), "INFO", message))

    def write(self, paths: ResultPaths, jobs: Mapping[str, Job], end: str) -> None:
        """Write the pipeline's log.

        A job's part is taken from the logs of its stages, as they were left by the run
        that executed them last.
        """
        lines = list(self._beginning)
        for k, job in enumerate(jobs.values(), 1):
            stages = [
                paths.log(stage).format(experiment=job.experiment)
                for stage in ("load", "preprocess", "extract", "dashboard")
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
        lines.append(log_line(datetime.now(), "INFO", end))
        with replacing(paths.pipeline_log) as unfinished:
            unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
