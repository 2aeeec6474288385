"""Measure how close each reference comes to the truth of simulated recordings.

    python benchmarks/accuracy.py [--seeds 20] [--write docs/accuracy.md]

Simulates recordings in regimes that are hard in different ways, processes each of them
with every method, and compares what comes out with what went in. Takes about a minute on
two cores; equal seeds give the same page.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

# Before NumPy is imported: there is a process for each core already, and sums are the same
# whatever the number of cores.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from phopro_core import DerivativeDetector, PhotometryExperiment, SplineCorrector
from phopro_core.filtering import lowpass
from phopro_core.simulation import Response, SimulatedRecording, simulate_recording

DURATION, FREQUENCY, CUTOFF = 800.0, 20.0, 3.0
#: Share of the recordings in which a method has to win for it to be called better.
MOST = 0.75
#: Growth of the RMS error from which on artifact correction did harm.
HARM = 0.05
#: Seconds by which a detection may miss an artifact.
SLACK = 0.2


@dataclass(frozen=True)
class Regime:
    """One kind of recording: how it differs from the usual, in words and in settings."""

    about: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def simulate(self, seed: int) -> SimulatedRecording:
        return simulate_recording(seed, DURATION, FREQUENCY, **self.settings)

    @property
    def has_line(self) -> bool:
        """Whether a line takes the isosbestic to the reference."""
        return "isosbestic_bleaching" not in self.settings


REGIMES = {
    "strong bleaching": Regime(
        "both channels lose most of their light, alike",
        {"bleaching": (0.4, 60.0, 0.3, 600.0)},
    ),
    "different bleaching": Regime(
        "the isosbestic fades by other shares and at another pace than the signal",
        {
            "bleaching": (0.2, 60.0, 0.2, 900.0),
            "isosbestic_bleaching": (0.05, 30.0, 0.3, 300.0),
        },
    ),
    "strong motion": Regime(
        "motion, shared by both channels, of four times the usual size", {"motion": 0.08}
    ),
    "large transients": Regime(
        "responses of 0.3 to 0.6 dF/F at every event",
        {
            "responses": {
                "trial_cue": Response(0.3),
                "lever1": Response(0.6),
                "lever2": Response(0.6),
                "shock": Response(0.4),
            }
        },
    ),
    "weak isosbestic": Regime(
        "an isosbestic of a hundredth of the usual light, ten times as noisy",
        {"level": 0.5, "slope": 125.0},
    ),
    "artifacts: spikes": Regime(
        "12 spikes of the signal alone: 1 to 3 samples, 10 to 50 % of the light, up or down",
        {"spikes": 12},
    ),
    "artifacts: jumps": Regime(
        "3 lasting jumps of the signal alone: 5 to 20 % of the light, up or down",
        {"jumps": 3},
    ),
}

MENDED = "IRLS + artifact correction"
METHODS = {
    "OLS": {"fit_using": "OLS"},
    "IRLS": {"fit_using": "IRLS"},
    "detrend_retrend": {"fit_using": "detrend_retrend"},
    "detrend_fit_retrend": {"fit_using": "detrend_fit_retrend"},
    "signal alone": {"channel_mode": "single", "correction_method": "dB/B"},
    MENDED: {
        "fit_using": "IRLS",
        "artifact_detector": DerivativeDetector(),
        "artifact_corrector": SplineCorrector(),
    },
}
LINES = ("OLS", "IRLS", MENDED)
BEST = "true reference"


class Errors(NamedTuple):
    """How one method fared on one recording; see the page for what they are."""

    intercept: float
    slope: float
    correlation: float
    peak: float
    rms: float


class Detections(NamedTuple):
    """Artifacts of one type in one recording."""

    present: int
    found: int
    mistaken: int
    false: int


def process(recording: SimulatedRecording, settings: Mapping[str, Any]) -> PhotometryExperiment:
    experiment = PhotometryExperiment(
        recording.signal, recording.isosbestic, recording.time, recording.events
    )
    experiment.preprocess_signal(cutoff_frequency=CUTOFF, **settings)
    return experiment


def measure(regime: str, seed: int) -> tuple[dict[str, Errors], dict[str, Detections]]:
    """Errors of every method, and detections of every type, on one recording."""
    recording = REGIMES[regime].simulate(seed)
    signal, reference, truth = lowpass(
        np.stack([recording.signal, recording.reference, recording.dff]), FREQUENCY, CUTOFF
    )
    experiments = {method: process(recording, settings) for method, settings in METHODS.items()}
    errors = {}
    for method, experiment in experiments.items():
        line = (np.nan, np.nan)
        if method in LINES and REGIMES[regime].has_line:
            coeffs = np.array(experiment.metadata["reference_fit"]["coeffs"])
            line = coeffs / [recording.intercept, recording.slope] - 1
        errors[method] = Errors(*line, *trace_errors(experiment.signal, truth, recording))
    best = signal / reference - 1
    errors[BEST] = Errors(np.nan, np.nan, *trace_errors(best, truth, recording))
    return errors, count_detections(experiments[MENDED].artifacts, recording)


def trace_errors(
    dff: np.ndarray, truth: np.ndarray, recording: SimulatedRecording
) -> tuple[float, float, float]:
    """Correlation, relative error of the peaks, and root of the mean squared error."""
    height, true_height = (peak_height(trace, truth, recording) for trace in (dff, truth))
    return (
        float(np.corrcoef(dff, truth)[0, 1]),
        height / true_height - 1,
        float(np.sqrt(np.mean((dff - truth) ** 2))),
    )


def peak_height(trace: np.ndarray, truth: np.ndarray, recording: SimulatedRecording) -> float:
    """Mean height of the responses to lever presses, above the seconds before their cue."""

    def mean(start: float, stop: float) -> float:
        return trace[round(start * FREQUENCY) : round(stop * FREQUENCY)].mean()

    cues = recording.events["trial_cue"]
    heights = []
    for press in np.concatenate([recording.events["lever1"], recording.events["lever2"]]):
        cue = cues[np.searchsorted(cues, press) - 1]
        # Where the true peak is: the highest sample would also be the noisiest.
        first = round(press * FREQUENCY)
        peak = press + np.argmax(truth[first : first + round(2 * FREQUENCY)]) / FREQUENCY
        heights.append(mean(peak - 0.25, peak + 0.25) - mean(cue - 2, cue))
    return float(np.mean(heights))


def count_detections(artifacts: Any, recording: SimulatedRecording) -> dict[str, Detections]:
    """Compare the detector's table with what was put into the recording."""

    def at(type_found: str, type_present: str | None = None) -> np.ndarray:
        """Whether each detection of a type (row) is at each artifact of a type (column)."""
        found = artifacts[artifacts["type"] == type_found]
        start = found["start_time"].to_numpy()[:, np.newaxis] - SLACK
        stop = found["stop_time"].to_numpy()[:, np.newaxis] + SLACK
        times = [a.start_time for a in recording.artifacts if type_present in (a.type, None)]
        return (start <= times) & (times <= stop)

    counts = {}
    for type_, other in (("spike", "jump"), ("jump", "spike")):
        same = at(type_, type_)
        counts[type_] = Detections(
            present=same.shape[1],
            found=int(same.any(axis=0).sum()),
            mistaken=int((at(other, type_).any(axis=0) & ~same.any(axis=0)).sum()),
            false=int((~at(type_).any(axis=1)).sum()),
        )
    return counts


Measured = dict[str, list[tuple[dict[str, Errors], dict[str, Detections]]]]


def measure_all(n_seeds: int, n_processes: int) -> Measured:
    """For each regime what :func:`measure` finds with each seed."""
    tasks = [(regime, seed) for regime in REGIMES for seed in range(n_seeds)]
    with ProcessPoolExecutor(n_processes) as pool:
        found = pool.map(measure, *zip(*tasks, strict=True), chunksize=4)
        measured: Measured = {regime: [] for regime in REGIMES}
        for (regime, _), result in zip(tasks, found, strict=True):
            measured[regime].append(result)
    return measured


def of_method(measured: Measured, regime: str, method: str, error: str) -> np.ndarray:
    """One error of one method in a regime, shape (n_seeds,)."""
    return np.array([getattr(errors[method], error) for errors, _ in measured[regime]])


def summary(values: np.ndarray, digits: int, factor: float = 1.0) -> str:
    """Median and quartiles."""
    if np.isnan(values).all():
        return "–"
    # Adding zero turns the −0.0 of rounding into 0.0.
    low, middle, high = np.round(np.percentile(factor * values, [25, 50, 75]), digits) + 0.0
    return f"{middle:.{digits}f} ({low:.{digits}f} … {high:.{digits}f})".replace("-", "−")


def error_table(measured: Measured, regime: str) -> str:
    rows = []
    for method in measured[regime][0][0]:
        columns = {"intercept": (1, 100), "slope": (1, 100), "correlation": (3, 1)}
        columns |= {"peak": (1, 100), "rms": (2, 100)}
        cells = [
            summary(of_method(measured, regime, method, error), *how)
            for error, how in columns.items()
        ]
        rows.append(f"| {method} | {' | '.join(cells)} |\n")
    return (
        "| method | intercept (%) | slope (%) | correlation | peak (%) | RMS (% dF/F) |\n"
        f"|---|---|---|---|---|---|\n{''.join(rows)}"
    )


def detection_table(measured: Measured) -> str:
    rows = []
    for regime, results in measured.items():
        cells = []
        for type_ in ("spike", "jump"):
            total = Detections(*np.sum([counts[type_] for _, counts in results], axis=0))
            cells += [f"{total.found} of {total.present}", str(total.mistaken), str(total.false)]
        rows.append(f"| {regime} | {' | '.join(cells)} |\n")
    return (
        "| regime | spikes found | taken for jumps | false spikes "
        "| jumps found | taken for spikes | false jumps |\n"
        f"|---|---|---|---|---|---|---|\n{''.join(rows)}"
    )


def comparison(measured: Measured, regime: str, first: str, second: str) -> tuple[str, str]:
    """Whether one method is better than another in a regime: 'yes', 'no' or 'partly', and why."""
    wins, medians = {}, {}
    better: dict[str, Callable] = {"rms": np.less, "correlation": np.greater}
    for error, wins_over in better.items():
        one, other = (of_method(measured, regime, method, error) for method in (first, second))
        wins[error] = int(wins_over(one, other).sum())
        medians[error] = np.median(one), np.median(other)
    n_seeds = len(measured[regime])
    if min(wins.values()) >= MOST * n_seeds:
        answer = "yes"
    elif max(wins.values()) <= (1 - MOST) * n_seeds:
        answer = "no"
    else:
        answer = "partly"
    rms, other_rms = medians["rms"]
    correlation, other_correlation = medians["correlation"]
    why = (
        f"{first} against {second}: smaller RMS error in {wins['rms']} of {n_seeds} "
        f"recordings (median\n  {100 * rms:.2f} against {100 * other_rms:.2f} % dF/F), higher "
        f"correlation in {wins['correlation']} of {n_seeds} (median {correlation:.3f} against "
        f"{other_correlation:.3f})"
    )
    return answer, why


def claim(measured: Measured, text: str, regime: str, pairs: list[tuple[str, str]]) -> str:
    """A claim, whether it holds, and the figures that say so."""
    found = [comparison(measured, regime, *pair) for pair in pairs]
    answers = {answer for answer, _ in found}
    if answers == {"yes"}:
        verdict = "This holds."
    elif "yes" not in answers and "partly" not in answers:
        verdict = "This does not hold; the contrary does."
    else:
        verdict = "This does not hold throughout."
    reasons = "".join(f"* {answer}: {why}.\n" for answer, why in found)
    return f"**{text}.** {verdict}\n\n{reasons}"


def claims(measured: Measured) -> str:
    """What users are told about the methods, each checked against the figures."""
    detrending = [
        (a, b) for a in ("detrend_retrend", "detrend_fit_retrend") for b in ("OLS", "IRLS")
    ]
    return "\n".join(
        [
            claim(
                measured,
                "IRLS beats OLS where transients are large",
                "large transients",
                [("IRLS", "OLS")],
            ),
            claim(
                measured,
                "Detrending beats both where the two channels bleach differently",
                "different bleaching",
                detrending,
            ),
            claim(
                measured,
                "Artifact correction helps where there are spikes",
                "artifacts: spikes",
                [(MENDED, "IRLS")],
            ),
            claim(
                measured,
                "Artifact correction helps where there are jumps",
                "artifacts: jumps",
                [(MENDED, "IRLS")],
            ),
            harm(measured),
        ]
    )


def harm(measured: Measured) -> str:
    """What artifact correction does to recordings that have nothing to correct."""
    clean = [regime for regime in measured if not regime.startswith("artifacts")]
    changes, peaks = [], []
    for regime in clean:
        before, after = (of_method(measured, regime, m, "rms") for m in ("IRLS", MENDED))
        changes.append(after / before - 1)
        before, after = (1 + of_method(measured, regime, m, "peak") for m in ("IRLS", MENDED))
        peaks.append(after / before - 1)
    changes, peaks = np.concatenate(changes), np.concatenate(peaks)
    n_worse = int((changes > HARM).sum())
    verdict = "This holds." if n_worse == 0 else "This does not hold."
    reason = (
        f"* Its RMS error grows by more than {HARM:.0%} in {n_worse} of {changes.size} recordings "
        "without artifacts"
    )
    if n_worse:
        reason += f",\n  by {changes.max():.0%} at worst, where peaks change by up to "
        reason += f"{100 * peaks[np.abs(peaks).argmax()]:.0f} %"
    text = "Artifact correction leaves recordings without artifacts alone"
    return f"**{text}.** {verdict}\n\n{reason}.\n".replace(" -", " −")


def shown(value: Any) -> str:
    """A setting as a reader of the table wants it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    return f"{value.amplitude:g}" if isinstance(value, Response) else str(value)


def regime_table() -> str:
    rows = [
        f"| {name} | {regime.about} | "
        + ", ".join(f"`{key}={shown(value)}`" for key, value in regime.settings.items())
        + " |\n"
        for name, regime in REGIMES.items()
    ]
    return f"| regime | what it is | settings |\n|---|---|---|\n{''.join(rows)}"


def as_page(measured: Measured) -> str:
    """The measurements as a page of documentation."""
    n_seeds = len(next(iter(measured.values())))
    usual = simulate_recording(0, 60.0)
    tables = "\n".join(
        f"### {regime.capitalize()}\n\n{error_table(measured, regime)}" for regime in REGIMES
    )
    return f"""\
# Accuracy

Written by `benchmarks/accuracy.py`: how close each reference comes to the truth, in
recordings whose truth is known because they are simulated (`phopro_core.simulation`).

## What is simulated

A cued lever task, with a cue about every 40 s: {n_seeds} recordings in each regime,
of {DURATION:g} s at {FREQUENCY:g} Hz. Light bleaches and moves in both channels alike; the
reference is a line of the isosbestic (intercept {usual.intercept:g}, slope {usual.slope:g}), the
signal is the reference times one plus the response of the sensor, and photons make both noisy.
Unless the regime says otherwise, bleaching takes up to 35 % of the light, motion has a standard
deviation of 2 %, and responses peak at −0.06 (a shock, one second after some presses) to 0.1 dF/F.
Settings are those of `simulate_recording`; of responses their peaks are shown.

{regime_table()}
## What is compared

Methods are values of `fit_using`, with all else at its default ({CUTOFF:g} Hz low-pass, dF/F).
*signal alone* leaves the isosbestic unused (`channel_mode="single"`, dB/B): its reference is the
photobleaching curve of the signal. *{MENDED}* is IRLS with
`DerivativeDetector()` and `SplineCorrector()`. *{BEST}* divides by the reference that went
in, and shows what noise, or artifacts, leave to be had.

Entries are medians over the recordings, quartiles in parentheses. True dF/F is what went in, after
the same low-pass, so that the filter is not judged.

* **intercept**, **slope**: of the fitted line, estimate / truth − 1. A dash where a method has no
  such line, or the channels do not lie on one.
* **correlation**: of recovered with true dF/F over the whole recording; blind to offset and scale.
* **peak**: mean height of the responses to lever presses, recovered / true − 1. The height is the
  mean of dF/F in the half second around the true peak, less its mean in the two seconds before
  the trial's cue.
* **RMS**: root mean squared difference of recovered and true dF/F; an offset enlarges it too.

## Results

{tables}
## Artifacts found

By `DerivativeDetector()`; sums over the recordings. An artifact is found if a detection of its
type covers its start, give or take {SLACK:g} s, and taken for the other type if only one of that
does. A false detection is at no artifact of either type.

{detection_table(measured)}
## What follows

A method is better than another here if its RMS error is smaller, and its correlation higher, in
at least {MOST:.0%} of the recordings.

{claims(measured)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="recordings in each regime")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="page to write; printed in any case")
    arguments = parser.parse_args()
    page = as_page(measure_all(arguments.seeds, arguments.processes))
    print(page)
    if arguments.write:
        arguments.write.write_text(page)


if __name__ == "__main__":
    main()
