"""Where the files of a run lie, below its results folder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ResultPaths:
    """Paths of results, with the wildcards ``{experiment}`` and ``{variant}``.

    A variant is a folder's name and a slash, or nothing for the settings of the config.
    """

    folder: str
    trial_output_file: str = "trials.h5ad"
    log_file: str | None = None

    @property
    def recording(self) -> str:
        return f"{self.folder}/recordings/{{experiment}}.h5ad"

    @property
    def processed(self) -> str:
        return f"{self.folder}/{{variant}}processed/{{experiment}}.h5ad"

    @property
    def extracted(self) -> str:
        return f"{self.folder}/{{variant}}extracted/{{experiment}}.h5ad"

    @property
    def dashboards(self) -> str:
        """Folder of the dashboards."""
        return f"{self.folder}/{{variant}}dashboards"

    @property
    def dashboard(self) -> str:
        return f"{self.dashboards}/{{experiment}}.svg"

    @property
    def drawn(self) -> str:
        """A dashboard that will be named after an id."""
        return f"{self.folder}/{{variant}}drawn/{{experiment}}.svg"

    @property
    def ids(self) -> str:
        """Table of the experiments' ids."""
        return f"{self.folder}/{{variant}}experiment_ids.tsv"

    @property
    def trials(self) -> str:
        return f"{self.folder}/{{variant}}{self.trial_output_file}"

    @property
    def settings(self) -> str:
        return f"{self.folder}/{{variant}}settings.json"

    def folders(self, variants: list[str]) -> list[str]:
        """The folders that results are written to."""
        files = (
            self.recording,
            self.processed,
            self.extracted,
            self.dashboard,
            self.drawn,
            self.trials,
        )
        folders = [file.rpartition("/")[0] for file in files]
        return list(
            dict.fromkeys(folder.format(variant=one) for folder in folders for one in variants)
        )

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
        """Log of a stage of an experiment; or of all experiments, where the stage joins them."""
        variant = "" if stage == "load" else "{variant}"
        name = "all" if stage in ("identify", "merge_trials") else "{experiment}"
        return f"{self.folder}/{variant}logs/{stage}/{name}.log"
