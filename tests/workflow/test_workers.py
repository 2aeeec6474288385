"""Workers that die, and runs that are interrupted."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import anndata as ad
import pytest

from phopro_core.batch.workers import WorkerPool, run_script_in

DEADLY_LOADER = '''
import os, signal
from pathlib import Path

from phopro_core import CSVLoader


class Deadly(CSVLoader):
    """Dies, as if out of memory, while a file named `poison` lies beside a recording."""

    def extract_data(self):
        if self.csv.with_suffix(".poison").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().extract_data()
'''

WAITING_LOADER = '''
import os
from pathlib import Path
from threading import Event

from phopro_core import CSVLoader


class Waiting(CSVLoader):
    """Says that it has begun, and never ends, while there is a file `wait`."""

    def extract_data(self):
        if Path("wait").exists():
            os.write(1, b"BEGUN\\n")
            Event().wait()
        return super().extract_data()
'''


def test_a_worker_that_dies_fails_its_own_job_and_no_other(study):
    (study.folder / "loaders.py").write_text(DEADLY_LOADER)
    study.config["loader_cls"] = "loaders.py:Deadly"
    names = [f"m{k}" for k in range(6)]
    for seed, name in enumerate(names):
        study.add(name, seed=seed)
    (study.recordings / "m2.poison").touch()
    run = study.run()
    assert run.status == 0
    run.assert_said("load of m2 (recordings/m2.csv)", "WorkerDied: the process that worked on it")
    assert study.failures().keys() == {"m2"}
    assert study.failures()["m2"][:2] == ("load", "WorkerDied")
    extracted = {path.stem for path in study.results.glob("extracted/*.h5ad")}
    assert extracted == set(names) - {"m2"}
    assert "WorkerDied" in (study.results / "logs" / "load" / "m2.log").read_text()

    (study.recordings / "m2.poison").unlink()
    expected = {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}
    assert study.run_well().jobs == expected


def test_a_pool_goes_on_after_the_death_of_a_worker():
    pool = WorkerPool(preload=[])
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(pool.run, os.getpid)
        dying = threads.submit(pool.run, os.abort)
        assert first.result() != os.getpid()
        with pytest.raises(BrokenProcessPool):
            dying.result()
    assert pool.run(abs, -3) == 3


def test_a_pool_passes_on_what_a_function_raises_and_keeps_the_worker():
    pool = WorkerPool(preload=[])
    worker = pool.run(os.getpid)
    with pytest.raises(ZeroDivisionError):
        pool.run(divmod, 1, 0)
    assert pool.run(os.getpid) == worker


def test_a_job_whose_worker_alone_is_interrupted_is_a_failure_and_no_interrupt(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(
        "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGINT)\n", encoding="utf-8"
    )
    pool = WorkerPool(preload=[])
    failure = run_script_in(pool, str(script), str(tmp_path / "log"), {})
    assert failure.error == "Interrupted"
    assert pool.run(abs, -3) == 3


def test_an_interrupt_between_jobs_ends_the_one_that_was_on_its_way():
    pool = WorkerPool(preload=[])
    worker = pool.run(os.getpid)
    os.kill(worker, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        pool.run(abs, -3)
    assert pool.run(os.getpid) == worker


def test_an_interrupt_while_a_worker_is_being_started_keeps_its_job_from_beginning():
    pool = WorkerPool(preload=[])
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        pool.run(os.getpid)


def test_a_job_that_does_not_heed_an_interrupt_is_killed_after_a_while(monkeypatch, tmp_path):
    monkeypatch.setattr("phopro_core.batch.workers.PATIENCE", 0.0)
    script = tmp_path / "heedless.py"
    script.write_text(
        "import signal, threading\n"
        "def main(begun):\n"
        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    with open(begun, 'w'):\n"
        "        threading.Event().wait()\n"
    )
    pool = WorkerPool(preload=[])
    os.mkfifo(tmp_path / "begun")
    with ThreadPoolExecutor(1) as threads:
        call = str(script), str(tmp_path / "log"), {"begun": str(tmp_path / "begun")}
        failure = threads.submit(run_script_in, pool, *call)
        # Opening it waits for the job to do the same.
        with (tmp_path / "begun").open(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert failure.result().error == "Interrupted"


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_finished_by_the_next(study, signal_number):
    """Interrupt a run in the middle of a job, as Ctrl-C (the group) or kill -9 do."""
    (study.folder / "loaders.py").write_text(WAITING_LOADER)
    study.config["loader_cls"] = "loaders.py:Waiting"
    study.add("m1")
    (study.folder / "wait").touch()
    process = study.start(stdout=subprocess.PIPE)
    assert process.stdout.readline() == "BEGUN\n"
    (study.folder / "wait").unlink()
    if signal_number == signal.SIGKILL:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)
    # Its output ends when no process of the run is left that holds it open.
    process.communicate(timeout=60)
    unlock = study.run("--unlock")
    assert unlock.status == 0
    study.run_well()
    assert ad.read_h5ad(study.results / "trials.h5ad").n_obs == 3
