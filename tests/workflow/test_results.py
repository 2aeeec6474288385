"""What a run makes of a folder of recordings."""

import hashlib
import shutil
import subprocess

import anndata as ad
import numpy as np
import pytest

from phopro_core import CSVLoader
from phopro_core.simulation import Response, simulate_recording

ROW = ["trial_num", "trial_cue", "lever1", "lever2", "shock", "source"]


def digests(study, *patterns):
    files = (path for pattern in patterns for path in study.results.glob(pattern))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_recordings_become_one_dataset_in_natural_order(study):
    for name, seed in [("m10", 1), ("m2", 2), ("m1", 3)]:
        study.add(name, seed=seed)
    study.run_well()
    merged = ad.read_h5ad(study.results / "trials.h5ad")
    assert merged.shape == (9, 140)
    assert list(merged.obs) == ROW
    assert list(merged.obs["trial_num"]) == [1, 2, 3] * 3
    in_order = [f"recordings/{name}.csv" for name in ("m1", "m2", "m10")]
    assert list(merged.obs["source"].astype(str)) == np.repeat(in_order, 3).tolist()
    assert list(merged.uns["experiments"]) == ["m1", "m2", "m10"]
    np.testing.assert_allclose(merged.var["t"], np.arange(-40, 100) / 20, atol=1e-12)


def test_every_stage_leaves_its_file_and_its_log(study):
    study.config["save_dashboards"] = True
    study.add("m1")
    study.run_well()
    folders = {"recordings": "h5ad", "processed": "h5ad", "extracted": "h5ad", "dashboards": "svg"}
    expected = {f"{folder}/m1.{suffix}" for folder, suffix in folders.items()}
    assert study.files() == expected | {"trials.h5ad"}
    logs = {path.parent.name for path in study.results.glob("logs/*/m1.log")}
    assert logs == {"load", "preprocess", "extract", "dashboard"}


def test_the_workflow_gives_the_numbers_of_the_package(study):
    path = study.add("m1")
    study.config["preprocess_kwargs"] = {"fit_using": "IRLS", "signal_normalization": "zscore"}
    study.config["trial_extraction_kwargs"]["trial_normalization"] = "zscore"
    study.config["trial_extraction_kwargs"]["baseline_bounds"] = [-2, 0]
    study.run_well()

    experiment = CSVLoader(path, event_cols=list(ROW[1:5])).load()
    experiment.preprocess_signal(fit_using="IRLS", signal_normalization="zscore")
    experiment.extract_trial_data(
        "trial_cue", (-2, 5), baseline_bounds=(-2, 0), trial_normalization="zscore"
    )
    merged = ad.read_h5ad(study.results / "trials.h5ad")
    np.testing.assert_array_equal(merged.X, experiment.trial_data.X)
    for column in ROW[:5]:
        np.testing.assert_array_equal(merged.obs[column], experiment.trial_data.obs[column])


def test_the_mean_trial_is_the_response_that_was_simulated(study):
    responses = {"trial_cue": Response(0.08)}
    for seed in range(3):
        study.add(f"m{seed}", seed=seed, duration=300.0, responses=responses)
    study.config["preprocess_kwargs"] = {"fit_using": "IRLS"}
    study.run_well()
    merged = ad.read_h5ad(study.results / "trials.h5ad")
    truth = responses["trial_cue"].at(merged.var["t"].to_numpy())
    mean = merged.X.mean(axis=0)
    assert np.corrcoef(mean, truth)[0, 1] > 0.98
    assert mean.max() == pytest.approx(0.08, rel=0.1)


@pytest.mark.slow
def test_outputs_do_not_depend_on_the_number_of_cores(study):
    study.config["save_dashboards"] = True
    for seed in range(4):
        study.add(f"m{seed}", seed=seed)
    study.run_well(cores=1)
    patterns = ("*.h5ad", "recordings/*", "processed/*", "extracted/*", "dashboards/*")
    alone = digests(study, *patterns)
    shutil.rmtree(study.results)
    study.run_well(cores=2)
    assert digests(study, *patterns) == alone
    assert len(alone) == 1 + 2 * 4  # files of one experiment share a name, but for the pictures


def test_paths_may_hold_spaces_and_any_script(study):
    study.folder = study.folder / "étude no. 1 – 光"
    study.config["data_directory"] = "recordings"
    study.config["output_dir"] = "mes résultats"
    study.add("souris 1 (été)")
    study.run_well()
    merged = ad.read_h5ad(study.folder / "mes résultats" / "trials.h5ad")
    assert merged.obs["source"].iloc[0] == "recordings/souris 1 (été).csv"
    assert list(merged.uns["experiments"]) == ["souris_1__été_"]


def test_metadata_become_columns_and_missing_ones_stay_empty(study):
    study.add("m1").with_suffix(".json").write_text('{"subject": "a", "weight (g/day)": 21.5}')
    study.add("m2").with_suffix(".json").write_text('{"subject": null, "weight (g/day)": 20}')
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{path.stem}.json"
    study.config["passdown_metadata"] = ["weight (g/day)", "subject", "sex"]
    study.run_well()
    obs = ad.read_h5ad(study.results / "trials.h5ad").obs
    assert list(obs)[-3:] == ["weight (g/day)", "subject", "sex"]
    assert obs["weight (g/day)"].tolist() == [21.5] * 3 + [20.0] * 3
    assert obs["subject"].astype(object).where(obs["subject"].notna(), None).tolist() == [
        *["a"] * 3,
        *[None] * 3,
    ]
    assert obs["sex"].isna().all()
    assert "no ['sex']" in (study.results / "pipeline.log").read_text()


def test_a_list_of_loader_kwargs_makes_several_experiments_of_each_recording(study):
    study.add("m1")
    base = study.config["loader_kwargs"]
    study.config["loader_kwargs"] = [base, base | {"event_cols": ["trial_cue", "shock"]}]
    assert study.run_well().jobs["load"] == 2
    assert {"recordings/m1-1.h5ad", "recordings/m1-2.h5ad"} <= study.files()
    merged = ad.read_h5ad(study.results / "trials.h5ad")
    assert list(merged.obs) == ["trial_num", "trial_cue", "shock", "source"]
    assert merged.n_obs == 6
    assert (
        "Left out the column 'lever1', which 1 of 2 experiments lack: m1-2"
        in (study.results / "pipeline.log").read_text()
    )


def test_nested_recordings_are_found_recursively_and_named_after_their_folders(study):
    study.add("day 1/m1").with_name("annotation.json").write_text('{"subject": "a"}')
    study.add("day 2/m1").with_name("annotation.json").write_text('{"subject": "b"}')
    study.config["recursive"] = True
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/annotation.json"
    study.config["passdown_metadata"] = ["subject"]
    study.run_well()
    merged = ad.read_h5ad(study.results / "trials.h5ad")
    assert list(merged.uns["experiments"]) == ["day_1_m1", "day_2_m1"]
    assert merged.obs["subject"].tolist() == ["a"] * 3 + ["b"] * 3


FOLDER_LOADER = """
from pathlib import Path

from phopro_core import CSVLoader, PhotometryLoader


class FolderLoader(PhotometryLoader):
    def __init__(self, folder, name: str):
        self.folder, self.name = Path(folder), name

    def extract_data(self):
        return CSVLoader(self.folder / self.name, event_cols=["trial_cue"]).extract_data()
"""


@pytest.mark.slow
def test_folders_are_recordings_for_a_loader_of_ones_own(study):
    study.add("block 1/data")
    study.add("block 2/data", seed=2)
    (study.folder / "loaders.py").write_text(FOLDER_LOADER)
    study.config |= {
        "target_type": "folder",
        "loader_cls": "loaders.py:FolderLoader",
        "loader_kwargs": {"name": "data.csv"},
        "pattern": "block*",
    }
    study.run_well()
    assert list(ad.read_h5ad(study.results / "trials.h5ad").uns["experiments"]) == [
        "block_1",
        "block_2",
    ]
    # A file inside the folder is an input too, and so is the loader's own code.
    study.add("block 2/data", seed=3)
    assert study.run_well("-n").jobs["load"] == 1
    loaders = study.folder / "loaders.py"
    loaders.write_text("# By us.\n" + FOLDER_LOADER)
    assert study.run_well("-n").jobs["load"] == 1
    loaders.write_text(FOLDER_LOADER + "\n    gain = 2\n")
    assert study.run_well("-n").jobs["load"] == 2


def test_single_channel_recordings_are_corrected_by_their_own_bleaching(study):
    study.add("m1", single_channel=True, duration=120.0)
    study.config["preprocess_kwargs"] = {"correction_method": "dB/B"}
    study.run_well()
    processed = ad.read_h5ad(study.results / "processed" / "m1.h5ad")
    traces = ["raw_signal", "filtered_signal", "fitted_reference", "processed_signal"]
    assert list(processed.obs_names) == traces
    truth = simulate_recording(1, 120.0, single_channel=True, trial_interval=12.0)
    assert np.corrcoef(processed.obsm["trace"][3], truth.dff)[0, 1] > 0.9


def test_the_pipeline_log_tells_the_run_in_the_order_of_the_jobs(study):
    study.add("m2", seed=2)
    study.add("m1")
    study.run_well()
    lines = (study.results / "pipeline.log").read_text().splitlines()
    told = [line.split(" INFO    ")[1] for line in lines]
    assert told[:6] == [
        "Beginning pipeline",
        "Validating static inputs...",
        "Discovering inputs...",
        "Building jobs...",
        "Validating loader_kwargs per-job...",
        "Iterating over 2 jobs...",
    ]
    jobs = [line for line in told if line.startswith("Processing job")]
    assert jobs == [
        "Processing job recordings/m1.csv (1/2) as m1",
        "Processing job recordings/m2.csv (2/2) as m2",
    ]
    assert told[-3:] == [
        "Merging the trials of 2 experiments",
        "Merged into results/trials.h5ad: 6 trials, 140 timepoints, 6 observations",
        "Done: 0 errors, 2 successes, 2 jobs",
    ]


@pytest.mark.slow
def test_it_runs_without_the_default_profile_too(study):
    study.add("m1")
    run = study.run_well("--workflow-profile", "none")
    assert run.jobs == {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}


def test_the_default_profile_is_used_without_being_named(study):
    study.add("m1")
    assert "workflow specific profile" in study.run_well().output


@pytest.mark.slow
def test_paths_may_start_from_another_folder(study):
    study.add("m1")
    study.add("m2", seed=2)
    (study.folder / "hooks.py").write_text("def mark(e):\n    e.metadata['mark'] = 7\n")
    study.config |= {
        "post_load_operation": "hooks.py:mark",
        "passdown_metadata": ["source", "mark"],
        "leave_out": ["recordings/m2.csv"],
        "relative_to": "..",
        "output_dir": "out",
    }
    elsewhere = study.folder / "elsewhere"
    elsewhere.mkdir()
    command = study.command()
    command[command.index("--directory") + 1] = str(elsewhere)
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stderr
    obs = ad.read_h5ad(elsewhere / "out" / "trials.h5ad").obs
    assert list(obs["source"].unique()) == ["recordings/m1.csv"]
    assert (obs["mark"] == 7).all()
