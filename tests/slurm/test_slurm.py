"""The workflow on a Slurm of two nodes, by profiles/slurm."""

import re
import subprocess
from pathlib import Path

import anndata as ad
import pytest
from studies import ROOT, Run, Study

#: The profile, and what a test does not want to wait for.
OPTIONS = (
    "--workflow-profile",
    str(ROOT / "profiles" / "slurm"),
    "--seconds-between-status-checks",
    "1",
    "--slurm-init-seconds-before-status-checks",
    "1",
    "--slurm-keep-successful-logs",
)


def run(study: Study, *options: str) -> Run:
    return study.run(*OPTIONS, *options, cores=None)


def run_well(study: Study, *options: str) -> Run:
    done = run(study, *options)
    assert done.status == 0, done.output
    return done


def submissions(done: Run) -> list[str]:
    """Numbers of the jobs that a run submitted."""
    return re.findall(r"submitted with SLURM jobid (\d+)", done.output)


def nodes(numbers: list[str]) -> set[str]:
    """Nodes that jobs ran on."""
    shown = [
        subprocess.run(["scontrol", "show", "job", n], capture_output=True, text=True).stdout
        for n in numbers
    ]
    return {found for text in shown for found in re.findall(r"^ +NodeList=(\w+)", text, re.M)}


def logs(study: Study) -> list[Path]:
    return sorted((study.folder / ".snakemake" / "slurm_logs").rglob("*.log"))


@pytest.fixture
def six(study):
    for seed in range(6):
        study.add(f"m{seed}", seed=seed)
    return study


@pytest.fixture
def local(six, tmp_path_factory):
    """The same study, as a run on this machine makes it."""
    other = Study(tmp_path_factory.mktemp("local"))
    for seed in range(6):
        other.add(f"m{seed}", seed=seed)
    other.run_well()
    return other


def test_the_result_has_the_bytes_of_a_local_run_and_both_nodes_worked(six, local):
    done = run_well(six, "--group-components", "recordings=2")
    assert len(submissions(done)) == 3 + 1
    assert nodes(submissions(done)) == {"n1", "n2"}
    merged, expected = (one.results / "trials.h5ad" for one in (six, local))
    assert merged.read_bytes() == expected.read_bytes()
    assert run_well(six).jobs == {}


def test_stages_of_a_submission_run_in_one_process(six):
    run_well(six)
    (group,) = [log for log in logs(six) if "group_recordings" in str(log)]
    text = group.read_text()
    assert text.count("Building DAG of jobs") == 1
    assert text.count("localrule ") == 6 * 3


def test_a_recording_that_fails_is_left_out(six):
    (six.recordings / "bad.csv").write_text("time,signal\n")
    done = run_well(six)
    assert six.failures().keys() == {"bad"}
    assert len(submissions(done)) == 2
    assert len(ad.read_h5ad(six.results / "trials.h5ad").obs["source"].unique()) == 6


def test_one_recording_more_is_submitted_alone_with_the_merge(six):
    run_well(six)
    six.add("m7", seed=7)
    done = run_well(six)
    assert done.jobs == {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}
    assert len(submissions(done)) == 2
