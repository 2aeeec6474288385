"""The workflow on a Slurm of two nodes, by profiles/slurm and profiles/generic."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata as ad
import pytest
from slurm_cluster import cluster
from study_runs import ROOT, Run, Study

#: Options of each profile, that tests wait less, or find more.
PROFILES = {
    "slurm": ["--slurm-keep-successful-logs"],
    "generic": ["--seconds-between-status-checks", "1"],
}

WAITING_LOADER = """
import time
from pathlib import Path

from phopro_core import CSVLoader


class Waiting(CSVLoader):
    \"\"\"Says that it has begun, and waits for as long as there is a file `wait`.\"\"\"

    def extract_data(self):
        Path("begun").touch()
        while Path("wait").exists():
            time.sleep(0.1)
        return super().extract_data()
"""

KILLED_LOADER = """
import os
import signal
from pathlib import Path

from phopro_core import CSVLoader


class Killed(CSVLoader):
    \"\"\"Is killed when it loads m3: as often as there is a file `killed` of so many letters.\"\"\"

    def extract_data(self):
        letters = Path("killed").read_text()
        if self.path.stem == "m3" and letters:
            Path("killed").write_text(letters[1:])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().extract_data()
"""


def options(profile: str) -> list[str]:
    """Options of a run by one of the profiles."""
    folder = str(ROOT / "profiles" / profile)
    return ["--workflow-profile", folder, "--latency-wait", "5", *PROFILES[profile]]


def run_well(study: Study, *further: str, profile: str = "slurm") -> Run:
    return study.run_well(*options(profile), *further, cores=None)


def submissions(done: Run) -> list[str]:
    """Numbers of the jobs that a run submitted."""
    return re.findall(r"(?:submitted with SLURM|with external) jobid '?(\d+)", done.output)


def nodes(numbers: list[str]) -> set[str]:
    """Nodes that jobs ran on."""
    shown = [
        subprocess.run(["scontrol", "show", "job", n], capture_output=True, text=True).stdout
        for n in numbers
    ]
    return {found for text in shown for found in re.findall(r"^ +NodeList=(\w+)", text, re.M)}


def asked_for(number: str, what: str) -> str:
    """What a job was submitted with, as `scontrol` tells it."""
    shown = subprocess.run(["scontrol", "show", "job", number], capture_output=True, text=True)
    return re.search(rf"\b{what}=(\S+)", shown.stdout)[1]


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


@pytest.mark.parametrize("profile", PROFILES)
def test_the_result_has_the_bytes_of_a_local_run_and_both_nodes_worked(six, local, profile):
    done = run_well(six, "--group-components", "recordings=2", profile=profile)
    assert len(submissions(done)) == 3 + 1
    assert nodes(submissions(done)) == {"n1", "n2"}
    told = (six.results / "pipeline.log").read_text()
    assert set(re.findall(r"INFO +On (\w+)$", told, re.MULTILINE)) == {"n1", "n2"}
    merged, expected = (one.results / "trials.h5ad" for one in (six, local))
    assert merged.read_bytes() == expected.read_bytes()
    assert run_well(six, profile=profile).jobs == {}


def test_stages_of_a_submission_run_in_one_process(six):
    run_well(six)
    (group,) = [log for log in logs(six) if "group_recordings" in str(log)]
    text = group.read_text()
    assert text.count("Building DAG of jobs") == 1
    assert text.count("localrule ") == 6 * 3


def test_time_is_asked_for_by_the_recording_and_not_by_the_stage(six):
    group, merge = submissions(run_well(six))
    assert asked_for(group, "TimeLimit") == "00:06:00"
    assert asked_for(merge, "TimeLimit") == "01:00:00"
    six.config["trial_extraction_kwargs"]["trial_bounds"] = [-1, 1]
    group, _ = submissions(run_well(six))
    assert asked_for(group, "TimeLimit") == "00:06:00"


@pytest.fixture
def killed(six):
    """Six recordings, of which the loader is killed at m3, as often as is returned by this."""
    (six.folder / "loaders.py").write_text(KILLED_LOADER)
    six.config["loader_cls"] = "loaders.py:Killed"
    return lambda times: (six.folder / "killed").write_text(times * "x")


def test_what_is_killed_is_tried_again_with_more_memory(six, local, killed):
    killed(1)
    first, second, _ = submissions(run_well(six))
    memory = [int(asked_for(n, "MinMemoryNode").rstrip("M")) for n in (first, second)]
    assert memory[1] == pytest.approx(2 * memory[0], rel=0.01)
    assert trials(six) == trials(local)


def test_a_recording_that_is_killed_again_is_left_out(six, killed):
    killed(2)
    run_well(six)
    assert six.failures()["m3"][:2] == ("load", "WorkerDied")
    assert len(six.failures()) == 1
    assert len(ad.read_h5ad(six.results / "trials.h5ad").obs["source"].unique()) == 5


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


@contextmanager
def begun(study: Study, profile: str = "slurm") -> Iterator[tuple[str, subprocess.Popen]]:
    """A run whose first job has begun, and waits: the number of that, and the run.

    It waits no longer after this, and the run has ended.
    """
    (study.folder / "loaders.py").write_text(WAITING_LOADER)
    (study.folder / "wait").touch()
    study.config["loader_cls"] = "loaders.py:Waiting"
    command = study.command(*options(profile), cores=None)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            while not (study.folder / "begun").exists():
                assert process.poll() is None, process.stdout.read()
                os.sched_yield()
            (number,) = squeue("--format=%i", "--states=RUNNING")
            yield number, process
            (study.folder / "wait").unlink()
            process.communicate(timeout=200)
        finally:
            process.kill()


def trials(study: Study) -> list[list[float]]:
    return ad.read_h5ad(study.results / "trials.h5ad").X.tolist()


def squeue(*words: str) -> list[str]:
    shown = subprocess.run(["squeue", "--noheader", *words], capture_output=True, text=True)
    return shown.stdout.split()


def wait_for(condition) -> None:
    """Wait until a condition holds, a minute at most."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        os.sched_yield()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_submission_that_is_cancelled_is_made_again(six, local, profile):
    with begun(six, profile) as (number, process):
        subprocess.run(["scancel", number], check=True)
        wait_for(lambda: any(one != number for one in squeue("--format=%i", "--states=RUNNING")))
    assert process.returncode == 0
    assert trials(six) == trials(local)


def test_a_node_that_goes_down_is_survived(six, local):
    with begun(six) as (number, process):
        (node,) = squeue(f"--jobs={number}", "--format=%N")
        cluster("node-down", node)
        (other,) = {"n1", "n2"} - {node}
        wait_for(lambda: squeue("--states=RUNNING", "--format=%N") == [other])
    cluster("node-up", node)
    assert process.returncode == 0
    assert trials(six) == trials(local)


@pytest.mark.parametrize("profile", PROFILES)
def test_ctrl_c_cancels_what_was_submitted_and_the_next_run_goes_on(six, profile):
    with begun(six, profile) as (number, process):
        process.send_signal(signal.SIGINT)
        wait_for(lambda: number not in squeue("--format=%i", "--states=RUNNING"))
    assert process.returncode != 0
    assert not (six.results / "trials.h5ad").exists()
    run_well(six, profile=profile)


def test_the_benchmark_of_clusters_writes_its_sections(tmp_path):
    page = tmp_path / "cluster.md"
    command = [sys.executable, ROOT / "benchmarks" / "clusters.py", "--planned", "10", "20"]
    command += ["--recordings", "3", "--rounds", "1", "--write", page]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    text = page.read_text()
    for jobs in ("| 10 | 42 |", "| 20 | 82 |"):
        assert re.search(re.escape(jobs) + r"( [\d.]+ s, \d+ MB \|){3}", text)
    for settings in ("OLS", "IRLS, dashboards"):
        assert re.search(rf"\| {settings} \|( [\d.]+ s \|){{2}} [\d.]+ \| 2 \|", text)
