"""Pin the newest dependencies that pyproject.toml allows.

    python scripts/lock_dependencies.py

Installs the project with its extras into fresh environments, without and with its
development tools, and writes what it finds there to envs/phopro.lock, envs/dev.lock and
envs/phopro.yaml; to envs/cluster.lock what clusters need beside the first.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADER = "# Written by scripts/lock_dependencies.py (make lock); not to be edited by hand.\n"


def installed(requirement: str) -> dict[str, str]:
    """Names and versions of all that a requirement brings into a fresh environment."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", requirement], check=True)
        command = [*pip, "freeze", "--exclude", "phopro-workflow"]
        frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split("==") for line in frozen.splitlines())


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
    runtime = installed(f"{ROOT}[nwb,tdt]")
    envs = ROOT / "envs"
    (envs / "phopro.lock").write_text(as_lock(runtime))
    (envs / "phopro.yaml").write_text(as_conda(runtime))
    on_clusters = installed(f"{ROOT}[cluster,nwb,tdt]")
    added = {name: pin for name, pin in on_clusters.items() if name not in runtime}
    (envs / "cluster.lock").write_text(as_lock(added))
    (envs / "dev.lock").write_text(as_lock(installed(f"{ROOT}[dev]")))


if __name__ == "__main__":
    main()
