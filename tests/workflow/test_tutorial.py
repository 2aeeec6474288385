"""What users of the published batch tutorial do and see, section by section.

Run on its recordings where they are at hand, and on the bundled example always.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phopro_core import CSVLoader, PhotometryData, PhotometryPipeline

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT.parent / "shared" / "recordings" / "tutorial_case2"
EXAMPLE = ROOT / "config" / "example" / "recordings"

FLAT, NESTED = Path("data/flat"), Path("data/nested")
EVENTS = ["trial_cue", "lever1", "lever2", "shock"]
COLUMNS = {
    "time_col": "time",
    "signal_col": "raw_signal",
    "isosbestic_col": "raw_isosbestic",
    "event_cols": EVENTS,
}
PREPROCESSING = {
    "cutoff_frequency": 3,
    "order": 4,
    "correction_method": "dF/F",
    "fit_using": "OLS",
}
EXTRACTION = {
    "align_to": "trial_cue",
    "center_on": ["lever1", "lever2"],
    "trial_bounds": (-8, 8),
    "event_tolerences": {"lever1": (2, 4), "lever2": (2, 4), "shock": None},
    "trial_normalization": "none",
    "check_overlap": True,
    "all_events": True,
    "window_alignment": "nearest",
}
WITHOUT_SHOCK = EXTRACTION | {"event_tolerences": {"lever1": (2, 4), "lever2": (2, 4)}}


@dataclass
class Recordings:
    """A set of recordings, and how many trials of each the tutorial's settings cut."""

    folder: Path
    n_inputs: int
    n_trials: int
    subject: str
    processed_mean: float | None = None


SETS = {
    "tutorial": Recordings(TUTORIAL, 3, 20, "animal_1", processed_mean=0.000039),
    "example": Recordings(EXAMPLE, 6, 14, "mouse_1"),
}


@pytest.fixture(scope="module", params=SETS)
def recordings(request, tmp_path_factory):
    """The set, in the two layouts of the tutorial below the current folder."""
    chosen = SETS[request.param]
    if not chosen.folder.is_dir():
        pytest.skip(f"the tutorial's recordings are not at {chosen.folder}")
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PHOPRO_CACHE", str(folder / "cache"))
        FLAT.mkdir(parents=True)
        for csv in sorted(chosen.folder.glob("experiment_*.csv")):
            (NESTED / csv.stem).mkdir(parents=True)
            for copy in (FLAT / csv.name, NESTED / csv.stem / csv.name):
                shutil.copy(csv, copy)
            annotation = csv.with_suffix(".json")
            for copy in (FLAT / annotation.name, NESTED / csv.stem / "annotation.json"):
                shutil.copy(annotation, copy)
        yield chosen


@pytest.fixture(scope="module")
def flat(recordings):
    return PhotometryPipeline(
        data_directory=FLAT,
        target_type="file",
        loader_cls=CSVLoader,
        recursive=False,
        pattern="experiment_*.csv",
    )


@pytest.fixture(scope="module")
def nested(recordings):
    return PhotometryPipeline(
        data_directory=NESTED,
        target_type="file",
        loader_cls=CSVLoader,
        recursive=True,
        pattern="experiment_*.csv",
    )


@pytest.fixture(scope="module")
def single(recordings):
    return PhotometryPipeline(
        data_directory=FLAT, target_type="file", loader_cls=CSVLoader, pattern="experiment_1.csv"
    )


def with_annotation(csv: Path) -> dict:
    return COLUMNS | {"annotation_file": csv.with_suffix(".json"), "annotation_handler": "json"}


def with_annotation_beside(csv: Path) -> dict:
    return COLUMNS | {"annotation_file": csv.parent / "annotation.json"}


def run(pipeline, loader_kwargs, extraction=EXTRACTION, **kwargs):
    return pipeline.run(
        loader_kwargs=loader_kwargs,
        preprocess_kwargs=PREPROCESSING,
        trial_extraction_kwargs=extraction,
        **kwargs,
    )


def described(n_trials, n_times, n_columns):
    return (
        f"Photometry dataset with {n_trials} trials, {n_times} timepoints, "
        f"and {n_columns} observations."
    )


def test_inputs_are_discovered_in_both_layouts(recordings, flat, nested):
    names = [f"experiment_{k}" for k in range(1, recordings.n_inputs + 1)]
    assert flat.discover_inputs() == [FLAT / f"{name}.csv" for name in names]
    assert nested.discover_inputs() == [NESTED / name / f"{name}.csv" for name in names]


def test_the_same_loader_kwargs_for_every_recording(recordings, flat):
    trials = run(
        flat, COLUMNS, output_dir=None, log_file="static.log", passdown_metadata=["source"]
    )
    total = recordings.n_inputs * recordings.n_trials
    assert str(trials) == described(total, 320, 6)
    assert list(trials.obs) == ["trial_num", *EVENTS, "source"]
    assert trials.obs["source"].iloc[0] == "data/flat/experiment_1.csv"
    assert list(trials.obs["trial_num"][:3]) == [1, 2, 3]
    assert not Path("results").exists()
    if recordings.processed_mean:
        assert list(trials.obs["trial_cue"][:5]) == pytest.approx([-3.5, -2.7, 0, -3.95, -3.8])
        assert trials.obs["shock"].iloc[1] == pytest.approx(1.25)


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_loader_kwargs_that_depend_on_the_path(recordings, flat, nested, layout):
    pipeline, kwargs = {
        "flat": (flat, with_annotation),
        "nested": (nested, with_annotation_beside),
    }[layout]
    trials = run(pipeline, kwargs, passdown_metadata=["source", "subject", "sex", "age"])
    total = recordings.n_inputs * recordings.n_trials
    assert str(trials) == described(total, 320, 9)
    assert list(trials.obs)[5:] == ["source", "subject", "sex", "age"]
    assert trials.obs["subject"].iloc[0] == recordings.subject


def test_a_list_of_loader_kwargs_makes_a_job_of_each(single):
    annotation = {"annotation_file": FLAT / "experiment_1.json"}
    jobs = single._build_jobs(
        inputs=single.discover_inputs(),
        loader_kwargs=[COLUMNS | annotation | {"event_cols": EVENTS[:3]}, COLUMNS | annotation],
        preprocess_kwargs=PREPROCESSING,
        trial_extraction_kwargs=WITHOUT_SHOCK,
    )
    assert len(jobs) == 2
    assert [job.experiment for job in jobs] == ["experiment_1-1", "experiment_1-2"]


def test_a_function_may_return_a_list_and_columns_in_common_are_kept(recordings, single):
    def fan_out(csv):
        base = with_annotation(csv)
        return [base | {"event_cols": EVENTS[:3]}, base]

    with pytest.warns(UserWarning, match="'shock'"):
        trials = run(single, fan_out, WITHOUT_SHOCK, passdown_metadata=["source", "subject"])
    assert str(trials) == described(2 * recordings.n_trials, 320, 6)
    assert list(trials.obs) == ["trial_num", *EVENTS[:3], "source", "subject"]


@pytest.mark.parametrize("kind", ["the same for all", "by the path"])
def test_a_misspelled_argument_is_a_type_error(flat, kind):
    wrong = COLUMNS | {"not_a_loader_argument": True}
    kwargs = {"the same for all": wrong, "by the path": lambda csv: wrong}[kind]
    with pytest.raises(TypeError) as raised:
        run(flat, kwargs)
    message = "Unexpected kwargs for CSVLoader.__init__(): ['not_a_loader_argument']"
    assert str(raised.value) == message


def test_no_metadata_need_be_passed_down(recordings, single):
    trials = run(single, with_annotation, passdown_metadata=None)
    assert list(trials.obs) == ["trial_num", *EVENTS]
    assert trials.n_trials == recordings.n_trials


def build_id(experiment):
    source = Path(experiment.metadata["source"])
    return f"{experiment.metadata.get('subject', 'unknown')}_{source.stem}"


def test_hooks_change_experiments_on_their_way(recordings, nested):
    def trim_first_second(experiment):
        experiment.trim_times_by_values(lower=1.0)

    def note_mean(experiment):
        experiment.metadata["processed_signal_mean"] = float(np.nanmean(experiment.signal))

    def label_trials(experiment):
        obs = experiment.trial_data.obs.copy()
        large, small = obs["lever1"].notna(), obs["lever2"].notna()
        safe = np.where(obs["shock"].notna(), "large_reward_shock", "large_reward_safe")
        obs["trial_label"] = np.where(large, safe, np.where(small, "small_reward", "no_response"))
        experiment.trial_data.obs = obs

    trials = run(
        nested,
        with_annotation_beside,
        passdown_metadata=["source", "subject", "processed_signal_mean"],
        id_builder=build_id,
        post_load_operation=trim_first_second,
        post_preprocess_operation=note_mean,
        post_trial_extraction_operation=label_trials,
    )
    assert list(trials.obs)[-5:-1] == ["trial_label", "experiment_id", "source", "subject"]
    first = trials.obs[trials.obs["experiment_id"] == f"{recordings.subject}_experiment_1"]
    assert len(first) == recordings.n_trials
    assert first["processed_signal_mean"].nunique() == 1
    if recordings.processed_mean:
        assert round(first["processed_signal_mean"].iloc[0], 6) == recordings.processed_mean
        assert list(first["trial_label"][:5]) == [
            "large_reward_safe",
            "large_reward_shock",
            "no_response",
            "large_reward_safe",
            "large_reward_safe",
        ]


def test_outputs_are_written_and_read_back(recordings, single):
    folder, log = Path("output/written"), Path("output/written.log")
    trials = run(
        single,
        with_annotation,
        output_dir=folder,
        log_file=log,
        trial_output_file="combined_trials.h5ad",
        passdown_metadata=["source", "subject", "sex", "age"],
    )
    assert str(trials) == described(recordings.n_trials, 320, 9)
    assert log.exists()
    loaded = PhotometryData.read_h5ad(folder / "combined_trials.h5ad")
    assert str(loaded) == str(trials)
    assert np.array_equal(loaded.X, trials.X)


def test_dashboards_are_named_after_the_ids(recordings, single):
    folder = Path("output/drawn")
    run(
        single,
        with_annotation,
        output_dir=str(folder),
        save_dashboards=True,
        dashboard_kwargs={"raw": False, "downsample": 30},
        id_builder=build_id,
    )
    drawn = sorted((folder / "dashboards").glob("*.svg"))
    assert drawn == [folder / "dashboards" / f"{recordings.subject}_experiment_1.svg"]
    assert "filtered signal" in drawn[0].read_text()


def test_low_memory_mode_leaves_the_trials_in_a_fresh_file(recordings, flat):
    folder = Path("output") / f"low_memory_{pd.Timestamp.now():%Y%m%d}"
    kwargs = {"output_dir": folder, "low_memory_mode": True}
    kwargs["passdown_metadata"] = ["source", "subject", "sex", "age"]
    trials = run(flat, with_annotation, **kwargs)
    total = recordings.n_inputs * recordings.n_trials
    assert str(trials) == described(total, 320, 9)
    assert trials.adata.isbacked
    assert Path(trials.adata.filename) == folder / "trials.h5ad"
    with pytest.raises(ValueError, match=r"fresh output file, and .*trials\.h5ad is there already"):
        run(flat, with_annotation, **kwargs)


def test_the_log_tells_the_story(recordings, flat):
    run(flat, with_annotation, log_file="story.log")
    log = Path("story.log").read_text()
    n = recordings.n_inputs
    story = [
        "Beginning pipeline",
        "Validating static inputs...",
        "Discovering inputs...",
        "Building jobs...",
        "Validating loader_kwargs per-job...",
        f"Iterating over {n} jobs...",
        f"Processing job data/flat/experiment_1.csv (1/{n})",
        "Loading experiment...",
        "Preprocessing signal...",
        "Extracting trial data...",
        "Passing down experiment metadata as columns...",
        f"Processing job data/flat/experiment_2.csv (2/{n})",
        f"Done: 0 errors, {n} successes, {n} jobs",
    ]
    places = [log.index(text) for text in story]
    assert places == sorted(places)


def test_other_bounds_are_a_matter_of_the_settings(recordings, flat):
    trials = run(
        flat,
        with_annotation,
        EXTRACTION | {"trial_bounds": (-4, 4)},
        passdown_metadata=["source", "subject"],
    )
    assert str(trials) == described(recordings.n_inputs * recordings.n_trials, 160, 7)
