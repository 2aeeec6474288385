"""The merged dataset: its columns where experiments differ, and what it was made of."""

import hashlib
import json
import shutil
import subprocess
import sys

import anndata as ad
import numpy as np
import pytest
from study_runs import ROOT, Study

from phopro_core import __version__


@pytest.fixture
def differing(study):
    """Two recordings, of which one has an event that the other lacks."""
    base = study.config["loader_kwargs"]
    study.config["loader_kwargs"] = [base, base | {"event_cols": ["trial_cue", "shock"]}]
    study.add("m1")
    return study


def test_columns_that_not_all_have_are_left_out_and_named_in_the_end(differing):
    run = differing.run_well()
    merged = ad.read_h5ad(differing.results / "trials.h5ad")
    assert list(merged.obs) == ["trial_num", "trial_cue", "shock", "source"]
    for column in ("lever1", "lever2"):
        run.assert_said(f"Left out the column {column!r}, which 1 of 2 experiments lack: m1-2")


def test_columns_that_not_all_have_can_be_kept(differing):
    differing.config["obs_join"] = "outer"
    run = differing.run_well()
    obs = ad.read_h5ad(differing.results / "trials.h5ad").obs
    assert list(obs) == ["trial_num", "trial_cue", "lever1", "lever2", "shock", "source"]
    assert obs["lever1"][:3].notna().any()
    assert obs["lever1"][3:].isna().all()
    assert "Left out" not in run.output


def test_another_join_runs_the_merge_alone(differing):
    differing.run_well()
    differing.config["obs_join"] = "outer"
    assert differing.run_well().jobs == {"merge_trials": 1}


def test_every_file_tells_what_it_was_made_of(study):
    paths = [study.add("m1"), study.add("m2", seed=2)]
    study.run_well()
    for name, stages in {
        "recordings/m2": ["load"],
        "processed/m2": ["load", "preprocess"],
        "extracted/m2": ["extract", "load", "preprocess"],
    }.items():
        provenance = ad.read_h5ad(study.results / f"{name}.h5ad").uns["provenance"]
        assert provenance["phopro_version"] == __version__
        assert provenance["input"]["path"] == "recordings/m2.csv"
        assert provenance["input"]["size"] == paths[1].stat().st_size
        content = paths[1].read_bytes()
        assert provenance["input"]["sha256"] == hashlib.sha256(content).hexdigest()
        assert sorted(provenance["settings"]) == stages

    provenance = ad.read_h5ad(study.results / "trials.h5ad").uns["provenance"]
    assert list(provenance["experiments"]) == ["m1", "m2"]
    assert list(provenance["input"]["path"]) == ["recordings/m1.csv", "recordings/m2.csv"]
    assert list(provenance["input"]["size"]) == [path.stat().st_size for path in paths]
    settings = {stage: json.loads(text) for stage, text in provenance["settings"].items()}
    assert settings["preprocess"]["preprocess_kwargs"]["fit_using"] == "OLS"
    assert settings["preprocess"]["preprocess_kwargs"]["cutoff_frequency"] == 3.0  # a default
    assert settings["extract"]["trial_extraction_kwargs"]["trial_bounds"] == [-2, 5]
    assert settings["extract"]["passdown_metadata"] == ["source"]
    assert settings["load"]["loader_cls"] == "CSVLoader"
    assert settings["merge_trials"] == {"obs_join": "inner"}


@pytest.mark.slow
def test_settings_that_differ_among_experiments_are_listed(differing):
    differing.run_well()
    settings = ad.read_h5ad(differing.results / "trials.h5ad").uns["provenance"]["settings"]
    first, second = (json.loads(text)["loader_kwargs"]["event_cols"] for text in settings["load"])
    assert first == ["trial_cue", "lever1", "lever2", "shock"]
    assert second == ["trial_cue", "shock"]
    assert json.loads(settings["preprocess"])["preprocess_kwargs"]["fit_using"] == "OLS"


def merge_datasets(*words):
    command = [sys.executable, ROOT / "scripts" / "merge_datasets.py", *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_datasets_of_several_studies_are_joined_by_a_script(study, tmp_path):
    study.add("m1")
    other = Study(tmp_path / "another cohort")
    other.add("m1", seed=2)
    datasets = [one.results / "trials.h5ad" for one in (study, other)]
    for one in (study, other):
        one.run_well()
    done = merge_datasets(*datasets, "--output", tmp_path / "all.h5ad")
    assert done.returncode == 0, done.stderr
    assert "1 experiments have the name of another one" in done.stderr
    parts, joined = [ad.read_h5ad(path) for path in datasets], ad.read_h5ad(tmp_path / "all.h5ad")
    assert f"{joined.n_obs} trials, {joined.n_vars} timepoints" in done.stdout
    assert np.array_equal(joined.X, np.concatenate([part.X for part in parts]))
    digests = [part.uns["provenance"]["input"]["sha256"][0] for part in parts]
    assert joined.uns["provenance"]["input"]["sha256"].tolist() == digests


def test_the_script_joins_no_dataset_into_itself_and_names_one_that_is_none(study, tmp_path):
    study.add("m1")
    study.run_well()
    dataset = study.results / "trials.h5ad"
    content = dataset.read_bytes()
    done = merge_datasets(dataset, "--output", dataset)
    assert done.returncode == 2
    assert "is one of the datasets" in done.stderr
    assert dataset.read_bytes() == content
    done = merge_datasets(dataset, dataset, "--output", tmp_path / "all.h5ad")
    assert (done.returncode, "given twice" in done.stderr) == (2, True)
    done = merge_datasets(dataset, tmp_path / "none.h5ad", "--output", tmp_path / "all.h5ad")
    assert done.returncode == 1
    assert "none.h5ad' can't be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "all.h5ad").exists()


def test_a_study_can_be_processed_in_batches_with_failures_in_any(study, tmp_path):
    for seed in range(4):
        study.add(f"m{seed}", seed=seed)
    whole = Study(tmp_path / "whole")
    shutil.copytree(study.recordings, whole.recordings)
    for one in (study, whole):
        (one.recordings / "m0.csv").write_text("time,signal\n")
    whole.run_well()
    merged = "results/trials.h5ad"
    first = study.run_well(merged, "--batch", "merge_trials=1/2")
    assert first.jobs == {"load": 2, "preprocess": 2, "extract": 2}
    first.assert_said("A part is done: 1 errors so far; 1 of 4 jobs", "a run without --batch")
    # A last part that is stopped leaves what the first one has found as it is.
    for name in ("m2", "m3"):
        (study.recordings / f"{name}.csv").write_text("time,signal\n")
    study.config["on_error"] = "stop"
    assert study.run(merged, "--batch", "merge_trials=2/2").status == 1
    for seed in (2, 3):
        study.add(f"m{seed}", seed=seed)
    del study.config["on_error"]
    last = study.run_well(merged, "--batch", "merge_trials=2/2")
    assert last.jobs == {"load": 2, "preprocess": 2, "extract": 2, "merge_trials": 1}
    assert (study.folder / merged).read_bytes() == (whole.folder / merged).read_bytes()
    assert study.failures().keys() == {"m0"}
    study.add("m0")
    assert study.run_well().jobs == {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}
    assert study.failures() == {}
