"""Studies to measure batches with: their recordings, and runs of them by either program."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from measuring import tree_memory, write_recording_csv

ROOT = Path(__file__).parents[1]
PEER = Path(__file__).with_name("peer.py")

#: What both programs take: `event_tolerences` is PhoPro's spelling, accepted here too.
CONFIG = {
    "data_directory": "recordings",
    "loader_cls": "CSVLoader",
    "pattern": "*.csv",
    "loader_kwargs": {"event_cols": ["trial_cue", "lever1", "lever2", "shock"]},
    "trial_extraction_kwargs": {
        "align_to": "trial_cue",
        "center_on": ["lever1", "lever2"],
        "trial_bounds": [-8, 8],
        "event_tolerences": {"lever1": [2, 4], "lever2": [2, 4]},
    },
    "passdown_metadata": ["source"],
    "dashboard_kwargs": {"raw": False, "downsample": 30},
}
#: Recordings of a batch that differ, at most; more are copies of these.
N_DIFFERENT = 12


class Size(NamedTuple):
    """A batch: sampling rate (Hz), length of a recording (s), and how many there are."""

    frequency: float
    duration: float
    n_recordings: int


SIZES = {"S": Size(20.0, 1000.0, 60), "M": Size(130.0, 3600.0, 12), "L": Size(1017.25, 3600.0, 4)}


class Taken(NamedTuple):
    """What a run took: seconds, and bytes of memory if that was asked for.

    ``memory`` is that of all its processes at once, ``largest`` that of one of them.
    ``failure`` is what it said last if it was not finished.
    """

    seconds: float
    memory: int | None = None
    largest: int | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Study:
    """A folder of recordings, to be processed anew or again."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, size: Size) -> "Study":
        """Write seeded recordings."""
        study = cls(folder)
        (folder / "recordings").mkdir(parents=True)
        paths = [study.recording(k) for k in range(size.n_recordings)]
        different = paths[:N_DIFFERENT]
        write = partial(write_recording_csv, frequency=size.frequency, duration=size.duration)
        with ProcessPoolExecutor() as pool:
            list(pool.map(write, different, range(1, len(different) + 1)))
        for k, path in enumerate(paths[len(different) :]):
            shutil.copy(different[k % len(different)], path)
        return study

    def recording(self, k: int) -> Path:
        return self.folder / "recordings" / f"recording_{k + 1}.csv"

    def configure(
        self,
        fit_using: str = "OLS",
        save_dashboards: bool = False,
        trial_bounds: tuple[float, float] = (-8, 8),
    ) -> None:
        cutting = CONFIG["trial_extraction_kwargs"] | {"trial_bounds": trial_bounds}
        config = CONFIG | {
            "preprocess_kwargs": {"fit_using": fit_using},
            "trial_extraction_kwargs": cutting,
            "save_dashboards": save_dashboards,
        }
        (self.folder / "config.json").write_text(json.dumps(config))

    def clear(self) -> None:
        """Take away all that this workflow made of the recordings."""
        for name in ("results", ".snakemake"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def run(
        self, cores: int | None = 2, with_memory: bool = False, options: Sequence[Any] = ()
    ) -> Taken:
        """Process it with this workflow, going on from what there is.

        Without cores, those of a profile among the options are taken.

        Raises
        ------
        RuntimeError
            If it fails.
        """
        config = self.folder / "config.json"
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        command += ["--directory", self.folder, "--configfile", config, *options]
        command += [] if cores is None else ["--cores", cores]
        taken = self._time(command, None, with_memory)
        if taken.failure:
            raise RuntimeError(f"{self.folder}: {taken.failure}")
        return taken

    def n_jobs(self) -> int:
        """How many jobs the last run of this workflow had, by its log."""
        total = re.search(r"^total +(\d+)$", (self.folder / "run.log").read_text(), re.MULTILINE)
        return int(total[1]) - 1 if total else 0  # the target, "all", is counted there

    def run_peer(self, python: str, limit: float | None, with_memory: bool = False) -> Taken:
        """Process it with PhoPro, by the interpreter of an environment that has it."""
        shutil.rmtree(self.folder / "peer", ignore_errors=True)
        (self.folder / "peer").mkdir()
        return self._time([python, PEER, self.folder], limit, with_memory)

    def difference(self) -> float:
        """How far the two programs' trials are apart at most, in SDs of the signals."""
        import anndata
        import numpy as np

        def signals(name: str) -> np.ndarray:
            data = anndata.read_h5ad(self.folder / name / "trials.h5ad")
            # The peer takes recordings in the order that the file system lists them in.
            sources = [Path(source).name for source in data.obs["source"]]
            return np.asarray(data.X)[np.argsort(sources, kind="stable")]

        ours, peer = signals("results"), signals("peer")
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(peer))
        return float(np.nanmax(np.abs(ours - peer)) / np.nanstd(ours))

    def _time(self, command: list[Any], limit: float | None, with_memory: bool) -> Taken:
        """Time a program from its start to its end."""
        log = self.folder / "run.log"
        memory = largest = 0
        begin = time.perf_counter()
        with (
            log.open("w") as said,
            subprocess.Popen(list(map(str, command)), stdout=said, stderr=said) as process,
        ):
            try:
                while with_memory and process.poll() is None:
                    found = tree_memory(process.pid)
                    memory, largest = max(memory, sum(found)), max(largest, *found)
                    time.sleep(0.05)
                    if limit is not None and time.perf_counter() - begin > limit:
                        raise subprocess.TimeoutExpired(command, limit)
                process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                return Taken(time.perf_counter() - begin, failure=f"not finished in {limit:g} s")
        seconds = time.perf_counter() - begin
        if process.returncode:
            # One line of an error is what a table has room for.
            last = log.read_text(errors="replace").splitlines()[-1:]
            return Taken(seconds, failure=" ".join(last) or f"exit status {process.returncode}")
        return Taken(seconds, memory or None, largest or None)
