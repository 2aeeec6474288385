"""Studies in temporary folders, processed by real Snakemake runs."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from phopro_core.simulation import simulate_recording

ROOT = Path(__file__).parents[1]
EVENTS = ["trial_cue", "lever1", "lever2", "shock"]
CONFIG = {
    "data_directory": "recordings",
    "loader_cls": "CSVLoader",
    "pattern": "*.csv",
    "loader_kwargs": {"event_cols": EVENTS},
    "preprocess_kwargs": {"fit_using": "OLS"},
    "trial_extraction_kwargs": {"align_to": "trial_cue", "trial_bounds": [-2, 5]},
    "save_dashboards": False,
}


@dataclass
class Run:
    """What a Snakemake run said: its exit status, its output, and the jobs it ran."""

    status: int
    output: str
    jobs: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        table = re.search(r"^job +count\n-.*\n((?:\w+ +\d+\n)+)", self.output, re.MULTILINE)
        rows = [line.split() for line in table[1].splitlines()] if table else []
        self.jobs = {name: int(count) for name, count in rows if name not in ("all", "total")}

    def assert_failed_saying(self, *expected: str) -> None:
        """It failed with these messages, and without a traceback on the terminal."""
        assert self.status == 1
        self.assert_said(*expected)

    def assert_said(self, *expected: str) -> None:
        """These messages are on the terminal, and no traceback."""
        for text in expected:
            assert text in self.output
        assert "Traceback" not in self.output
        assert '  File "' not in self.output


@dataclass
class Study:
    """A folder with recordings and a config, which a workflow processes."""

    folder: Path
    workflow: Path = ROOT
    config: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(CONFIG)))

    @property
    def recordings(self) -> Path:
        return self.folder / "recordings"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def add(self, name: str, **simulation: Any) -> Path:
        """Add a simulated recording as recordings/<name>.csv."""
        settings = {"seed": 1, "duration": 60.0, "trial_interval": 12.0} | simulation
        recording = simulate_recording(**settings)
        table = {"time": recording.time.round(4), "signal": recording.signal}
        if recording.isosbestic is not None:
            table["isosbestic"] = recording.isosbestic
        for label, times in recording.events.items():
            table[label] = pd.Series(recording.time).isin(times).astype(int)
        path = self.recordings / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(table).to_csv(path, index=False)
        return path

    def edit(self, name: str, change: Any) -> None:
        """Apply a function to a recording's table."""
        path = self.recordings / f"{name}.csv"
        change(pd.read_csv(path)).to_csv(path, index=False)

    def command(self, *options: str, cores: int | None = 2) -> list[str]:
        """The command of a run; without cores, those of a profile are taken."""
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump(self.config, allow_unicode=True), encoding="utf-8")
        snakemake = [sys.executable, "-m", "snakemake", "--snakefile", self.workflow / "Snakefile"]
        study = ["--directory", self.folder, "--configfile", config]
        study += [] if cores is None else ["--cores", cores]
        return [str(word) for word in [*snakemake, *study, *options]]

    def start(self, **streams: Any) -> subprocess.Popen:
        """Begin a run in a process group of its own, and don't wait for it."""
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(
            self.command(), text=True, start_new_session=True, **silent | streams
        )

    def run(self, *options: str, cores: int | None = 2) -> Run:
        done = subprocess.run(
            self.command(*options, cores=cores), capture_output=True, text=True, timeout=300
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def run_well(self, *options: str, cores: int | None = 2) -> Run:
        run = self.run(*options, cores=cores)
        assert run.status == 0, run.output
        return run

    def files(self) -> set[str]:
        """Result files; the logs, the table of failures and the settings aside."""
        found = (path for path in self.results.rglob("*") if path.is_file())
        names = {path.relative_to(self.results).as_posix() for path in found}
        aside = (".log", "failures.tsv", "settings.json")
        return {name for name in names if not name.endswith(aside)}

    def failures(self) -> dict[str, tuple[str, str, str]]:
        """Stage, class of the error, and message of each experiment in failures.tsv."""
        table = pd.read_csv(self.results / "failures.tsv", sep="\t", keep_default_na=False)
        assert list(table) == ["experiment", "stage", "input", "error", "message"]
        assert table["experiment"].is_unique
        rows = table.set_index("experiment")[["stage", "error", "message"]]
        return dict(zip(rows.index, rows.itertuples(index=False, name=None), strict=True))
