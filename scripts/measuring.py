"""What the scripts that measure share: the machine's name, memory, a page of many sections."""

import os
import platform
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine(packages: Sequence[str]) -> str:
    """The machine and the versions that figures were measured with, as a paragraph."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Machine: {platform.system()} on {platform.machine()}, {os.cpu_count()} cores. "
        f"Python {platform.python_version()},\n{versions}.\n"
    )


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


def write_recording_csv(path: Path, frequency: float, duration: float) -> None:
    """A simulated recording of so many seconds, as an acquisition system would write it."""
    import numpy as np
    import pandas as pd

    from phopro_core.simulation import simulate_recording

    recording = simulate_recording(1, duration, frequency)
    columns = {
        "time": recording.time.round(6),
        "signal": recording.signal.round(4),
        "isosbestic": recording.isosbestic.round(4),
        "trial_cue": np.isin(recording.time, recording.events["trial_cue"]).astype(int),
    }
    pd.DataFrame(columns).to_csv(path, index=False)
