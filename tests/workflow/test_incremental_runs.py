"""What runs again, and what does not, after a change."""

from pathlib import Path

import pytest

from phopro_core.batch.stages import CODE

EVERYTHING = {"load": 2, "preprocess": 2, "extract": 2, "merge_trials": 1, "dashboard": 2}


@pytest.fixture
def finished(study):
    """A study of two recordings, processed."""
    study.config["save_dashboards"] = True
    study.add("m1")
    study.add("m2", seed=2)
    assert study.run_well().jobs == EVERYTHING
    return study


def test_nothing_runs_when_nothing_changed(finished):
    again = finished.run_well()
    assert again.jobs == {}
    assert "Nothing to be done" in again.output


def test_an_added_recording_runs_alone_with_the_merge(finished):
    finished.add("m10", seed=3)
    once = {"load": 1, "preprocess": 1, "extract": 1, "dashboard": 1, "merge_trials": 1}
    assert finished.run_well().jobs == once


def test_a_removed_recording_leaves_the_merge_to_do(finished):
    (finished.recordings / "m1.csv").unlink()
    assert finished.run_well().jobs == {"merge_trials": 1}


def test_an_edited_recording_runs_alone_with_the_merge(finished):
    finished.add("m2", seed=4)
    once = {"load": 1, "preprocess": 1, "extract": 1, "dashboard": 1, "merge_trials": 1}
    assert finished.run_well("-n").jobs == once


@pytest.mark.parametrize(
    ("key", "kwarg", "value", "expected"),
    [
        ("trial_extraction_kwargs", "trial_bounds", [-1, 2], {"extract": 2, "merge_trials": 1}),
        (
            "preprocess_kwargs",
            "cutoff_frequency",
            2,
            {"preprocess": 2, "extract": 2, "dashboard": 2, "merge_trials": 1},
        ),
        ("loader_kwargs", "downsample", 2, EVERYTHING),
        ("dashboard_kwargs", "downsample", 5, {"dashboard": 2}),
    ],
)
def test_a_changed_setting_runs_its_stage_and_those_after_it(finished, key, kwarg, value, expected):
    finished.config.setdefault(key, {})[kwarg] = value
    assert finished.run_well("-n").jobs == expected


def test_metadata_passed_down_concern_the_trials_alone(finished):
    finished.config["passdown_metadata"] = None
    assert finished.run_well("-n").jobs == {"extract": 2, "merge_trials": 1}


def test_a_default_spelled_out_is_no_change(finished):
    finished.config["trial_extraction_kwargs"]["window_alignment"] = "nearest"
    finished.config["preprocess_kwargs"]["order"] = 4
    assert finished.run_well().jobs == {}


def test_an_edited_annotation_loads_its_recording_again(study):
    for name in ("m1", "m2"):
        study.add(name).with_suffix(".json").write_text('{"subject": "a"}')
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{stem}.json"
    study.run_well()
    (study.recordings / "m1.json").write_text('{"subject": "b"}')
    once = {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}
    assert study.run_well().jobs == once


AFTER = {
    "load": {"load", "preprocess", "extract", "merge_trials", "dashboard"},
    "preprocess": {"preprocess", "extract", "merge_trials", "dashboard"},
    "extract": {"extract", "merge_trials"},
    "merge_trials": {"merge_trials"},
    "dashboard": {"dashboard"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "stage"),
    [
        ("workflow/phopro_core/windows.py", "extract"),
        ("scripts/extract.py", "extract"),
        ("workflow/phopro_core/references.py", "preprocess"),
        ("workflow/phopro_core/loaders/csv.py", "load"),
        ("workflow/phopro_core/merging.py", "merge_trials"),
        ("workflow/phopro_core/dashboard.py", "dashboard"),
    ],
)
def test_touched_code_runs_the_stages_that_it_stands_behind(study, workflow_copy, module, stage):
    study.workflow = workflow_copy
    study.config["save_dashboards"] = True
    study.add("m1")
    study.run_well()
    with Path(workflow_copy, module).open("a") as file:
        file.write("\nTOUCHED = True\n")
    assert set(study.run_well().jobs) == AFTER[stage]


def test_every_module_that_a_stage_imports_is_declared_as_its_code(study):
    """Run each script in a process of its own, and see what of the package it has imported."""
    study.config["save_dashboards"] = True
    study.add("m1")
    imported = _imports_of_each_stage(study)
    assert set(imported) == set(CODE)
    for stage, modules in imported.items():
        assert modules == _declared(stage), stage


def _declared(stage: str) -> set[str]:
    from phopro_core.batch.stages import PACKAGE

    files = {path for pattern in CODE[stage] for path in PACKAGE.glob(pattern)}
    return {path.relative_to(PACKAGE).as_posix() for path in files}


def _imports_of_each_stage(study) -> dict[str, set[str]]:
    import json
    import subprocess
    import sys

    from phopro_core.batch.configuration import complete_config
    from phopro_core.batch.jobs import plan_batch
    from phopro_core.batch.stages import PACKAGE, SCRIPTS

    schema = PACKAGE.parent / "schemas" / "config.schema.yaml"
    config = study.config | {"data_directory": str(study.recordings)}
    config["loader_kwargs"]["downsample"] = 2
    config["preprocess_kwargs"] = {
        "artifact_detector": "DerivativeDetector",
        "artifact_corrector": "SplineCorrector",
    }
    config["dashboard_kwargs"] = {"downsample": 2}
    (study.folder / "hooks.py").write_text("def build_id(experiment):\n    return 'm1'\n")
    config["id_builder"] = f"{study.folder}/hooks.py:build_id"
    batch = plan_batch(complete_config(config, schema))
    files = {name: str(study.folder / f"{name}.h5ad") for name in ("raw", "done", "cut", "all")}
    variant = batch.variants[""]
    calls = {
        "load": {**batch.load("m1"), "recording": files["raw"]},
        "preprocess": {
            "recording": files["raw"],
            "processed": files["done"],
            **variant.preprocess,
        },
        "extract": {"processed": files["done"], "trials": files["cut"], **variant.extract},
        "identify": {
            "trials": {"m1": files["cut"]},
            "table": str(study.folder / "ids.tsv"),
        },
        "merge_trials": {
            "trials": {"m1": files["cut"]},
            "merged": files["all"],
            "join": "inner",
            "settings": batch.settings(""),
            "settings_file": str(study.folder / "settings.json"),
        },
        "dashboard": {
            "processed": files["done"],
            "dashboard": str(study.folder / "m1.svg"),
            "title": "m1",
            **batch.dashboard,
        },
    }
    program = (
        "import json, runpy, sys; sys.path.insert(0, sys.argv[1]);"
        "runpy.run_path(sys.argv[2])['main'](**json.loads(sys.argv[3]));"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('phopro_core')))"
    )
    imported = {}
    for stage, kwargs in calls.items():
        script = str(SCRIPTS / f"{stage}.py")
        command = [sys.executable, "-c", program, str(PACKAGE.parent), script, json.dumps(kwargs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        paths = {Path(file).relative_to(PACKAGE) for file in done.stdout.split()}
        numeric = {path for path in paths if path.parts[0] not in ("batch", "__init__.py")}
        imported[stage] = {path.as_posix() for path in numeric}
    return imported
