"""Studies in temporary folders, processed by real Snakemake runs."""

import shutil
from pathlib import Path

import pytest
from study_runs import ROOT, Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study without recordings."""
    return Study(tmp_path)


@pytest.fixture
def workflow_copy(tmp_path: Path) -> Path:
    """A copy of the workflow, whose code a test may change."""
    copy = tmp_path / "workflow copy"
    for name in ("workflow", "scripts", "profiles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", copy)
    return copy
