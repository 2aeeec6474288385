"""Runs killed at any moment: what is left is whole, and the next run ends in the same bytes."""

import os
import random
import signal
import subprocess
from pathlib import Path

import anndata as ad
import pytest

pytestmark = pytest.mark.slow

#: Of each kind; `KILLS=20 make test-slow` for a thorough search.
N_MOMENTS = int(os.environ.get("KILLS", "5"))
#: Lines that a run of this study says at least.
N_LINES = 60


def prepare(study) -> None:
    study.config["save_dashboards"] = True
    for seed in range(3):
        study.add(f"m{seed}", seed=seed, duration=40.0)


def results(study) -> dict[str, bytes]:
    return {name: (study.results / name).read_bytes() for name in study.files()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    from study_runs import Study

    study = Study(tmp_path_factory.mktemp("undisturbed"))
    prepare(study)
    study.run_well()
    return results(study)


def workers_of(process: subprocess.Popen) -> list[int]:
    """Processes that a run has started, by their ids."""
    group = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[2]) == process.pid and int(folder.name) != process.pid:
            group.append(int(folder.name))
    return group


def kill(process: subprocess.Popen, whom: str, chance: random.Random) -> None:
    match whom:
        case "the main process":
            process.kill()
        case "the process group":
            os.killpg(process.pid, signal.SIGKILL)
        case "a worker":
            workers = workers_of(process)
            if workers:
                os.kill(chance.choice(workers), signal.SIGKILL)


@pytest.mark.parametrize("moment", range(N_MOMENTS))
@pytest.mark.parametrize("whom", ["the main process", "a worker", "the process group"])
def test_a_killed_run_is_made_whole_by_the_next(study, undisturbed, whom, moment):
    prepare(study)
    chance = random.Random(f"{whom} {moment}")
    process = study.start(stderr=subprocess.PIPE)
    for _ in range(chance.randrange(N_LINES)):
        process.stderr.readline()
    kill(process, whom, chance)
    process.communicate(timeout=120)

    for path in study.results.rglob("*.h5ad"):
        if not path.name.startswith("."):
            ad.read_h5ad(path)  # whole, or not there
    if study.run().status != 0:
        # Killed with the lock in its hands, as Snakemake says.
        assert study.run("--unlock").status == 0
        study.run_well()
    assert results(study) == undisturbed
    assert not list(study.results.rglob("*.unfinished*"))
    assert study.run_well().jobs == {}
