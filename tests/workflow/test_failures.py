"""One bad recording never stops a batch: what is left of it, and what the next run does."""

import os
import signal
import subprocess
import time

import anndata as ad
import pytest

LOADERS = '''
import os
from pathlib import Path
from threading import Event

from phopro_core import CSVLoader


class Moody(CSVLoader):
    """Fails while there is a file `refuse` in the study; waits while there is one `wait`."""

    def extract_data(self):
        if self.csv.stem == "bad":
            if Path("wait").exists():
                os.write(1, b"BEGUN\\n")
                Event().wait()
            if Path("refuse").exists():
                raise OSError("the share is not there")
        return super().extract_data()
'''
CHAIN = {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}


@pytest.fixture
def moody(study):
    """Two good recordings, and a third one that fails as long as it is told to."""
    (study.folder / "loaders.py").write_text(LOADERS)
    study.config["loader_cls"] = "loaders.py:Moody"
    for seed, name in enumerate(["a", "bad", "c"]):
        study.add(name, seed=seed)
    (study.folder / "refuse").touch()
    return study


def merged(study):
    return list(ad.read_h5ad(study.results / "trials.h5ad").uns["experiments"])


def test_the_others_are_merged_and_the_failure_is_told(moody):
    run = moody.run_well()
    run.assert_said(
        "load of bad (recordings/bad.csv):\nOSError: the share is not there",
        "1 errors, 2 successes, 3 jobs",
        "All are in results/failures.tsv; the next run tries them again.",
    )
    assert merged(moody) == ["a", "c"]
    assert moody.failures() == {"bad": ("load", "OSError", "the share is not there")}
    assert not any("bad" in name for name in moody.files())
    log = (moody.results / "pipeline.log").read_text()
    assert "ERROR   load failed\nTraceback" in log
    assert log.endswith("Done: 1 errors, 2 successes, 3 jobs\n")


def test_the_next_run_tries_what_failed_and_nothing_else(moody):
    moody.run_well()
    assert moody.run_well("-n").jobs == CHAIN
    assert moody.run_well().jobs == CHAIN
    assert moody.failures().keys() == {"bad"}
    (moody.folder / "refuse").unlink()
    assert moody.run_well().jobs == CHAIN
    assert merged(moody) == ["a", "bad", "c"]
    assert moody.failures() == {}
    assert moody.run_well().jobs == {}
    assert moody.run_well("-n").jobs == {}


@pytest.mark.slow
def test_a_later_stage_alone_is_tried_again(moody):
    (moody.folder / "refuse").unlink()
    moody.edit("bad", lambda table: table.assign(trial_cue=0))
    moody.run_well()
    assert moody.failures()["bad"][0] == "extract"
    assert moody.run_well("-n").jobs == {"extract": 1, "merge_trials": 1}


@pytest.mark.slow
def test_what_was_made_before_it_failed_is_not_left_as_if_it_were_new(moody):
    (moody.folder / "refuse").unlink()
    moody.run_well()
    (moody.folder / "refuse").touch()
    moody.edit("bad", lambda table: table[:-20])
    moody.run_well()
    assert merged(moody) == ["a", "c"]
    assert not any("bad" in name for name in moody.files())
    log = (moody.results / "pipeline.log").read_text()
    assert "results/recordings/bad.h5ad" not in log  # the stages after it are of the last run


@pytest.mark.slow
def test_a_report_shows_the_others(moody):
    moody.config["save_dashboards"] = True
    moody.run_well()
    moody.run_well("--report", str(moody.folder / "report.html"))
    report = (moody.folder / "report.html").read_text()
    assert "a.svg" in report
    assert "bad.svg" not in report
    assert moody.run_well("-n").jobs == CHAIN | {"dashboard": 1}


@pytest.mark.slow
def test_a_dashboard_that_fails_costs_the_trials_nothing(study):
    study.config |= {"save_dashboards": True, "dashboard_kwargs": {"downsample": 100_000}}
    study.add("m1")
    study.run_well()
    stage, error, message = study.failures()["m1"]
    assert (stage, error) == ("dashboard", "ValueError")
    assert "leaves nothing of 1200 samples" in message
    assert merged(study) == ["m1"]
    study.config["dashboard_kwargs"] = {}
    assert study.run_well().jobs == {"dashboard": 1}
    assert study.failures() == {}


def test_the_run_fails_if_every_recording_does(moody):
    for name in ("a", "c"):
        (moody.recordings / f"{name}.csv").write_text("")
    moody.run().assert_failed_saying(
        "all 3 recordings failed, so that there is nothing to merge",
        "The run failed: 3 errors, 3 jobs, of which 0 have",
    )
    assert moody.failures().keys() == {"a", "bad", "c"}
    assert moody.files() == set()


@pytest.mark.slow
def test_stop_leaves_it_to_snakemake(moody):
    moody.config["on_error"] = "stop"
    moody.run().assert_failed_saying("load of bad (recordings/bad.csv):\nOSError: the share")
    assert not (moody.results / "trials.h5ad").exists()
    assert "recordings/bad.h5ad" not in moody.files()


@pytest.mark.slow
def test_a_recording_that_was_taken_away_is_no_failure_any_more(moody):
    moody.run_well()
    (moody.recordings / "bad.csv").unlink()
    assert moody.run_well().jobs == {"merge_trials": 1}
    assert moody.failures() == {}


def begun(study) -> subprocess.Popen:
    """A run that waits in the middle of a job, others having failed or ended."""
    (study.folder / "wait").touch()
    process = study.start(stdout=subprocess.PIPE)
    assert process.stdout.readline() == "BEGUN\n"
    return process


def wait_for(path, process) -> None:
    """Wait until a run that is going on has made a file."""
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline, f"{path} was not made"
        os.sched_yield()


@pytest.mark.slow
def test_what_had_failed_when_a_run_was_killed_is_tried_again(moody):
    (moody.recordings / "a.csv").write_text("")
    moody.add("d", seed=9)
    process = begun(moody)
    wait_for(moody.results / "extracted" / "a.h5ad", process)  # the mark of its failure
    process.kill()
    process.communicate(timeout=60)
    for path in (moody.folder / "wait", moody.folder / "refuse"):
        path.unlink()
    moody.add("a", seed=5)
    assert moody.run("--unlock").status == 0
    moody.run_well()
    assert merged(moody) == ["a", "bad", "c", "d"]
    assert moody.failures() == {}
    assert not (moody.results / ".failed").exists()


@pytest.mark.slow
def test_a_second_run_at_once_is_refused_and_harms_nothing(moody):
    (moody.recordings / "a.csv").write_text("")
    process = begun(moody)
    wait_for(moody.results / "extracted" / "a.h5ad", process)
    second = moody.run()
    assert second.status == 1
    assert "LockException" in second.output
    (moody.folder / "wait").unlink()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    # The marks were left to the run that made them, which told them in its end.
    assert moody.failures()["a"][0] == "load"
