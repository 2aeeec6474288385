"""Measure what large batches and clusters cost: planning, and runs through Slurm.

    python benchmarks/clusters.py [--parts planning slurm] [--planned 1000 2000 5000]
        [--recordings 200] [--rounds 3] [--write docs/cluster.md]

Planning is timed on empty files, as nothing is read before jobs run. The part on Slurm needs one
(`tests/slurm/cluster.sh start` makes one on this machine), and the same recordings are processed
without it as well. All needs the plugins of envs/cluster.lock, Linux, and a quarter of an hour.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from measuring import machine, publish
from studies import CONFIG, SIZES, Study

PACKAGES = ("snakemake", "snakemake-executor-plugin-slurm")
LOCAL = ("--cores", "2")
SLURM = ("--workflow-profile", str(ROOT / "profiles" / "slurm"))
#: Files of each recording, below results.
MADE = (
    "recordings/{}.h5ad",
    "processed/{}.h5ad",
    "extracted/{}.h5ad",
    "dashboards/{}.svg",
)


class Planned(NamedTuple):
    """What a dry run took: seconds, and bytes of memory of its process."""

    seconds: float
    memory: int


def plan(folder: Path, *options: str) -> Planned:
    """Time a dry run in a folder with a config."""
    config = ["--directory", folder, "--configfile", folder / "config.json"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", *config]
    begin = time.perf_counter()
    with (folder / "plan.log").open("w") as said:
        process = subprocess.Popen(
            list(map(str, [*command, *options])), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError((folder / "plan.log").read_text()[-2000:])
    return Planned(time.perf_counter() - begin, 1024 * used.ru_maxrss)


def planning(folder: Path, arguments: argparse.Namespace) -> str:
    """Dry runs of studies of empty files: new, through Slurm, and with all done."""
    rows = []
    for n in arguments.planned:
        study = folder / f"planned_{n}"
        (study / "recordings").mkdir(parents=True)
        for k in range(n):
            (study / "recordings" / f"m{k}.csv").touch()
        (study / "config.json").write_text(json.dumps(CONFIG | {"save_dashboards": True}))
        found = [plan(study, "-n", "-q", *options) for options in (LOCAL, SLURM)]
        for k in range(n):
            for path in (study / "results" / name.format(f"m{k}") for name in MADE):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        for name in ("trials.h5ad", "settings.json"):
            (study / "results" / name).touch()
        plan(study, "--touch", "-q", *LOCAL)
        found.append(plan(study, "-n", *LOCAL))
        if "Nothing to be done" not in (study / "plan.log").read_text():
            raise RuntimeError("a study of which all is done is not taken for that")
        cells = " | ".join(f"{one.seconds:.1f} s, {one.memory / 1e6:,.0f} MB" for one in found)
        rows.append(f"| {n:,} | {4 * n + 2:,} | {cells} |\n")
    return (
        "Written by `benchmarks/clusters.py`. `snakemake -n` on empty files, with dashboards: time "
        "from start\nto end, and the largest resident memory.\n\n"
        f"{machine(PACKAGES)}\n"
        "| recordings | jobs | `profiles/default` | `profiles/slurm` | all done before |\n"
        f"|---|---|---|---|---|\n{''.join(rows)}\n"
        "The goal at 5,000 recordings is a minute and 2,000 MB.\n"
    )


def slurm(folder: Path, arguments: argparse.Namespace) -> str:
    """The same recordings on this machine's cores, and through Slurm."""
    n = arguments.recordings
    study = Study.make(folder / "slurm", SIZES["S"]._replace(n_recordings=n))
    rows = []
    for fit_using, with_dashboards in (("OLS", False), ("IRLS", True)):
        study.configure(fit_using, save_dashboards=with_dashboards)
        seconds: dict[str, list[float]] = {"local": [], "slurm": []}
        merged, submitted = set(), 0
        for _ in range(arguments.rounds):
            for name, cores, options in (("local", 2, ()), ("slurm", None, SLURM)):
                study.clear()
                seconds[name].append(study.run(cores, options=options).seconds)
                merged.add((study.folder / "results" / "trials.h5ad").read_bytes())
            submitted = (study.folder / "run.log").read_text().count("submitted with SLURM jobid")
        if len(merged) > 1:
            raise RuntimeError("Slurm's run made other trials")
        local, through = (statistics.median(seconds[name]) for name in ("local", "slurm"))
        rows.append(
            f"| {fit_using}{', dashboards' if with_dashboards else ''} | {local:.1f} s | "
            f"{through:.1f} s | {through / local:.2f} | {submitted} |\n"
        )
    nodes = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--format=%N, %c cores"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")[:-1]
    return (
        f"Written by `benchmarks/clusters.py`. {n} recordings of 1,000 s at 20 Hz, on two cores of "
        f"a machine,\nand on a Slurm whose nodes ({'; '.join(nodes)}) are on that same "
        f"machine; medians of\n{arguments.rounds} rounds. The merged trials have equal bytes.\n\n"
        f"{machine(PACKAGES)}\n"
        "| settings | without Slurm | through Slurm | ratio | submissions |\n"
        f"|---|---|---|---|---|\n{''.join(rows)}\n"
        "The goal is a ratio of at most 2, and at most 30 submissions.\n"
    )


PARTS = {"planning": ("Planning", planning), "slurm": ("Through Slurm", slurm)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--planned", nargs="+", type=int, default=[1000, 2000, 5000, 10_000])
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--write", type=Path, help="page whose sections to write; printed in any case"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.parts:
            heading, measure = PARTS[part]
            publish(
                heading, measure(Path(folder), arguments), arguments.write, "On a Slurm cluster"
            )


if __name__ == "__main__":
    main()
