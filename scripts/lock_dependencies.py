"""Pin the newest dependencies that pyproject.toml allows.

    python scripts/lock_dependencies.py

Installs the project with its extras into fresh environments, without and with its
development tools, and writes what it finds there to envs/phopro.lock, envs/dev.lock and
envs/phopro.yaml; to envs/cluster.lock what clusters need beside the first, and to
envs/storage.lock what tests of storages need other than the second.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADER = "# Written by scripts/lock_dependencies.py (make lock); not to be edited by hand.\n"


def installed(*requirements: str) -> dict[str, str]:
    """Names and versions of all that requirements bring into a fresh environment."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", *requirements], check=True)
        command = [*pip, "freeze", "--exclude", "phopro-workflow"]
        frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split("==") for line in frozen.splitlines())


def other_than(known: dict[str, str], pins: dict[str, str]) -> dict[str, str]:
    """Those that are not known, or known with another version."""
    return {name: version for name, version in pins.items() if known.get(name) != version}


def as_lock(pins: dict[str, str]) -> str:
    return HEADER + "".join(f"{name}=={version}\n" for name, version in pins.items())


def as_conda(pins: dict[str, str]) -> str:
    """The direct dependencies as a conda environment; conda resolves the others itself."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = [re.split(r"[<>=]", line)[0] for line in pyproject["project"]["dependencies"]]
    by_name = {name.lower(): version for name, version in pins.items()}
    lines = [f"  - {name}={by_name[name]}\n" for name in names]
    return (
        f"{HEADER}name: phopro\nchannels:\n  - conda-forge\n  - bioconda\n  - nodefaults\n"
        f"dependencies:\n  - python>=3.11\n{''.join(lines)}"
    )


def main() -> None:
    envs = ROOT / "envs"
    runtime, dev = installed(f"{ROOT}[nwb,tdt]"), installed(f"{ROOT}[dev]")
    (envs / "phopro.lock").write_text(as_lock(runtime))
    (envs / "phopro.yaml").write_text(as_conda(runtime))
    (envs / "dev.lock").write_text(as_lock(dev))
    clusters = other_than(runtime, installed(f"{ROOT}[cluster,nwb,tdt]"))
    if clusters.keys() & runtime.keys():
        raise SystemExit(f"plugins for clusters want other versions than phopro.lock: {clusters}")
    (envs / "cluster.lock").write_text(as_lock(clusters))
    storages = installed(f"{ROOT}[storage]", "moto[server]")
    (envs / "storage.lock").write_text(as_lock(other_than(dev, storages)))


if __name__ == "__main__":
    main()
