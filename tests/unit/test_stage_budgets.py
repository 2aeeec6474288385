"""What a recording may cost, counted: bytes read and written, memory, passes over the samples."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.signal

from phopro_core import references
from phopro_core.batch.configuration import complete_config
from phopro_core.batch.jobs import plan_batch
from phopro_core.batch.stages import SCHEMA, SCRIPTS
from phopro_core.objects import load_object
from phopro_core.simulation import simulate_recording

N_SAMPLES = 200_000
TRACE = 8 * N_SAMPLES  # bytes
#: Bytes of a file beside its arrays: names, settings, HDF5's own.
BESIDE = 100_000
ACCOUNT = Path("/proc/self/io")


class Cost(NamedTuple):
    """What a stage took: bytes read, bytes written, and the most it held at once."""

    read: int
    written: int
    held: int


def cost_of(function: Callable[..., Any], **kwargs: Any) -> Cost:
    function(**kwargs)  # what is imported or remembered at the first call is not counted
    usual = pa.default_memory_pool()
    of_pyarrow = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(of_pyarrow)
    tracemalloc.start()
    before = account()
    function(**kwargs)
    after = account()
    _, of_python = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pa.set_memory_pool(usual)
    held = of_python + of_pyarrow.max_memory()
    return Cost(after["rchar"] - before["rchar"], after["wchar"] - before["wchar"], held)


def account() -> dict[str, int]:
    return {name: int(count) for name, count in (line.split(": ") for line in ACCOUNT.open("r"))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("stages")


@pytest.fixture(scope="module")
def calls(folder) -> dict[str, dict[str, Any]]:
    """What each stage's main() is called with, in their order."""
    frequency = 200.0
    recording = simulate_recording(1, N_SAMPLES / frequency, frequency)
    table = {
        "time": recording.time,
        "signal": recording.signal,
        "unused": recording.signal,
        "isosbestic": recording.isosbestic,
        "cue": np.isin(recording.time, recording.events["trial_cue"]).astype(int),
    }
    pd.DataFrame(table).to_csv(folder / "m1.csv", index=False)
    config = {
        "data_directory": str(folder),
        "pattern": "*.csv",
        "loader_cls": "CSVLoader",
        "loader_kwargs": {"event_cols": ["cue"]},
        "preprocess_kwargs": {"fit_using": "IRLS"},
        "trial_extraction_kwargs": {"align_to": "cue", "trial_bounds": [-5, 5]},
    }
    batch = plan_batch(complete_config(config, SCHEMA))
    variant = batch.variants[""]
    raw, processed, trials = (
        str(folder / f"{name}.h5ad") for name in ("recording", "processed", "trials")
    )
    return {
        "load": batch.load("m1") | {"recording": raw},
        "preprocess": variant.preprocess | {"recording": raw, "processed": processed},
        "extract": variant.extract | {"processed": processed, "trials": trials},
        "dashboard": batch.dashboard
        | {"processed": processed, "dashboard": str(folder / "m1.svg"), "title": "m1"},
    }


@pytest.fixture(scope="module")
def costs(calls) -> dict[str, Cost]:
    return {
        stage: cost_of(load_object(f"{SCRIPTS}/{stage}.py:main"), **kwargs)
        for stage, kwargs in calls.items()
    }


@pytest.fixture
def loaded(calls) -> Callable[[], None]:
    """Preprocesses the recording, which has been loaded."""
    load_object(f"{SCRIPTS}/load.py:main")(**calls["load"])
    return partial(load_object(f"{SCRIPTS}/preprocess.py:main"), **calls["preprocess"])


pytestmark = pytest.mark.skipif(not ACCOUNT.exists(), reason="needs Linux's account of a process")


def size(path: Path) -> int:
    return path.stat().st_size


def test_a_raw_file_is_read_once_for_its_digest_and_once_for_its_numbers(costs, folder):
    assert costs["load"].read < 2 * size(folder / "m1.csv") + BESIDE


@pytest.mark.parametrize(
    ("stage", "source"),
    # Of a dashboard, matplotlib reads its fonts over and over.
    [("preprocess", "recording"), ("extract", "processed")],
)
def test_a_later_stage_reads_what_it_is_made_of_once(costs, folder, stage, source):
    assert costs[stage].read < size(folder / f"{source}.h5ad") + BESIDE


@pytest.mark.parametrize(
    ("stage", "n_arrays"),
    [("load", 3), ("preprocess", 7)],  # the clock, and one or three traces of each channel
)
def test_a_stage_writes_its_arrays_once(costs, stage, n_arrays):
    assert n_arrays * TRACE < costs[stage].written < n_arrays * TRACE + BESIDE


def test_trials_and_dashboards_are_small(costs):
    for stage in ("extract", "dashboard"):
        assert costs[stage].written < 0.6 * TRACE


@pytest.mark.parametrize(
    ("stage", "n_arrays"),
    [("load", 12), ("preprocess", 15), ("extract", 9), ("dashboard", 11)],
)
def test_a_stage_holds_so_many_arrays_at_once(costs, stage, n_arrays):
    assert costs[stage].held < n_arrays * TRACE


def test_both_channels_are_filtered_in_one_call(loaded, monkeypatch):
    filtered = []

    def counted(sections, traces, **kwargs):
        filtered.append(traces.shape)
        return sosfiltfilt(sections, traces, **kwargs)

    sosfiltfilt = scipy.signal.sosfiltfilt
    monkeypatch.setattr(scipy.signal, "sosfiltfilt", counted)
    loaded()
    assert filtered == [(2, N_SAMPLES)]


def test_the_robust_fit_takes_few_passes_and_puts_few_samples_in_order(loaded, monkeypatch):
    counts = {"passes": 0, "in order": 0}

    def counted(what, function):
        def call(*args, **kwargs):
            counts[what] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(references, "median_near", counted("passes", references.median_near))
    monkeypatch.setattr(references.np, "median", counted("in order", np.median))
    loaded()
    assert 3 < counts["passes"] < 25
    assert counts["in order"] <= 3
