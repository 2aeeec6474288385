"""Hooks of a config: when they are called, what becomes of what they do, what runs again."""

import json

import anndata as ad
import pytest

HOOKS = """
from pathlib import Path

FACTOR = 2


def resolve(path):
    events = ("trial_cue", "lever1", "lever2", "shock")
    return {"event_cols": events, "annotation_file": beside(path)}


def beside(path):
    return path.with_suffix(".json")


def build_id(experiment):
    return f"{experiment.metadata['subject']}_{Path(experiment.metadata['source']).stem}"


def after_loading(experiment):
    experiment.trim_times_by_values(lower=1.0)
    experiment.metadata["first"] = float(experiment.time[0])


def after_preprocessing(experiment):
    experiment.signal = FACTOR * experiment.signal
    experiment.metadata["mean"] = float(experiment.signal.mean())


def after_extraction(experiment):
    obs = experiment.trial_data.obs.copy()
    obs["label"] = ["early" if number < 3 else "late" for number in obs["trial_num"]]
    experiment.trial_data.obs = obs
"""
#: The stages that run when a function of the file is another one.
AGAIN = {
    "after_loading": {"load", "preprocess", "extract", "identify", "merge_trials"},
    "after_preprocessing": {"preprocess", "extract", "identify", "merge_trials"},
    "after_extraction": {"extract", "identify", "merge_trials"},
    "build_id": {"extract", "identify", "merge_trials"},
}


@pytest.fixture
def hooked(study):
    """Two recordings of two subjects, and a hook at every point."""
    (study.folder / "hooks.py").write_text(HOOKS)
    study.config |= {
        "loader_kwargs": "hooks.py:resolve",
        "id_builder": "hooks.py:build_id",
        "post_load_operation": "hooks.py:after_loading",
        "post_preprocess_operation": "hooks.py:after_preprocessing",
        "post_trial_extraction_operation": "hooks.py:after_extraction",
        "passdown_metadata": ["subject", "first", "mean"],
    }
    for seed, subject in enumerate(["ann", "bob"], 1):
        study.add(f"m{seed}", seed=seed).with_suffix(".json").write_text(
            json.dumps({"subject": subject})
        )
    return study


def edit(study, old, new):
    path = study.folder / "hooks.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def merged(study):
    return ad.read_h5ad(study.results / "trials.h5ad")


def test_what_they_do_is_in_the_result(hooked):
    hooked.run_well()
    with_hooks = merged(hooked)
    assert list(with_hooks.obs)[-6:] == [
        "shock",
        "label",
        "experiment_id",
        "subject",
        "first",
        "mean",
    ]
    assert list(with_hooks.obs["experiment_id"].unique()) == ["ann_m1", "bob_m2"]
    assert set(with_hooks.obs["label"]) == {"early", "late"}
    assert (with_hooks.obs["first"] == 1.0).all()
    log = (hooked.results / "pipeline.log").read_text()
    for text in ("Running custom post-preprocess operation...", "Experiment ID = bob_m2"):
        assert text in log

    edit(hooked, "FACTOR = 2", "FACTOR = 4")
    assert set(hooked.run_well().jobs) == AGAIN["after_preprocessing"]
    assert pytest.approx(2 * with_hooks.X) == merged(hooked).X


@pytest.mark.slow
@pytest.mark.parametrize("function", AGAIN)
def test_editing_one_runs_its_stage_and_those_after_it(hooked, function):
    hooked.run_well()
    edit(hooked, f"def {function}(experiment):\n", f"def {function}(experiment):\n    # Why.\n\n")
    assert hooked.run_well("-n").jobs == {}
    edit(hooked, "    # Why.\n", "    experiment.metadata['edited'] = 1\n")
    jobs = hooked.run_well("-n").jobs
    assert set(jobs) == AGAIN[function]
    assert jobs["extract"] == 2


@pytest.mark.slow
def test_editing_the_function_of_the_loader_kwargs_loads_what_it_changes(hooked):
    hooked.run_well()
    edit(hooked, "def beside(path):\n", "def beside(path):\n    path = path.parent / path.name\n")
    assert hooked.run_well("-n").jobs == {}
    (hooked.recordings / "other.json").write_text('{"subject": "eve"}')
    edit(
        hooked,
        'path.with_suffix(".json")',
        'path.with_name({"m2": "other"}.get(path.stem, path.stem) + ".json")',
    )
    assert hooked.run_well().jobs["load"] == 1
    assert list(merged(hooked).obs["experiment_id"].unique()) == ["ann_m1", "eve_m2"]


@pytest.mark.slow
def test_dashboards_are_named_after_the_ids(hooked):
    hooked.config["save_dashboards"] = True
    hooked.run_well()
    folder = hooked.results / "dashboards"
    assert {path.name for path in folder.glob("*.svg")} == {"ann_m1.svg", "bob_m2.svg"}
    (hooked.recordings / "m2.json").write_text('{"subject": "eve"}')
    jobs = hooked.run_well().jobs
    assert jobs["load"] == jobs["dashboard"] == jobs["name_dashboards"] == 1
    assert {path.name for path in folder.glob("*.svg")} == {"ann_m1.svg", "eve_m2.svg"}
    hooked.config["trial_extraction_kwargs"]["trial_bounds"] = [-3, 4]
    assert "dashboard" not in hooked.run_well().jobs
    assert hooked.run_well("-n").jobs == {}


@pytest.mark.slow
def test_jobs_of_one_input_may_share_an_id(hooked):
    hooked.config["save_dashboards"] = True
    edit(hooked, "    return {", "    yes = {")
    edit(
        hooked,
        "\n\ndef beside",
        "    return [yes, yes | {'signal_col': 'isosbestic'}]\n\n\ndef beside",
    )
    hooked.run_well()
    assert hooked.failures() == {}
    assert list(merged(hooked).uns["experiments"]) == ["m1-1", "m1-2", "m2-1", "m2-2"]
    assert list(merged(hooked).obs["experiment_id"].unique()) == ["ann_m1", "bob_m2"]
    names = {path.name for path in hooked.results.glob("dashboards/*.svg")}
    assert names == {
        f"{name}.svg" for name in ("ann_m1-m1-1", "ann_m1-m1-2", "bob_m2-m2-1", "bob_m2-m2-2")
    }


@pytest.mark.slow
def test_an_id_that_is_taken_fails_the_later_one_until_it_has_another(hooked):
    edit(hooked, "{experiment.metadata['subject']}_", "mouse")
    edit(hooked, "{Path(experiment.metadata['source']).stem}", "")
    hooked.run_well().assert_said("its id is that of m1 (recordings/m1.csv) already")
    assert hooked.failures().keys() == {"m2"}
    assert list(merged(hooked).uns["experiments"]) == ["m1"]
    chain = {"extract": 1, "identify": 1, "merge_trials": 1}
    assert hooked.run_well("-n").jobs == hooked.run_well().jobs == chain
    edit(hooked, 'return f"mouse"', 'return experiment.metadata["subject"]')
    hooked.run_well()
    assert hooked.failures() == {}
    assert list(merged(hooked).obs["experiment_id"].unique()) == ["ann", "bob"]


EXPERIMENTS = """
from phopro_core import PhotometryExperiment


class Inverted(PhotometryExperiment):
    def extract_trial_data(self, align_to, trial_bounds, sign=-1):
        super().extract_trial_data(align_to, trial_bounds)
        self.trial_data.X = sign * self.trial_data.X
"""


@pytest.mark.slow
def test_experiments_may_be_of_a_class_of_ones_own(study):
    (study.folder / "own.py").write_text(EXPERIMENTS)
    study.add("m1")
    study.run_well()
    upright = merged(study).X
    study.config["experiment_cls"] = "own.py:Inverted"
    study.run_well()
    assert (-upright == merged(study).X).all()
    edited = EXPERIMENTS.replace("sign * self", "2 * sign * self")
    (study.folder / "own.py").write_text(edited)
    study.run_well()
    assert (-2 * upright == merged(study).X).all()
    study.config["trial_extraction_kwargs"]["all_events"] = True
    study.run().assert_failed_saying("Unexpected kwargs for Inverted.extract_trial_data()")
