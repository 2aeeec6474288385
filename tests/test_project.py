"""The project's own promises: pins that agree, a documented config, a light Snakefile."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "envs" / name).read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if not line.startswith("#"))


def conda_pins() -> dict[str, str]:
    environment = yaml.safe_load((ROOT / "envs" / "phopro.yaml").read_text())
    return dict(entry.split("=", 1) for entry in environment["dependencies"])


def requirements(key: str | None = None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    found = [Requirement(entry) for entry in (optional[key] if key else project["dependencies"])]
    own = [one for one in found if one.name == project["name"]]
    extras = [other for one in own for extra in one.extras for other in requirements(extra)]
    return [*(one for one in found if one not in own), *extras]


def test_the_lock_files_hold_versions_that_pyproject_allows():
    runtime = [*requirements(), *requirements("nwb"), *requirements("tdt")]
    wanted_of = {
        "phopro.lock": runtime,
        "cluster.lock": requirements("cluster"),
        "storage.lock": requirements("storage"),
        "dev.lock": requirements("dev"),
    }
    for lock, wanted in wanted_of.items():
        pinned = pins(lock)
        for requirement in wanted:
            assert pinned[requirement.name] in requirement.specifier, requirement


def test_development_adds_to_the_runtime_lock_and_changes_nothing_in_it():
    assert pins("phopro.lock").items() <= pins("dev.lock").items()


def test_the_conda_environment_pins_the_direct_dependencies_to_the_same_versions():
    conda, lock = conda_pins(), pins("phopro.lock")
    assert conda.pop("python>") == "3.11"
    assert set(conda) == {requirement.name for requirement in requirements()}
    assert conda.items() <= lock.items()


def schema() -> dict:
    path = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    return yaml.safe_load(path.read_text())


def documented(heading: str) -> dict[str, str]:
    """Names and defaults in the table that follows a text of config/README.md."""
    text = (ROOT / "config" / "README.md").read_text().split(heading, 1)[1]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0]
    rows = [row.split("|")[1:3] for row in table.splitlines()[2:]]
    return {
        name: default.strip().strip("`")
        for names, defaults in rows
        for name, default in zip(
            re.findall(r"`(\w+)`", names), re.split(r",(?![^\[]*\])", defaults), strict=True
        )
    }


def test_every_key_of_the_config_is_documented_with_its_default():
    headings = ("Recordings", "Loading", "Processing", "Hooks", "Variants", "Results")
    tables = [f"## {heading}" for heading in headings]
    found = {name: value for heading in tables for name, value in documented(heading).items()}
    expected = {
        key: yaml.safe_dump(about["default"], default_flow_style=True).split("\n")[0]
        if "default" in about
        else "required"
        for key, about in schema()["properties"].items()
    }
    assert found == expected


@pytest.mark.parametrize(
    ("heading", "cls", "method", "n_given"),
    [
        ("\n`CSVLoader`:", "CSVLoader", "__init__", 2),
        ("\n`TDTLoader`:", "TDTLoader", "__init__", 2),
        ("\n`NeurophotometricsLoader`:", "NeurophotometricsLoader", "__init__", 2),
        ("\n`DoricLoader`:", "DoricLoader", "__init__", 2),
        ("\n`PyPhotometryLoader`:", "PyPhotometryLoader", "__init__", 2),
        ("\n`NWBLoader`:", "NWBLoader", "__init__", 2),
        ("\n`preprocess_kwargs`:", "PhotometryExperiment", "preprocess_signal", 1),
        ("\n`trial_extraction_kwargs` (", "PhotometryExperiment", "extract_trial_data", 1),
        ("`DerivativeDetector` finds", "DerivativeDetector", "__init__", 1),
        ("`SplineCorrector` bridges", "SplineCorrector", "__init__", 1),
    ],
)
def test_every_argument_of_a_stage_is_documented_with_its_default(heading, cls, method, n_given):
    import inspect

    import phopro_core

    parameters = inspect.signature(getattr(getattr(phopro_core, cls), method)).parameters
    taken = dict(list(parameters.items())[n_given:])
    taken.pop("event_tolerences", None)  # another spelling
    found = documented(heading)
    if cls.endswith("Loader"):
        found |= documented("All loaders take")
    assert set(found) == set(taken)
    for name, parameter in taken.items():
        default = parameter.default
        if default is parameter.empty:
            assert found[name] == "required"
        elif default is None:
            assert found[name] in ("none", "{}")
        else:
            given = yaml.safe_load(found[name])
            assert (tuple(given) if isinstance(given, list) else given) == default


def test_the_documented_loader_of_one_s_own_reads(tmp_path):
    import numpy as np

    from phopro_core.loaders.finding import find_loader

    text = (ROOT / "config" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?class NpyLoader.*?)```", text, re.DOTALL)
    assert len([line for line in code.split("class")[1].splitlines() if line.strip()]) <= 13
    (tmp_path / "my_loaders.py").write_text(code)
    np.save(tmp_path / "m1.npy", np.arange(10.0).reshape(2, 5))
    loader = find_loader(f"{tmp_path}/my_loaders.py:NpyLoader")(tmp_path / "m1.npy", frequency=2.0)
    assert loader.load().raw_isosbestic.tolist() == [5, 6, 7, 8, 9]
    assert loader.load().time.tolist() == [0, 0.5, 1, 1.5, 2]


def test_planning_a_batch_imports_no_heavy_library():
    """What a Snakefile imports, every invocation of Snakemake waits for."""
    program = (
        "import sys, yaml; sys.path.insert(0, 'workflow');"
        "from phopro_core.batch.configuration import complete_config;"
        "from phopro_core.batch import jobs, journal, stages, workers;"
        "config = yaml.safe_load(open('config/config.yaml'));"
        "jobs.plan_batch(complete_config(config, 'workflow/schemas/config.schema.yaml'));"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    heavy = {"anndata", "h5py", "matplotlib", "pandas", "scipy", "snakemake", "zarr"}
    assert heavy.isdisjoint(done.stdout.split())


def test_the_example_recordings_are_what_their_script_writes(tmp_path):
    script = ROOT / "scripts" / "make_example_data.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    example = ROOT / "config" / "example"
    files = (path for path in example.rglob("*") if path.is_file() and path.suffix != ".ipynb")
    committed = {path.relative_to(example) for path in files}
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == committed
    texts = [path for path in committed if path.suffix != ".gz"]
    assert {p: (tmp_path / p).read_text() for p in texts} == {
        p: (example / p).read_text() for p in texts
    }


@pytest.mark.slow
@pytest.mark.parametrize(("config", "n_trials"), [("config.yaml", 84), ("single_channel.yaml", 28)])
def test_the_example_configs_run_out_of_the_box(tmp_path, config, n_trials):
    import anndata as ad

    (tmp_path / "config").symlink_to(ROOT / "config")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    options = ["--directory", str(tmp_path), "--configfile", f"config/{config}", "--cores", "2"]
    subprocess.run([*command, *options], cwd=tmp_path, check=True, capture_output=True)
    (merged,) = (tmp_path / "results").rglob("trials.h5ad")
    assert ad.read_h5ad(merged).n_obs == n_trials
