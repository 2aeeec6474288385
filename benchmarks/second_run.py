"""Measure what a second run of a pipeline costs, with other trial bounds.

    python benchmarks/second_run.py [--recordings 100] [--write docs/performance.md]

Makes a simulated recording of 20 minutes at 20 Hz, and one at 1,017 Hz, each under many
names; runs PhotometryPipeline on them twice, on all processors, and once more without any
change. Needs some 12 GB of disk for 100 recordings.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from measuring import machine, publish, write_recording_csv

from phopro_core import CSVLoader, PhotometryPipeline

FREQUENCIES = (20.0, 1017.25)  # Hz; a slow camera, and a TDT rig
DURATION = 1200.0  # seconds
CUTTING = {"align_to": "trial_cue", "trial_bounds": (-8, 8)}


class Measured(NamedTuple):
    """Seconds that the runs on recordings of so many samples took."""

    frequency: float
    n_samples: int
    first: float
    other_bounds: float
    nothing_changed: float


def measure(frequency: float, n_recordings: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        recordings = Path(folder, "recordings")
        recordings.mkdir()
        first = recordings / "recording_1.csv"
        write_recording_csv(first, 1, frequency, DURATION, decimals=6)
        for k in range(2, n_recordings + 1):
            (recordings / f"recording_{k}.csv").hardlink_to(first)
        os.environ["PHOPRO_CACHE"] = str(Path(folder, "cache"))
        pipeline = PhotometryPipeline(recordings, "file", CSVLoader)

        def seconds(bounds: tuple[float, float]) -> float:
            begin = time.perf_counter()
            cutting = CUTTING | {"trial_bounds": bounds}
            pipeline.run({"event_cols": ["trial_cue"]}, {}, cutting, progress=False)
            return time.perf_counter() - begin

        n_samples = int(frequency * DURATION)
        return Measured(frequency, n_samples, *map(seconds, [(-8, 8), (-4, 4), (-4, 4)]))


def as_section(found: list[Measured], n_recordings: int) -> str:
    rows = "".join(
        f"| {one.frequency:,.0f} Hz | {one.n_samples:,} | {one.first:.1f} s | "
        f"{one.other_bounds:.1f} s | {one.other_bounds / one.first:.3f} | "
        f"{one.nothing_changed:.1f} s |\n"
        for one in found
    )
    packages = ("snakemake", "numpy", "pandas", "scipy", "anndata", "h5py")
    return (
        "Written by `benchmarks/second_run.py`. `PhotometryPipeline.run` on "
        f"{n_recordings} recordings of\n{DURATION / 60:.0f} minutes (two channels, IRLS), then "
        "with other trial bounds, then the same again.\n\n"
        f"{machine(packages)}\n"
        "| rate | samples | first run | other bounds | as a part of the first | nothing changed |\n"
        f"|---|---|---|---|---|---|\n{rows}\n"
        "The target is a tenth. Recordings at low rates take less time to process than Snakemake\n"
        "takes to start and to hand out the jobs (the last column, and some 20 ms a job), so that\n"
        "there is less to be saved.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=100)
    parser.add_argument(
        "--write", type=Path, help="page whose section to write; printed in any case"
    )
    arguments = parser.parse_args()
    found = [measure(frequency, arguments.recordings) for frequency in FREQUENCIES]
    publish("A second run", as_section(found, arguments.recordings), arguments.write)


if __name__ == "__main__":
    main()
