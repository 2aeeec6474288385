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

from measuring import machine, version_in, write_section
from studies import SIZES, Size, Study, Taken

PACKAGES = ("snakemake", "numpy", "pandas", "pyarrow", "scipy", "anndata", "h5py", "matplotlib")
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


def spread(values: Sequence[float], form: str = "{:.2f}") -> str:
    """Median and range."""
    middle, low, high = (form.format(pick(values)) for pick in (statistics.median, min, max))
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
    made = "; ".join(
        f"{name}: {size.n_recordings} recordings of {size.duration:,.0f} s at {size.frequency:g} Hz"
        for name, size in SIZES.items()
    )
    return f"""\
Written by `benchmarks/batches.py`. Whole processes, from their start to their end, PhoPro
{version_in(arguments.peer_python, "PhoPro")} and this workflow in turn on the same recordings with
the same settings: `PhotometryPipeline.run` there, `snakemake --cores 2` here, of which each starts
from nothing. Two channels, four events, numbers with all their digits. {made}.
Dashboards of means of 30 samples. The ratio is PhoPro's time over this workflow's, of each pair;
what differs most between the two programs' trials, in standard deviations of the signals, is in
the last column.

{machine(PACKAGES)}
| size | fit | dashboards | pairs | PhoPro (s) | here (s) | ratio | at least | trials differ by |
|---|---|---|---|---|---|---|---|---|
{"".join(rows)}"""


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
    apart = "" if peers[0].failure else f"{study.difference():.1g}"
    here = spread([one.seconds for one in ours])
    settings = f"| {name} | {fit} | {'yes' if dashboards else 'no'} "
    if peers[0].failure:
        ratio = peers[0].seconds / statistics.median(one.seconds for one in ours)
        failed = f"failed after {peers[0].seconds:.0f}: {peers[0].failure}"
        return f"{settings}| {len(peers)} | {failed} | {here} | over {ratio:.0f} | {target:g} | |\n"
    ratios = [peer.seconds / our.seconds for peer, our in zip(peers, ours, strict=True)]
    met = "met" if statistics.median(ratios) >= target else "**missed**"
    there = spread([one.seconds for one in peers])
    return (
        f"{settings}| {len(ratios)} | {there} | {here} | {spread(ratios)} | "
        f"{target:g} {met} | {apart} |\n"
    )


def again(folder: Path, arguments: argparse.Namespace) -> str:
    """A hundred recordings of size S: all of them, nothing, one more, other bounds."""
    frequency, duration, _ = SIZES["S"]
    study = Study.make(folder / "again", Size(frequency, duration, 101))
    added, aside = study.recording(100), folder / "aside.csv"
    steps: dict[str, tuple[Callable[[], object], int, str]] = {
        "everything": (study.configure, 301, ""),
        "nothing changed": (lambda: None, 0, "under 3 s"),
        "other bounds": (
            lambda: study.configure(trial_bounds=(-4, 4)),
            101,
            "under a third of everything",
        ),
        "one recording added": (lambda: aside.rename(added), 4, "under 6 s"),
    }
    taken: dict[str, list[float]] = {step: [] for step in steps}
    for _ in range(arguments.rounds):
        added.rename(aside)
        study.clear()
        for step, (change, _, _) in steps.items():
            change()
            settle(study)
            taken[step].append(study.run().seconds)
    study.remove()
    parts = [
        bounds / all_
        for bounds, all_ in zip(taken["other bounds"], taken["everything"], strict=True)
    ]
    rows = "".join(
        f"| {step} | {n_jobs} | {spread(taken[step])} | {goal} |\n"
        for step, (_, n_jobs, goal) in steps.items()
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
Written by `benchmarks/batches.py`. IRLS with dashboards, on one core and on two; of one, the
operating system gives Snakemake itself the other.

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
(`Pss` in Linux's `/proc/PID/smaps_rollup`, which counts what processes share once), looked at
every 50 ms: of all processes of a run together, and of the largest one of them, here a worker.
The goal at L is under 1,500 MB a worker.

{machine(PACKAGES)}
| size | fit | program | all processes | largest process |
|---|---|---|---|---|
{"".join(rows)}"""


def growth(folder: Path, arguments: argparse.Namespace) -> str:
    """What a recording costs in batches of 10, 100 and 1,000."""
    frequency, duration, _ = SIZES["S"]
    taken = {}
    for n_recordings in (10, 100, 1000):
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
A recording among 1,000 takes {each[1000] / each[100]:.2f} times what one among 100 takes; the goal
is at most 1.5.
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
            section = measure(Path(folder), arguments)
        print(f"## {heading}\n\n{section}", flush=True)
        if arguments.write:
            write_section(arguments.write, "Performance", heading, section)


if __name__ == "__main__":
    main()
