"""What a run may cost, counted: modules that its main process imports, processes that it starts."""

import json
import os
import subprocess
import sys

import pytest

#: Run by every Python process at its start: notes its own start, and those that it starts.
NOTES = """
import atexit, json, os, sys

def note(event, about):
    file = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (json.dumps([event, os.getpid(), about]) + "\\n").encode())
    os.close(file)

def heard(event, arguments):
    if event in ("os.fork", "os.posix_spawn", "subprocess.Popen"):
        note(event, str(arguments[0]) if arguments else "")

note("python", " ".join(sys.orig_argv[1:3]))
sys.addaudithook(heard)
if "snakemake" in sys.orig_argv:
    atexit.register(lambda: note("modules", " ".join(sys.modules)))
"""


pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere Python starts other processes of its own"
)


@pytest.fixture
def noted(study, tmp_path):
    """The events of a run: what happened, in which process, and about what."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NOTES)

    def run(*options: str, cores: int = 2) -> list[tuple[str, int, str]]:
        notes = tmp_path / "notes"
        notes.unlink(missing_ok=True)
        path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep), "NOTES": str(notes)}
        command = study.command(*options, cores=cores)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return [tuple(json.loads(line)) for line in notes.read_text().splitlines()]

    return run


def test_the_main_process_imports_nothing_that_only_jobs_need(study, noted):
    for name in ("m1", "m2"):
        study.add(name)
    (modules,) = [about.split() for event, _, about in noted("--dry-run") if event == "modules"]
    assert "phopro_core.batch.jobs" in modules
    packages = {name.partition(".")[0] for name in modules}
    assert packages.isdisjoint({"anndata", "h5py", "matplotlib", "scipy", "zarr"})
    assert not {"phopro_core.dataset", "phopro_core.preprocessing"}.intersection(modules)


@pytest.mark.parametrize("n_recordings", [3, 6])
def test_a_run_starts_one_process_a_core_however_many_recordings_there_are(
    study, noted, n_recordings
):
    for k in range(n_recordings):
        study.add(f"m{k}")
    events = noted()
    programs = [about for event, _, about in events if event == "python"]
    # Snakemake, the server that workers are forked from, and Python's tracker of resources.
    assert len(programs) == 3
    assert sum(event == "os.fork" for event, _, _ in events) == 2
    others = {
        about for event, _, about in events if event in ("subprocess.Popen", "os.posix_spawn")
    }
    assert others <= {"uname"}  # by which Python tells the platform, for Snakemake's log


def test_without_a_job_no_worker_is_started(study, noted):
    study.add("m1")
    study.run_well()
    assert not [about for event, _, about in noted() if event == "os.fork"]
