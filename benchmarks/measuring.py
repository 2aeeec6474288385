"""What the benchmarks share: the machine's name, memory, a page of many sections."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


def machine(packages: Sequence[str]) -> str:
    """The machine and the versions that figures were measured with, as a paragraph."""
    return (
        f"Machine: {platform.system()} on {platform.machine()}, {os.cpu_count()} cores. "
        f"Python {platform.python_version()},\n{versions_in(sys.executable, packages)}.\n"
    )


def versions_in(python: str, packages: Sequence[str]) -> str:
    """Packages with their versions in an interpreter's environment, in a line."""
    program = "import sys; from importlib.metadata import version as v; "
    program += "print(', '.join(f'{name} {v(name)}' for name in sys.argv[1:]))"
    command = [python, "-c", program, *packages]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def replace_section(page: str, heading: str, text: str) -> str:
    """A page with the text under one of its second-level headings replaced.

    A section that the page lacks is added at its end; all others stay as they are.
    """
    section = f"## {heading}\n\n{text.strip()}\n"
    present = re.compile(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    found = present.search(page)
    if found is None:
        return f"{page.rstrip()}\n\n{section}".lstrip()
    after = page[found.end() :]
    return page[: found.start()] + section + ("\n" + after if after else "")


def write_section(path: Path, title: str, heading: str, text: str) -> None:
    """Replace one section of a page on disk; a page that is not there starts with its title."""
    page = path.read_text() if path.exists() else f"# {title}\n"
    path.write_text(replace_section(page, heading, text))


def publish(heading: str, section: str, page: Path | None, title: str = "Performance") -> None:
    """Print a section, and write it into a page if there is one to write."""
    print(f"## {heading}\n\n{section}", flush=True)
    if page:
        write_section(page, title, heading, section)


def limit_memory() -> int:
    """Limit this process's address space to the memory that is to spare; returns it, bytes.

    Then to be out of memory is an error of this process, and not the end of another one.
    """
    import resource

    available = 1024 * kilobytes("/proc/meminfo", "MemAvailable")
    resource.setrlimit(resource.RLIMIT_AS, (available, available))
    return available


def memory_during(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, int]:
    """What a function returns, and how far this process's memory rose above its start, bytes.

    By Linux's account of it: the highest resident memory, started anew.
    """
    Path("/proc/self/clear_refs").write_text("5")
    before = kilobytes("/proc/self/status", "VmRSS")
    result = function(*args, **kwargs)
    return result, 1024 * (kilobytes("/proc/self/status", "VmHWM") - before)


def kilobytes(account: str, name: str) -> int:
    """One figure of what Linux tells of a process or of the machine."""
    lines = Path(account).read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def tree_memory(pid: int) -> list[int]:
    """Memory of a process and of each that it started, bytes; what they share, shared out."""
    import psutil

    found = []
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [0]
    for process in processes:
        with suppress(psutil.Error):
            found.append(process.memory_full_info().pss)
    return found or [0]


def write_recording_csv(
    path: Path, seed: int, frequency: float, duration: float, decimals: int | None = None
) -> None:
    """A simulated recording of so many seconds; its numbers with all digits, or rounded."""
    import numpy as np
    import pandas as pd

    from phopro_core.simulation import simulate_recording

    recording = simulate_recording(seed, duration, frequency, trial_interval=50.0)
    columns = {
        "time": recording.time,
        "signal": recording.signal,
        "isosbestic": recording.isosbestic,
    }
    if decimals is not None:
        columns = {name: values.round(decimals) for name, values in columns.items()}
    for label, times in recording.events.items():
        columns[label] = np.isin(recording.time, times).astype(int)
    pd.DataFrame(columns).to_csv(path, index=False)
