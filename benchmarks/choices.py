"""Measure what was to choose from: parsers of CSV files, and ways to store intermediate files.

    python benchmarks/choices.py [--sizes S M L] [--rounds 5] [--write docs/performance.md]

Each way in a process of its own, on one thread, as jobs run. Parsers that are not installed
(polars is not needed by the workflow) are left out. Needs Linux, for its account of memory.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
# Before the libraries are imported.
os.environ["OMP_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"

from measuring import machine, memory_during, publish, write_recording_csv
from studies import SIZES

NUMBERS = ["time", "signal", "isosbestic"]
FLAGS = ["trial_cue", "lever1", "lever2", "shock"]


def by_pandas(path: Path, **options: Any) -> list:
    import pandas as pd

    table = pd.read_csv(path, usecols=[*NUMBERS, *FLAGS], **options)
    return [table[name].to_numpy(dtype=float) for name in NUMBERS]


def by_pandas_with_pyarrow(path: Path) -> list:
    return by_pandas(path, engine="pyarrow")


def by_polars(path: Path) -> list:
    import polars as pl

    table = pl.read_csv(path, columns=[*NUMBERS, *FLAGS])
    return [table[name].to_numpy() for name in NUMBERS]


def here(path: Path) -> list:
    from phopro_core.loaders.plain_csv import read_plain_csv

    return read_plain_csv(path, NUMBERS, FLAGS)[0]


#: Functions that read a file, by what they are called on the page, and the package they need.
PARSERS: dict[str, tuple[Callable[[Path], list], str]] = {
    "pandas, its C engine": (by_pandas, "pandas"),
    "pandas, its pyarrow engine": (by_pandas_with_pyarrow, "pyarrow"),
    "polars": (by_polars, "polars"),
    "pyarrow, block by block (used)": (here, "pyarrow"),
}


def read_here(parser: str, path: Path, rounds: int) -> dict[str, Any]:
    """Seconds of each round in this process, and bytes of memory that the first one took."""
    read, package = PARSERS[parser]
    for module in ("numpy", "pandas", "pyarrow.csv", package):
        importlib.import_module(module)  # which is not counted
    _, above = memory_during(read, path)
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        read(path)
        seconds.append(time.perf_counter() - begin)
    return {"seconds": seconds, "bytes": above}


def parsers(arguments: argparse.Namespace) -> str:
    rows = []
    for name in arguments.sizes:
        size = SIZES[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "recording.csv")
            write_recording_csv(path, 1, size.frequency, size.duration)
            megabytes = path.stat().st_size / 1e6
            for parser, (_, package) in PARSERS.items():
                if importlib.util.find_spec(package) is None:
                    continue
                command = [sys.executable, __file__, "--read", parser, str(path)]
                command += ["--rounds", str(arguments.rounds)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(done.stdout)
                seconds = statistics.median(found["seconds"])
                rows.append(
                    f"| {name} ({megabytes:,.0f} MB) | {parser} | {1000 * seconds:,.1f} ms | "
                    f"{found['bytes'] / 1e6:,.0f} MB |\n"
                )
    return f"""\
Written by `benchmarks/choices.py`. Seven columns of a recording, with all their digits, on one
thread: median of {arguments.rounds} rounds, and the memory that the first one took.

{machine(["numpy", "pandas", "pyarrow"])}
| file | parser | time | memory |
|---|---|---|---|
{"".join(rows)}
pyarrow takes about half of the time that pandas' own engine takes, and block by block no more
memory for a long file. polars can be faster still, but is not made for processes that are forked,
as workers are. Files that pyarrow refuses are read by pandas.
"""


def stores(arguments: argparse.Namespace) -> str:
    import h5py
    import numpy as np

    from phopro_core.simulation import simulate_recording

    size = SIZES["L"]
    recording = simulate_recording(1, size.duration, size.frequency)
    traces = np.stack([recording.signal, recording.isosbestic])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording.h5")
        for compression in (None, "lzf", "gzip"):
            taken: dict[str, list[float]] = {"write": [], "read": []}
            for _ in range(arguments.rounds):
                begin = time.perf_counter()
                with h5py.File(path, "w") as file:
                    file.create_dataset("trace", data=traces, compression=compression)
                taken["write"].append(time.perf_counter() - begin)
                begin = time.perf_counter()
                with h5py.File(path) as file:
                    file["trace"][()]
                taken["read"].append(time.perf_counter() - begin)
            write, read = (statistics.median(seconds) for seconds in taken.values())
            rows.append(
                f"| {compression or 'none (used)'} | {write:.2f} s | {read:.2f} s | "
                f"{path.stat().st_size / 1e6:,.0f} MB |\n"
            )
    return f"""\
Written by `benchmarks/choices.py`. Both traces of an hour at {size.frequency:,.0f} Hz
({traces.size:,} samples), written to an HDF5 file and read again: median of {arguments.rounds}
rounds.

{machine(["numpy", "h5py"])}
| compression | write | read | size |
|---|---|---|---|
{"".join(rows)}
The last digits of a measured trace are noise, which does not get smaller.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, help="page whose sections to write")
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)  # what parsers() calls
    arguments = parser.parse_args()
    if arguments.read:
        name, path = arguments.read
        print(json.dumps(read_here(name, Path(path), arguments.rounds)))
        return
    for heading, measure in {"Reading CSV": parsers, "Intermediate files": stores}.items():
        publish(heading, measure(arguments), arguments.write)


if __name__ == "__main__":
    main()
