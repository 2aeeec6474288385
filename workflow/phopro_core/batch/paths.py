"""Where the files of a run lie, below its results folder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ResultPaths:
    """Paths of results; those of a single experiment hold the wildcard ``{experiment}``."""

    folder: str
    trial_output_file: str = "trials.h5ad"
    log_file: str | None = None

    @property
    def recording(self) -> str:
        return f"{self.folder}/recordings/{{experiment}}.h5ad"

    @property
    def processed(self) -> str:
        return f"{self.folder}/processed/{{experiment}}.h5ad"

    @property
    def extracted(self) -> str:
        return f"{self.folder}/extracted/{{experiment}}.h5ad"

    @property
    def dashboard(self) -> str:
        return f"{self.folder}/dashboards/{{experiment}}.svg"

    @property
    def trials(self) -> str:
        return f"{self.folder}/{self.trial_output_file}"

    @property
    def folders(self) -> list[str]:
        """The folders that results are written to."""
        files = (self.recording, self.processed, self.extracted, self.dashboard)
        return [self.folder, *(file.rpartition("/")[0] for file in files)]

    @property
    def failures(self) -> str:
        return f"{self.folder}/failures.tsv"

    @property
    def marks(self) -> str:
        """Folder of notes about failures, there only while a run is under way."""
        return f"{self.folder}/.failed"

    @property
    def pipeline_log(self) -> str:
        return self.log_file or f"{self.folder}/pipeline.log"

    def log(self, stage: str) -> str:
        """Log of a stage; the merge has a single one."""
        name = "all" if stage == "merge_trials" else "{experiment}"
        return f"{self.folder}/logs/{stage}/{name}.log"
