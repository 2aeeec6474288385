"""The script that installs, starts and stops a Slurm on this machine."""

import subprocess
from pathlib import Path

CLUSTER = Path(__file__).parent / "slurm" / "cluster.sh"


def cluster(*words: str) -> subprocess.CompletedProcess:
    """Run cluster.sh with these words."""
    return subprocess.run([CLUSTER, *words], capture_output=True, text=True, timeout=300)
