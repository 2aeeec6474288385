"""Running the workflow from a program: Snakemake in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from phopro_core import live
from phopro_core.batch.stages import WORKFLOW

_STEPS = re.compile(r"(\d+) of (\d+) steps")
#: Lines of Snakemake's that an error quotes, at most.
N_LINES = 30


def run_snakemake(
    folder: Path,
    config: Path,
    cores: int,
    objects: Path,
    on_progress: Callable[[int, int], None],
    pass_fds: Sequence[int] = (),
) -> str | None:
    """Run the workflow, and wait for it; if this process is interrupted or killed, it ends too.

    Parameters
    ----------
    folder : Path
        For Snakemake to work in.
    config : Path
    cores : int
    objects : Path
        Folder of the objects that the config names, see :mod:`phopro_core.live`.
    on_progress : callable
        Is told how many of how many steps are done.
    pass_fds : list of int
        Files that stay open for as long as the run lasts, even after this process.

    Returns
    -------
    str or None
        The end of what Snakemake said, if it failed.
    """
    command = [sys.executable, "-c", f"from {__name__} import run_as_child; run_as_child()"]
    command += ["--snakefile", str(WORKFLOW / "Snakefile")]
    command += ["--workflow-profile", str(WORKFLOW / "profiles" / "default")]
    command += ["--directory", str(folder), "--configfile", str(config), "--cores", str(cores)]
    # What another run needs is told by a lock of the caller's.
    command += ["--nolock"]
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    environment[live.FOLDER] = str(objects)
    said: deque[str] = deque(maxlen=N_LINES)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=pass_fds,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout:
                said.append(line)
                if steps := _STEPS.match(line):
                    on_progress(*map(int, steps.groups()))
        except BaseException:
            process.communicate()  # closes standard input, upon which it ends
            raise
    return "".join(said) if process.returncode else None


def run_as_child() -> None:
    """Be Snakemake, until it is done or standard input ends: with the process at its other end."""
    from snakemake.cli import main

    threading.Thread(target=_interrupt_when_alone, daemon=True).start()
    main()


def _interrupt_when_alone() -> None:
    sys.stdin.read()
    # As Ctrl-C in a terminal does: Snakemake ends its jobs, and takes back what they began.
    os.killpg(os.getpgrp(), signal.SIGINT)
