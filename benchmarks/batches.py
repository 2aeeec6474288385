"""Measure whole batches: against PhoPro, run again, with more cores, and ever larger.

    python benchmarks/batches.py [--peer-python PYTHON] [--parts against again cores memory growth]
        [--sizes S M L] [--rounds 5] [--write docs/performance.md]

Makes seeded recordings in a temporary folder, and times whole processes on them, from their
start to their end. With the interpreter of an environment that has PhoPro, that is run in turn
with this workflow on the same recordings with the same settings. Every part writes a section of
its own. Takes about an hour and 5 GB of disk; needs Linux, for its account of memory.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from measuring import machine, publish, versions_in
from studies import N_DIFFERENT, SIZES, Size, Study, Taken

PACKAGES = ("snakemake", "numpy", "pandas", "pyarrow", "scipy", "anndata", "h5py", "matplotlib")
PEER_PACKAGES = ("PhoPro", "numpy", "pandas", "scipy", "statsmodels", "anndata", "plotnine")
#: The least ratio of the peer's time to ours, by size, fit and whether there are dashboards.
TARGETS = {
    ("S", "OLS", False): 0.8,
    ("S", "IRLS", False): 1.2,
    ("M", "OLS", False): 1.5,
    ("M", "IRLS", False): 15,
    ("L", "OLS", False): 1.5,
    ("L", "IRLS", False): 50,
    ("S", "OLS", True): 3,
    ("M", "OLS", True): 3,
    ("L", "OLS", True): 3,
}
#: Runs of the peer of which one is enough: it needs more memory than there is.
ONCE = [("L", "IRLS", False)]


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    middle, low, high = (f"{pick(values):.2f}" for pick in (statistics.median, min, max))
    return f"{middle} ({low} – {high})" if len(values) > 1 else middle


def settle(study: Study) -> None:
    """Have the recordings in memory, and what was written before on disk."""
    for path in sorted((study.folder / "recordings").iterdir()):
        path.read_bytes()
    os.sync()


def against(folder: Path, arguments: argparse.Namespace) -> str:
    """Both programs in turn, on every size and setting."""
    rows = []
    for name in arguments.sizes:
        study = Study.make(folder / name, SIZES[name])
        for cell, target in TARGETS.items():
            if cell[0] == name:
                rows.append(compare(study, cell, target, arguments))
        study.remove()
    return f"""\
Written by `benchmarks/batches.py`. Whole processes, from their start to their end: PhoPro
(`PhotometryPipeline.run`, one recording after the other) and this workflow (`snakemake --cores 2`,
from nothing) in turn, on the same recordings with the same settings. Two channels, four events,
numbers with all their digits; dashboards of means of 30 samples.

{described(arguments.sizes)}
The ratio is PhoPro's time over this workflow's, median and range over pairs of runs. The largest
difference between the two programs' trials, in standard deviations of the signals, is in the last
column. The address space of PhoPro's process is limited to the memory that the machine has to
spare. Where that is not enough for it, it is run once, and the ratio is that of the time in which
it gave up one recording after the other.

{machine(PACKAGES)}
PhoPro's environment: {versions_in(arguments.peer_python, PEER_PACKAGES)}.

| size | fit | dashboards | pairs | PhoPro (s) | here (s) | ratio | at least | trials differ by |
|---|---|---|---|---|---|---|---|---|
{"".join(rows)}"""


def described(names: Sequence[str]) -> str:
    """What the sizes stand for, as a list."""
    return "".join(
        f"* {name}: {size.n_recordings} recordings of {size.duration:,.0f} s at "
        f"{size.frequency:g} Hz, of which {min(size.n_recordings, N_DIFFERENT)} differ\n"
        for name, size in SIZES.items()
        if name in names
    )


def compare(
    study: Study, cell: tuple[str, str, bool], target: float, arguments: argparse.Namespace
) -> str:
    """A row of the table: some pairs of runs of the two programs."""
    name, fit, dashboards = cell
    study.configure(fit, dashboards)
    ours: list[Taken] = []
    peers: list[Taken] = []
    for k in range(arguments.rounds):
        for runs in [ours, peers] if k % 2 else [peers, ours]:
            if runs is peers and cell in ONCE and peers:
                continue
            settle(study)
            if runs is ours:
                study.clear()
                ours.append(study.run())
            else:
                peers.append(study.run_peer(arguments.peer_python, arguments.peer_limit))
    here = [one.seconds for one in ours]
    settings = f"| {name} | {fit} | {'yes' if dashboards else 'no'} "
    failures = [one for one in peers if one.failure]
    if failures:
        seconds, _, _, failure = failures[0]
        if cell not in ONCE and not failure.startswith("not finished"):
            raise RuntimeError(f"PhoPro: {failure}")
        ratio = seconds / statistics.median(here)
        met = "met" if ratio >= target else "not reached so far"
        return (
            f"{settings}| {len(peers)} | gave up after {seconds:.0f}: {failure} | {spread(here)} | "
            f"over {ratio:.0f} | {target:g} {met} | |\n"
        )
    there = [one.seconds for one in peers]
    if len(there) < len(here):
        there *= len(here)
    ratios = [peer / our for peer, our in zip(there, here, strict=True)]
    met = "met" if statistics.median(ratios) >= target else "**missed**"
    return (
        f"{settings}| {len(peers)} | {spread(there)} | {spread(here)} | {spread(ratios)} | "
        f"{target:g} {met} | {study.difference():.1g} |\n"
    )


def again(folder: Path, arguments: argparse.Namespace) -> str:
    """A hundred recordings of size S: all of them, nothing, one more, other bounds."""
    frequency, duration, _ = SIZES["S"]
    study = Study.make(folder / "again", Size(frequency, duration, 101))
    added, aside = study.recording(100), folder / "aside.csv"
    steps: dict[str, tuple[Callable[[], object], str]] = {
        "everything": (study.configure, ""),
        "nothing changed": (lambda: None, "under 3 s"),
        "other bounds": (
            lambda: study.configure(trial_bounds=(-4, 4)),
            "under a third of everything",
        ),
        "one recording added": (lambda: aside.rename(added), "under 6 s"),
    }
    taken: dict[str, list[float]] = {step: [] for step in steps}
    n_jobs = {}
    for _ in range(arguments.rounds):
        added.rename(aside)
        study.clear()
        for step, (change, _) in steps.items():
            change()
            settle(study)
            taken[step].append(study.run().seconds)
            n_jobs[step] = study.n_jobs()
    study.remove()
    parts = [
        bounds / all_
        for bounds, all_ in zip(taken["other bounds"], taken["everything"], strict=True)
    ]
    rows = "".join(
        f"| {step} | {n_jobs[step]} | {spread(taken[step])} | {goal} |\n"
        for step, (_, goal) in steps.items()
    )
    return f"""\
Written by `benchmarks/batches.py`. 100 recordings of size S, OLS, no dashboards, 2 cores;
{arguments.rounds} rounds.

{machine(PACKAGES)}
| run | jobs | seconds | goal |
|---|---|---|---|
{rows}
Other bounds take {spread(parts)} of what everything takes.
"""


def cores(folder: Path, arguments: argparse.Namespace) -> str:
    """What a second core brings."""
    rows = []
    for name in arguments.sizes:
        study = Study.make(folder / name, SIZES[name])
        study.configure("IRLS", save_dashboards=True)
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(arguments.rounds):
            for n_cores, seconds in taken.items():
                study.clear()
                settle(study)
                seconds.append(study.run(n_cores).seconds)
        study.remove()
        gained = [one / two for one, two in zip(*taken.values(), strict=True)]
        rows.append(f"| {name} | {spread(taken[1])} | {spread(taken[2])} | {spread(gained)} |\n")
    return f"""\
Written by `benchmarks/batches.py`. IRLS with dashboards, on one core and on two. With
`--cores 1`, Snakemake itself can still use the second core.

{machine(PACKAGES)}
| size | `--cores 1` (s) | `--cores 2` (s) | times as fast |
|---|---|---|---|
{"".join(rows)}"""


def memory(folder: Path, arguments: argparse.Namespace) -> str:
    """The peak of all processes, and of the largest one."""
    rows = []
    for name in arguments.sizes:
        study = Study.make(folder / name, SIZES[name])
        for fit in ("OLS", "IRLS"):
            study.configure(fit, save_dashboards=True)
            study.clear()
            found = {"here": study.run(with_memory=True)}
            if arguments.peer_python and (name, fit, False) not in ONCE:
                python, limit = arguments.peer_python, arguments.peer_limit
                found["PhoPro"] = study.run_peer(python, limit, with_memory=True)
            rows += [
                f"| {name} | {fit} | {who} | {taken.memory / 1e6:,.0f} MB | "
                f"{taken.largest / 1e6:,.0f} MB |\n"
                for who, taken in found.items()
            ]
        study.remove()
    return f"""\
Written by `benchmarks/batches.py`. With dashboards, 2 cores: the highest proportional set size
(`Pss` in Linux's `/proc/PID/smaps_rollup`, which shares out what processes share), looked at some
fifteen times a second: of all processes of a run together, and of the largest one of them.
The goal at L is under 1,500 MB a worker.

{machine(PACKAGES)}
| size | fit | program | all processes | largest process |
|---|---|---|---|---|
{"".join(rows)}"""


def growth(folder: Path, arguments: argparse.Namespace) -> str:
    """What a recording costs in ever larger batches."""
    frequency, duration, _ = SIZES["S"]
    taken = {}
    for n_recordings in (1, 10, 100, 1000):
        study = Study.make(folder / "growth", Size(frequency, duration, n_recordings))
        study.configure()
        rounds = arguments.rounds if n_recordings < 1000 else 1
        taken[n_recordings] = []
        for _ in range(rounds):
            study.clear()
            settle(study)
            taken[n_recordings].append(study.run().seconds)
        study.remove()
    each = {n: statistics.median(seconds) / n for n, seconds in taken.items()}
    rows = "".join(
        f"| {n:,} | {len(seconds)} | {spread(seconds)} | {1000 * each[n]:.0f} ms |\n"
        for n, seconds in taken.items()
    )
    return f"""\
Written by `benchmarks/batches.py`. Recordings of size S, OLS, no dashboards, 2 cores.

{machine(PACKAGES)}
| recordings | rounds | seconds | a recording |
|---|---|---|---|
{rows}
A single recording shows what is the same for all batches: Snakemake's start, and the imports of
libraries. A recording among 1,000 takes {each[1000] / each[100]:.2f} times what one among 100
takes; the goal is at most 1.5.
"""


PARTS = {
    "against": ("Against PhoPro", against),
    "again": ("Running again", again),
    "cores": ("A second core", cores),
    "memory": ("Memory of a run", memory),
    "growth": ("Larger batches", growth),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", help="interpreter of an environment that has PhoPro")
    parser.add_argument("--peer-limit", type=float, default=900.0, help="seconds")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, help="page whose sections to write")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part == "against" and not arguments.peer_python:
            continue
        heading, measure = PARTS[part]
        with tempfile.TemporaryDirectory() as folder:
            publish(heading, measure(Path(folder), arguments), arguments.write)


if __name__ == "__main__":
    main()
