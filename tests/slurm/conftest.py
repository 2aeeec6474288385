"""A Slurm of two nodes on this machine, where it can be installed."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from slurm_cluster import cluster
from study_runs import Study


@pytest.fixture(scope="session", autouse=True)
def slurm() -> Iterator[None]:
    """Slurm, running; tests are skipped where it can't be."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("Slurm is installed by root, from Debian's packages")
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("the plugin for Slurm is not installed (envs/cluster.lock)")
    for step in ("install", "start"):
        done = cluster(step)
        if done.returncode:
            pytest.skip(f"no Slurm here: {step} said {done.stderr.strip()[-500:]}")
    yield
    cluster("stop")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study without recordings."""
    return Study(tmp_path)
