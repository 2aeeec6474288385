"""What of Snakemake is changed; the tests on Slurm have the rest."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from study_runs import ROOT

from phopro_core.batch.adjustments import look_in_proportion

TIMER = """
import threading
from phopro_core.batch.adjustments import cancel_timers_at_exit
cancel_timers_at_exit()
threading.Timer(600, print, ["held up"]).start()
"""


def test_a_timer_does_not_hold_up_the_exit():
    command = [sys.executable, "-c", TIMER]
    done = subprocess.run(
        command, cwd=ROOT / "workflow", capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_looks_at_submitted_jobs_grow_rarer_by_a_tenth_and_begin_anew(monkeypatch):
    name = "next_seconds_between_status_checks"
    monkeypatch.setattr(RemoteExecutor, name, getattr(RemoteExecutor, name))
    look_in_proportion()
    seconds = getattr(RemoteExecutor, name)
    settings = SimpleNamespace(seconds_between_status_checks=10)
    executor = SimpleNamespace(
        _next_seconds_between_status_checks=None,
        workflow=SimpleNamespace(remote_execution_settings=settings),
    )

    def told(value: float) -> float:
        seconds.fset(executor, value)
        return seconds.fget(executor)

    assert seconds.fget(executor) == 10
    assert told(2) == 2
    assert told(2 + 10) == pytest.approx(2.2)
    assert told(2.2 + 10) == pytest.approx(2.42)
    assert told(2) == 2
