"""Variants of the settings: results of each, and stages that they share."""

import json

import anndata as ad
import numpy as np
import pytest

OLS = {"preprocess_kwargs": {"fit_using": "OLS"}}
IRLS = {"preprocess_kwargs": {"fit_using": "IRLS"}}


def bounds(low, high):
    return {"trial_extraction_kwargs": {"trial_bounds": [low, high]}}


def merged(study, variant=""):
    return ad.read_h5ad(study.results / variant / "trials.h5ad")


@pytest.fixture
def two(study):
    for seed in (1, 2):
        study.add(f"m{seed}", seed=seed)
    return study


@pytest.mark.slow
def test_twelve_windows_load_and_preprocess_nothing_twice(two):
    two.config["variants"] = {f"until_{k}": bounds(-2, k) for k in range(1, 13)}
    two.config["save_dashboards"] = True
    jobs = two.run_well().jobs
    # The window until 5 is that of the config itself.
    shared = {"load": 2, "preprocess": 2, "dashboard": 2}
    assert jobs == shared | {"extract": 2 * 12, "merge_trials": 13}
    assert [merged(two, f"until_{k}").n_vars for k in (1, 12)] == [60, 280]
    assert np.array_equal(merged(two, "until_5").X, merged(two).X)
    assert two.run_well("-n").jobs == {}
    two.config["variants"]["until_13"] = bounds(-2, 13)
    assert two.run_well().jobs == {"extract": 2, "merge_trials": 1}
    two.config["variants"]["until_3"] = bounds(-3, 3)
    assert two.run_well().jobs == {"extract": 2, "merge_trials": 1}


def test_a_variant_is_what_the_config_with_its_settings_would_give(two, tmp_path_factory):
    two.config["variants"] = [
        {"irls": IRLS, "ols": OLS},
        {"short": bounds(-1, 2), "long": bounds(-2, 8)},
    ]
    jobs = two.run_well().jobs
    assert jobs == {"load": 2, "preprocess": 4, "extract": 10, "merge_trials": 5}
    alone = type(two)(tmp_path_factory.mktemp("alone"))
    for seed in (1, 2):
        alone.add(f"m{seed}", seed=seed)
    alone.config["preprocess_kwargs"] |= IRLS["preprocess_kwargs"]
    alone.config["trial_extraction_kwargs"] |= bounds(-2, 8)["trial_extraction_kwargs"]
    alone.run_well()
    crossed = two.results / "irls-long"
    assert (crossed / "trials.h5ad").read_bytes() == (alone.results / "trials.h5ad").read_bytes()
    settings = json.loads((crossed / "settings.json").read_text())
    assert settings["variant"] == "irls-long"
    assert settings["preprocess_kwargs"]["fit_using"] == "IRLS"
    assert settings["trial_extraction_kwargs"]["trial_bounds"] == [-2, 8]
    assert settings["trial_extraction_kwargs"]["align_to"] == "trial_cue"
    both = json.loads((two.results / "ols-short" / "settings.json").read_text())
    assert both["preprocess_kwargs"]["fit_using"] == "OLS"


def test_a_failure_is_of_its_variant_alone(two):
    two.config["variants"] = {"wide": bounds(-2, 25), "short": bounds(-1, 1)}
    two.edit("m1", lambda table: table[: len(table) // 2])
    two.run_well().assert_said("extract of m1 (recordings/m1.csv) in variant wide:")
    table = (two.results / "failures.tsv").read_text().splitlines()
    assert table[0].split("\t") == ["experiment", "stage", "input", "error", "message", "variant"]
    assert [(row.split("\t")[0], row.split("\t")[-1]) for row in table[1:]] == [("m1", "wide")]
    assert list(merged(two, "wide").uns["experiments"]) == ["m2"]
    assert list(merged(two, "short").uns["experiments"]) == ["m1", "m2"]
    assert two.run_well("-n").jobs == {"extract": 1, "merge_trials": 1}
    log = (two.results / "pipeline.log").read_text()
    assert "Variant wide of m1\n" in log
    assert log.endswith("Done: 1 errors, 1 successes, 2 jobs\n")


HOOK = "def build_id(experiment):\n    return 'the one'\n"


@pytest.mark.slow
def test_an_id_taken_twice_is_told_once_for_variants_with_the_same_trials(two):
    (two.folder / "hooks.py").write_text(HOOK)
    two.config |= {
        "id_builder": "hooks.py:build_id",
        "variants": {"a": {}, "b": {}, "short": bounds(-1, 1)},
        "save_dashboards": True,
    }
    jobs = two.run_well().jobs
    assert jobs["identify"] == 2
    assert jobs["name_dashboards"] == 1
    assert [list(merged(two, v).uns["experiments"]) for v in ("", "a", "b", "short")] == 4 * [
        ["m1"]
    ]
    table = (two.results / "failures.tsv").read_text().splitlines()[1:]
    assert [(row.split("\t")[0], row.split("\t")[-1]) for row in table] == [
        ("m2", ""),
        ("m2", "short"),
    ]
    log = (two.results / "pipeline.log").read_text()
    assert log.count("ERROR   ValueError: its id is that of m1") == 2


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({"processed": {}}, "config key 'variants': 'processed' can't name a variant"),
        ({"a/b": {}}, "config key 'variants': 'a/b' can't name a variant"),
        ({"ols": {"preprocess": {}}}, "'preprocess'"),
        (
            {"wide": {"trial_extraction_kwargs": {"bounds": 3}}},
            "config key 'variants.wide.trial_extraction_kwargs': Unexpected kwargs",
        ),
    ],
)
def test_what_can_not_be_is_told_before_anything_runs(two, variants, message):
    two.config["variants"] = variants
    two.run().assert_failed_saying(message)
    assert not two.results.exists()
