"""Disks that fill up: a clear message, and a clean run once there is room again."""

import subprocess

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(study):
    """A small disk for the results, and a function that leaves so many bytes of it free."""
    mount = study.folder / "disk"
    mount.mkdir()
    size = 4_000_000
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no disk can be mounted here")
    study.config["output_dir"] = "disk/results"
    filler = mount / "filler"

    def leave(n_bytes: int | None) -> None:
        filler.unlink(missing_ok=True)
        if n_bytes is not None:
            used = sum(path.stat().st_blocks * 512 for path in mount.rglob("*"))
            filler.write_bytes(bytes(size - used - n_bytes))

    yield leave
    subprocess.run(["umount", str(mount)], check=True)


def contents(study):
    results = study.folder / "disk" / "results"
    return {path.name: path.read_bytes() for path in results.rglob("*.h5ad")}


@pytest.mark.parametrize("left", [0, 100_000, 400_000, 700_000])
def test_a_disk_that_fills_up_stops_the_run_and_is_no_fault_of_a_recording(study, disk, left):
    for seed in range(3):
        study.add(f"m{seed}", seed=seed)
    study.run_well()
    whole = contents(study)
    subprocess.run(["rm", "-r", str(study.folder / "disk" / "results")], check=True)

    disk(left)
    run = study.run()
    run.assert_failed_saying("No space left on device", "run the same command again")
    assert "successes" not in run.output
    for name, content in contents(study).items():
        assert content == whole[name]  # what is there is whole

    disk(None)
    study.run_well()
    assert contents(study) == whole
    assert study.run_well().jobs == {}


def test_a_merge_that_finds_no_room_leaves_the_rest(study, disk):
    for seed in range(2):
        study.add(f"m{seed}", seed=seed)
    study.run_well()
    whole = contents(study)
    (study.folder / "disk" / "results" / "trials.h5ad").unlink()
    disk(100_000)
    study.run().assert_failed_saying("merge_trials: OSError: [Errno 28] No space left on device")
    assert contents(study) == {name: whole[name] for name in whole if name != "trials.h5ad"}
    disk(None)
    assert study.run_well().jobs == {"merge_trials": 1}
    assert contents(study) == whole
