"""Measure the time and memory that the robust fit takes.

    python benchmarks/robust_fit.py [--samples 20000 468000 3662000] [--rounds 3]
        [--peer-python PYTHON] [--peer-limit 540] [--write docs/performance.md]

Fits the isosbestic to the signal of simulated recordings (IRLS), each fit in a process of
its own on one core. With the interpreter of an environment that has PhoPro, the same traces
are fitted by that too. Needs Linux, for its account of a process's memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from measuring import limit_memory, machine, memory_during, publish, versions_in

#: Seconds; recordings of more samples than these hold at 20 Hz are sampled faster.
LONGEST = 3600.0
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
GOAL_SECONDS, GOAL_TIMES = 5.0, 10.0


def sampling_rate(n_samples: int) -> float:
    return max(20.0, n_samples / LONGEST)


def make_traces(n_samples: int) -> np.ndarray:
    """Signal and isosbestic as the fit receives them: simulated, then low-pass filtered."""
    from phopro_core.filtering import lowpass
    from phopro_core.simulation import simulate_recording

    frequency = sampling_rate(n_samples)
    recording = simulate_recording(
        seed=1,
        duration=n_samples / frequency,
        frequency=frequency,
        photons=100_000 / frequency,  # the same light each second
    )
    return lowpass(np.stack([recording.signal, recording.isosbestic]), frequency, 3.0)


def fit_by_phopro_core(signal: np.ndarray, isosbestic: np.ndarray) -> list[float]:
    from phopro_core.references import fit_irls

    return fit_irls(signal, isosbestic, c=3.0, maxiter=1000).coeffs.tolist()


def fit_by_peer(signal: np.ndarray, isosbestic: np.ndarray) -> list[float]:
    from PhoPro.core import PhotometryExperiment

    experiment = PhotometryExperiment(signal, isosbestic, np.arange(signal.size) / 20)
    _, _, coeffs = experiment.fit_isosbestic_to_signal(
        signal, isosbestic, fit_using="IRLS", c=3, maxiter=1000
    )
    return [float(coefficient) for coefficient in coeffs]


#: Functions from signal and isosbestic to intercept and slope.
FITS = {"phopro_core": fit_by_phopro_core, "PhoPro": fit_by_peer}


def fit_here(package: str, traces: Path) -> dict[str, Any]:
    """Seconds, bytes and coefficients of one fit in this process, or why it failed."""
    available = limit_memory()
    signal, isosbestic = np.load(traces)
    fit = FITS[package]
    fit(signal[:1000], isosbestic[:1000])  # what the first call imports is not the fit's
    begin = time.perf_counter()
    try:
        coeffs, above = memory_during(fit, signal, isosbestic)
    except MemoryError:
        spent = time.perf_counter() - begin
        return {"failure": f"out of memory ({available / 1e9:.0f} GB) after {spent:.0f} s"}
    return {"seconds": time.perf_counter() - begin, "bytes": above, "coeffs": coeffs}


def fit_apart(
    python: str, package: str, traces: Path, limit: float | None = None
) -> dict[str, Any]:
    """What :func:`fit_here` returns in a new process of an interpreter."""
    command = [python, __file__, "--fit", package, str(traces)]
    try:
        done = subprocess.run(
            command,
            check=True,
            env=os.environ | ONE_CORE,
            stdout=subprocess.PIPE,
            timeout=limit,
            text=True,
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"not finished in {limit:g} s"}
    return json.loads(done.stdout.splitlines()[-1])


def measure(
    n_samples: int, rounds: int, peer_python: str | None, peer_limit: float
) -> dict[str, list[dict[str, Any]]]:
    """The rounds of each package; a single one of the peer, which takes long."""
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder) / "traces.npy"
        np.save(traces, make_traces(n_samples))
        ours = [fit_apart(sys.executable, "phopro_core", traces) for _ in range(rounds)]
        taken = {"phopro_core": ours}
        if peer_python:
            peer = fit_apart(peer_python, "PhoPro", traces, peer_limit)
            taken[versions_in(peer_python, ["PhoPro"])] = [peer]
    return taken


def medians(rounds: Sequence[dict[str, Any]]) -> tuple[float, float] | None:
    """Median seconds and bytes; None where a round failed."""
    if any("failure" in found for found in rounds):
        return None
    return tuple(statistics.median(found[key] for found in rounds) for key in ("seconds", "bytes"))


def as_row(n_samples: int, package: str, rounds: Sequence[dict[str, Any]]) -> str:
    start = f"| {n_samples:,} | {sampling_rate(n_samples):,.0f} Hz | {package} | "
    found = medians(rounds)
    if found is None:
        failures = [a_round["failure"] for a_round in rounds if "failure" in a_round]
        return f"{start}{failures[0]} | | | |\n"
    seconds, n_bytes = found
    spread = " – ".join(f"{pick(r['seconds'] for r in rounds):.3g}" for pick in (min, max))
    return (
        f"{start}{seconds:.3g} s | {spread if len(rounds) > 1 else ''} | "
        f"{n_bytes / 1e6:,.3g} MB | {n_bytes / (16 * n_samples):.1f} |\n"
    )


def verdict(n_samples: int, rounds: Sequence[dict[str, Any]]) -> str:
    """Whether this package's goals were met."""
    found = medians(rounds)
    if found is None:
        return "The goals were missed: a fit failed.\n"
    seconds, times = found[0], found[1] / (16 * n_samples)
    fast = "met" if seconds < GOAL_SECONDS else "missed"
    small = "met" if times < GOAL_TIMES else "missed"
    return (
        f"Goals of this package for {n_samples:,} samples: under {GOAL_SECONDS:g} s ({fast}: "
        f"{seconds:.3g} s), and under {GOAL_TIMES:g} times the memory\nof the two traces "
        f"({small}: {times:.1f} times).\n"
    )


def agreement(taken: dict[int, dict[str, list[dict[str, Any]]]]) -> str:
    """How far the packages' coefficients lie from each other, where both finished."""
    apart = {}
    for n_samples, packages in taken.items():
        fits = [rounds[0].get("coeffs") for rounds in packages.values()]
        if len(fits) == 2 and all(fits):
            ours, peer = np.array(fits)
            apart[n_samples] = np.abs(ours / peer - 1).max()
    if not apart:
        return ""
    listed = "; ".join(f"{apart[n]:.1g} at {n:,} samples" for n in apart)
    return (
        "Largest relative difference between the two packages' coefficients "
        f"(intercept, slope):\n{listed}.\n"
    )


def as_section(taken: dict[int, dict[str, list[dict[str, Any]]]]) -> str:
    """The measurements as a section of a page of documentation."""
    rows = "".join(
        as_row(n_samples, package, rounds)
        for n_samples, packages in taken.items()
        for package, rounds in packages.items()
    )
    n_rounds = len(next(iter(taken.values()))["phopro_core"])
    largest = max(taken)
    return f"""\
Written by `benchmarks/robust_fit.py`. The isosbestic fitted to the signal by IRLS (c = 3, at
most 1,000 iterations): simulated recordings of two channels, up to an hour long, after the 3 Hz
low-pass. Each fit in a process of its own on one core: `phopro_core` {n_rounds} times, PhoPro once,
where it was asked for. A fit may take the memory that the machine has to spare, and PhoPro as
many seconds as the script is told.

Seconds are of the fit alone. Memory is the highest resident memory during the fit (`VmHWM` in
Linux's `/proc/self/status`, started anew before it) above what the process held when it began,
traces included; the last column is that as a multiple of the traces, 16 bytes a sample. A small
fit before it takes the imports out of both.

{machine(("numpy", "scipy"))}
| samples | rate | package | median | range (s) | memory | times the traces |
|---|---|---|---|---|---|---|
{rows}
{verdict(largest, taken[largest]["phopro_core"])}{agreement(taken)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[20_000, 468_000, 3_662_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", help="interpreter of an environment that has PhoPro")
    parser.add_argument("--peer-limit", type=float, default=540.0, help="seconds")
    parser.add_argument("--write", type=Path, help="page whose section to write")
    parser.add_argument("--fit", nargs=2, help=argparse.SUPPRESS)  # what fit_apart calls
    arguments = parser.parse_args()
    if arguments.fit:
        package, traces = arguments.fit
        print(json.dumps(fit_here(package, Path(traces))))
        return
    taken = {
        n_samples: measure(n_samples, arguments.rounds, arguments.peer_python, arguments.peer_limit)
        for n_samples in arguments.samples
    }
    publish("The robust fit", as_section(taken), arguments.write)


if __name__ == "__main__":
    main()
