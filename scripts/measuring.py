"""What the scripts that measure share: the machine's name, and a page of many sections."""

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


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
