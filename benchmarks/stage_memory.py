"""Measure how much memory each stage takes, against what its rule states.

    python benchmarks/stage_memory.py [--write docs/performance.md]

Runs every stage's script on simulated recordings of an hour at two rates, and the merge on
few and on many experiments, each in a process of its own. Needs Linux, for its account of
a process's memory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from measuring import machine, memory_during, publish, write_recording_csv

from phopro_core.batch.configuration import complete_config
from phopro_core.batch.jobs import plan_batch
from phopro_core.batch.resources import BASE, megabytes
from phopro_core.batch.stages import SCHEMA

MB = 1e6
PREPROCESSING = {
    "fit_using": "detrend_fit_retrend",
    "resample_gaps": 1.0,
    "artifact_detector": "DerivativeDetector",
    "artifact_corrector": "SplineCorrector",
}


class Measured(NamedTuple):
    """Memory of a stage on an input, all in MB."""

    stage: str
    about: str
    input: float
    peak: float
    stated: int


def run_here(script: str, kwargs: Mapping[str, Any]) -> int:
    """Bytes that a script's main() takes above what this process held."""
    import anndata  # noqa: F401 - libraries are not counted
    import matplotlib.backends.backend_svg  # noqa: F401
    import pyarrow.csv  # noqa: F401
    import scipy.optimize
    import scipy.signal  # noqa: F401

    from phopro_core.objects import load_object

    _, above = memory_during(load_object(f"{script}:main"), **kwargs)
    return above


def measure(stage: str, about: str, inputs: Sequence[str], kwargs: Mapping[str, Any]) -> Measured:
    """Memory of a stage in a process of its own."""
    script = str(ROOT / "scripts" / f"{stage}.py")
    command = [sys.executable, __file__, "--run", script, json.dumps(kwargs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    size = sum(Path(path).stat().st_size for path in inputs) / MB
    peak = int(done.stdout.splitlines()[-1]) / MB
    return Measured(stage, about, size, peak, megabytes(stage, size, list(inputs)))


def measure_stages(folder: Path, frequency: float) -> list[Measured]:
    csv = folder / "m1.csv"
    write_recording_csv(csv, 1, frequency, 3600.0, decimals=6)
    recording, processed, trials, picture = (
        str(folder / name) for name in ("raw.h5ad", "processed.h5ad", "trials.h5ad", "m1.svg")
    )
    config = {
        "data_directory": str(folder),
        "pattern": csv.name,
        "loader_cls": "CSVLoader",
        "loader_kwargs": {"event_cols": ["trial_cue"]},
        "preprocess_kwargs": PREPROCESSING,
        "trial_extraction_kwargs": {
            "align_to": "trial_cue",
            "trial_bounds": [-8, 8],
            "baseline_bounds": [-8, 0],
            "trial_normalization": "zscore",
        },
    }
    batch = plan_batch(complete_config(config, SCHEMA))
    variant = batch.variants[""]
    about = f"an hour at {frequency:,.0f} Hz"
    drawing = {"dashboard": picture, "title": "m1", **batch.dashboard}
    calls = {
        "load": (str(csv), batch.load("m1") | {"recording": recording}),
        "preprocess": (
            recording,
            variant.preprocess | {"recording": recording, "processed": processed},
        ),
        "extract": (processed, variant.extract | {"processed": processed, "trials": trials}),
        "dashboard": (processed, drawing | {"processed": processed}),
    }
    return [measure(stage, about, [path], kwargs) for stage, (path, kwargs) in calls.items()]


def write_trials(path: Path, source: str) -> None:
    """40 trials of 320 time points, as extract writes them."""
    import numpy as np
    import pandas as pd

    from phopro_core.h5ad import write_h5ad
    from phopro_core.provenance import of_input

    t = np.arange(-160, 160) / 20
    obs = pd.DataFrame(
        {"trial_num": np.arange(1, 41), "trial_cue": 0.0, "lever1": 3.0, "source": source},
        index=[str(k) for k in range(40)],
    )
    write_h5ad(
        path,
        X=np.random.default_rng(0).standard_normal((40, 320)),
        obs=obs,
        var=pd.DataFrame({"t": t}, index=[str(k) for k in range(320)]),
        uns={"provenance": of_input(path.parent, {"loader": "CSVLoader"})},
    )


def measure_merge(folder: Path, n_experiments: int) -> Measured:
    trials = {}
    for k in range(n_experiments):
        path = folder / str(k) / "trials.h5ad"
        path.parent.mkdir()
        write_trials(path, f"recordings/m{k}.csv")
        trials[f"m{k}"] = str(path)
    kwargs = {
        "trials": trials,
        "merged": str(folder / "merged.h5ad"),
        "join": "inner",
        "settings": {},
        "settings_file": str(folder / "settings.json"),
    }
    about = f"{n_experiments:,} experiments of 40 trials of 320 samples"
    return measure("merge_trials", about, list(trials.values()), kwargs)


def as_section(found: Sequence[Measured]) -> str:
    rows = "".join(
        f"| {one.stage} | {one.about} | {one.input:,.1f} MB | {one.peak:,.0f} MB | "
        f"{one.stated:,} MB |\n"
        for one in found
    )
    few, many = (one for one in found if one.stage == "merge_trials")
    return f"""\
Written by `benchmarks/stage_memory.py`. What each stage's script takes at most above what its
process holds before, which is the libraries; and what its rule states as `mem_mb`, of which
{BASE} MB are for the process. Preprocessing with all that it can do: an even clock,
detrending with a robust fit, artifacts.

{machine(("numpy", "pandas", "scipy", "h5py"))}
| stage | of | input | memory | stated, process included |
|---|---|---|---|---|
{rows}
The merge of ten times as many experiments takes {many.peak - few.peak:.0f} MB more, for their
annotations.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frequencies", type=float, nargs="+", default=[130.0, 1017.25])
    parser.add_argument("--experiments", type=int, default=2000, help="and a tenth of them")
    parser.add_argument("--write", type=Path, help="page whose section to write")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)  # what measure calls
    arguments = parser.parse_args()
    if arguments.run:
        script, kwargs = arguments.run
        print(run_here(script, json.loads(kwargs)))
        return
    found = []
    for frequency in arguments.frequencies:
        with tempfile.TemporaryDirectory() as folder:
            found += measure_stages(Path(folder), frequency)
    for n_experiments in (arguments.experiments // 10, arguments.experiments):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure_merge(Path(folder), n_experiments))
    publish("Memory", as_section(found), arguments.write)


if __name__ == "__main__":
    main()
