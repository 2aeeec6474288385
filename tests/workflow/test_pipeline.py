"""The pipeline of notebooks: functions of the caller's, what is kept, what goes wrong."""

import fcntl
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import pytest

from phopro_core import CSVLoader, PhotometryExperiment, PhotometryPipeline

ROOT = Path(__file__).parents[2]
LOADING = {"event_cols": ("trial_cue", "lever1", "lever2", "shock")}
CUTTING = {"align_to": "trial_cue", "trial_bounds": (-2, 5)}


@pytest.fixture
def pipeline(study, tmp_path, monkeypatch):
    """Of two recordings, in the current folder."""
    for seed in (1, 2):
        study.add(f"m{seed}", seed=seed)
    monkeypatch.chdir(study.folder)
    monkeypatch.setenv("PHOPRO_CACHE", str(tmp_path / "cache"))
    return PhotometryPipeline("recordings", "file", CSVLoader, pattern="*.csv")


def run(pipeline, **kwargs):
    settings = {
        "loader_kwargs": LOADING,
        "preprocess_kwargs": {"fit_using": "OLS"},
        "trial_extraction_kwargs": CUTTING,
        "progress": False,
    }
    return pipeline.run(**settings | kwargs)


def stamps(pipeline):
    """When each intermediate file was made."""
    files = pipeline.working_folder.glob("results/*/*.h5ad")
    return {f"{path.parent.name}/{path.stem}": path.stat().st_mtime_ns for path in files}


def made_again(pipeline, before):
    after = stamps(pipeline)
    return {name for name in after if after[name] != before.get(name)}


CUT = {"extracted/m1", "extracted/m2"}
PROCESSED = {"processed/m1", "processed/m2"}


def test_a_second_run_makes_only_what_its_settings_change(pipeline):
    first = run(pipeline)
    before = stamps(pipeline)
    shorter = run(pipeline, trial_extraction_kwargs=CUTTING | {"trial_bounds": (-1, 2)})
    assert shorter.n_times == 60
    assert np.array_equal(shorter.X, first.window("trial_cue", (-1, 2)).X)
    assert made_again(pipeline, before) == CUT
    before = stamps(pipeline)
    assert np.array_equal(run(pipeline).X, first.X)
    assert made_again(pipeline, before) == CUT
    before = stamps(pipeline)
    run(pipeline)
    assert made_again(pipeline, before) == set()
    pipeline.clear()
    assert not pipeline.working_folder.exists()


def scaling(factor):
    def scale(experiment):
        experiment.signal = factor * experiment.signal

    return scale


@pytest.mark.slow
def test_functions_are_the_same_until_they_do_something_else(pipeline):
    doubled = run(pipeline, post_preprocess_operation=scaling(2))
    before = stamps(pipeline)
    run(pipeline, post_preprocess_operation=scaling(2))
    assert made_again(pipeline, before) == set()
    tripled = run(pipeline, post_preprocess_operation=scaling(3))
    assert pytest.approx(1.5 * doubled.X) == tripled.X
    assert made_again(pipeline, before) == PROCESSED | CUT


SCRIPT = """
import sys
from functools import partial
from pathlib import Path

import numpy as np

from phopro_core import PhotometryData, PhotometryExperiment, PhotometryLoader, PhotometryPipeline

RATE = 20.0


class NumpyLoader(PhotometryLoader):
    def __init__(self, path, gain=1.0):
        self.path, self.gain = Path(path), gain

    def extract_data(self):
        signal = self.gain * np.load(self.path)
        time = np.arange(signal.size) / RATE
        events = {"cue": [10.0, 20.0]}
        return dict(raw_signal=signal, raw_isosbestic=None, time=time, events=events)


class Named(PhotometryExperiment):
    def name(self):
        return "of a class of the script"


class Data(PhotometryData):
    pass


def fit(signal, time):
    return np.full_like(signal, RATE), [RATE]


threshold = 3
pipeline = PhotometryPipeline("arrays", "file", NumpyLoader, Named, Data, pattern="*.npy")
trials = pipeline.run(
    [{"gain": np.float64(2)}, {"gain": 4}],
    {"correction_method": lambda signal, reference: signal - threshold},
    {"align_to": "cue", "trial_bounds": (-1, 1), "trial_normalization": lambda x, baseline: x + 1},
    post_load_operation=lambda experiment: experiment.metadata.update(kind=experiment.name()),
    passdown_metadata=["kind"],
    cores=1,
)
kinds = trials.obs["kind"].unique()
print(type(trials).__name__, trials, trials.X.mean().round(6), *kinds, sep="|")
"""


def started(folder, script, **kwargs):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-c", script]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, **kwargs
    )


def test_a_script_needs_no_guard_and_may_define_everything_itself(pipeline, study):
    (study.folder / "arrays").mkdir()
    np.save(study.folder / "arrays" / "flat.npy", np.full(600, 5.0))
    process = started(study.folder, SCRIPT)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    described = "Photometry dataset with 4 trials, 40 timepoints, and 3 observations."
    # Signals of 10 and 20, less the threshold, plus 1.
    assert told == f"Data|{described}|13.0|of a class of the script\n"


@pytest.mark.slow
def test_a_recording_that_fails_is_told_in_a_warning(pipeline, study):
    (study.recordings / "m2.csv").write_text("")
    with pytest.warns(UserWarning, match=r"1 errors, 1 successes(?s:.*)load of m2 .*file is empty"):
        trials = run(pipeline, output_dir="out", log_file="run.log")
    assert list(trials.uns["experiments"]) == ["m1"]
    assert "m2\tload\trecordings/m2.csv" in Path("out/failures.tsv").read_text()
    assert "Traceback" in Path("run.log").read_text()


@pytest.mark.slow
def test_it_is_a_value_error_if_every_recording_fails(pipeline, study):
    for name in ("m1", "m2"):
        (study.recordings / f"{name}.csv").write_text("")
    with pytest.raises(ValueError, match=r"all 2 jobs failed(?s:.*)m1\.csv: the file is empty"):
        run(pipeline, log_file="run.log", output_dir="out")
    assert "The run failed: 2 errors" in Path("run.log").read_text()
    assert [path.name for path in Path("out").iterdir()] == ["failures.tsv"]


@pytest.mark.slow
def test_a_run_that_fails_as_a_whole_says_what_snakemake_said(pipeline):
    in_the_way = pipeline.working_folder / "results" / "logs" / "merge_trials"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("a file in the place of a folder")
    with pytest.raises(RuntimeError, match=r"Snakemake's last words(?s:.*)logs/merge_trials"):
        run(pipeline)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"save_dashboards": True}, ValueError, "save_dashboards needs an output_dir"),
        ({"preprocess_kwargs": {"fit": "OLS"}}, TypeError, r"preprocess_signal\(\): \['fit'\]"),
        ({"preprocess_kwargs": {"fit_using": "ols"}}, TypeError, "fit_using is 'ols'"),
        ({"trial_extraction_kwargs": {}}, TypeError, r"Missing kwargs .*\['align_to'"),
        ({"trial_output_file": "trials.csv"}, ValueError, "is not a file name ending in .h5ad"),
        ({"loader_kwargs": lambda path: 3}, ValueError, "returned 3 for 'recordings/m1.csv'"),
        ({"id_builder": "nowhere.py:f"}, ValueError, "no Python file"),
    ],
)
def test_mistakes_are_told_before_anything_runs(pipeline, kwargs, error, message):
    with pytest.raises(error, match=message):
        run(pipeline, **kwargs)
    assert not (pipeline.working_folder / "results").exists()


def test_what_can_not_be_sent_to_other_processes_is_a_type_error(pipeline):
    lock = Lock()

    def hook(experiment):
        lock.acquire()

    with pytest.raises(TypeError, match="hook can't be sent to the processes that run the jobs"):
        run(pipeline, post_load_operation=hook)


@pytest.mark.parametrize(
    "classes",
    [(PhotometryExperiment,), (CSVLoader, CSVLoader), (CSVLoader, PhotometryExperiment, dict)],
)
def test_classes_of_another_kind_are_refused(classes):
    with pytest.raises(TypeError, match="is not a subclass of Photometry"):
        PhotometryPipeline("recordings", "file", *classes)


@pytest.mark.slow
def test_what_was_put_among_the_recordings_is_none_of_them(pipeline):
    everything = PhotometryPipeline("recordings", "file", CSVLoader)
    kwargs = {"output_dir": "recordings", "log_file": "recordings/run.log"}
    for _ in range(2):
        assert list(run(everything, **kwargs).uns["experiments"]) == ["m1", "m2"]


@pytest.mark.slow
def test_what_hooks_print_is_in_the_log_and_so_are_mistakes(pipeline):
    def speak(experiment):
        print("trimmed", experiment.metadata["source"], end="")

    trials = run(pipeline, post_load_operation=speak, log_file="run.log")
    assert 'print(\\"trimmed\\"' in str(trials.uns["provenance"]["settings"]["load"])
    assert "INFO    trimmed recordings/m1.csv\n" in Path("run.log").read_text()
    with pytest.raises(TypeError):
        run(pipeline, preprocess_kwargs={"fit": 1}, log_file="run.log")
    assert "ERROR   KwargsError: Unexpected kwargs" in Path("run.log").read_text()


class Picky(CSVLoader):
    def __init__(self, path, transform=None, **options):
        super().__init__(path.with_suffix(".csv"), event_cols=options["events"]["labels"])
        self.transform, self.also = transform, options["also"]

    def extract_data(self):
        data = super().extract_data()
        return data | {"raw_signal": self.also["f"](self.transform(data["raw_signal"]))}


@pytest.mark.slow
def test_functions_reach_a_loader_wherever_its_arguments_hold_them(pipeline):
    picky = PhotometryPipeline("recordings", "file", Picky, pattern="*.csv")
    options = {"events": {"labels": {"trial_cue"}}, "also": {"f": np.abs}}
    options["transform"] = partial(np.multiply, 2)
    plain = run(pipeline, preprocess_kwargs={"correction_method": "dF"})
    doubled = run(picky, loader_kwargs=options, preprocess_kwargs={"correction_method": "dF"})
    assert pytest.approx(2 * plain.X, rel=1e-6, abs=1e-9) == doubled.X


@pytest.mark.slow
def test_functions_of_files_are_taken_by_name_too(pipeline, study):
    (study.folder / "hooks.py").write_text("def mark(e):\n    e.metadata['mark'] = 7\n")
    trials = run(pipeline, post_load_operation="hooks.py:mark", passdown_metadata=["mark"])
    assert (trials.obs["mark"] == 7).all()


RUN = """
from phopro_core import CSVLoader, PhotometryPipeline

pipeline = PhotometryPipeline("recordings", "file", CSVLoader, pattern="*.csv")
cutting = {"align_to": "trial_cue", "trial_bounds": (-1, 1)}
print(pipeline.run({"event_cols": ["trial_cue"]}, {}, cutting))
"""


@pytest.mark.slow
def test_a_second_run_of_the_same_pipeline_waits_for_the_first(pipeline, study):
    pipeline.working_folder.mkdir(parents=True)
    with pipeline._lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = started(study.folder, RUN)
        assert process.stdout.readline().startswith("Another run of this pipeline is under way")
        assert process.poll() is None
    told, _ = process.communicate(timeout=120)
    assert told.startswith("Photometry dataset with 6 trials, 40 timepoints")


LOADER = """
from threading import Event

from phopro_core import PhotometryLoader, PhotometryPipeline


class Endless(PhotometryLoader):
    def __init__(self, path):
        self.path = path

    def extract_data(self):
        open("begun", "w").close()
        Event().wait()


pipeline = PhotometryPipeline("recordings", "file", Endless)
pipeline.run({}, {}, {"align_to": 1.0, "trial_bounds": (0, 1)})
"""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing_running(pipeline, study, sent):
    process = started(study.folder, LOADER, stderr=subprocess.PIPE)
    # Its worker says so and waits; the terminal has what it says.
    while not (study.folder / "begun").exists():
        assert process.poll() is None
        os.sched_yield()
    process.send_signal(sent)
    _, error = process.communicate(timeout=120)
    if sent is signal.SIGINT:
        assert "KeyboardInterrupt" in error
    # Snakemake holds the lock for as long as it lives.
    (lock,) = pipeline.working_folder.parent.glob("*.lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
