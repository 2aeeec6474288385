"""Provenance: what a file was made of, by which settings and which version.

Held in ``uns["provenance"]`` of every file of the workflow: ``phopro_version``; ``input``,
with path, size (bytes) and SHA-256 of the raw recording (of a TDT block, that of its index);
``settings``, for each stage behind the file its settings as JSON, defaults included, and
under ``code`` the source of the functions and classes that they name.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phopro_core import __version__
from phopro_core.objects import sources

Provenance = dict[str, Any]


def of_input(
    path: str | Path,
    settings: Mapping[str, Any],
    files: Sequence[Path] | None = None,
    digested: Sequence[Path] | None = None,
) -> Provenance:
    """Provenance of a recording that was loaded from a file or folder; see :func:`measure`."""
    return {
        "phopro_version": __version__,
        "input": {"path": str(path), **measure(Path(path), files, digested)},
        "settings": {"load": _as_json(settings)},
    }


def after(stage: str, settings: Mapping[str, Any], before: Provenance) -> Provenance:
    """Provenance of what a stage makes of a file that has one."""
    return {
        **before,
        "phopro_version": __version__,
        "settings": {**before["settings"], stage: _as_json(settings)},
    }


def of_merged(parts: Mapping[str, Provenance], settings: Mapping[str, Any]) -> Provenance:
    """Provenance of what is merged: lists, in their order, of what differs among experiments.

    The parts, by name, are of one experiment each, or of merged ones.
    """
    many = [_as_of_many(name, part) for name, part in parts.items()]
    stages = dict.fromkeys(stage for part in many for stage in part["settings"])
    behind = {
        stage: [
            setting
            for part in many
            for setting in part["settings"].get(stage, [""] * len(part["experiments"]))
        ]
        for stage in stages
    }
    return {
        "phopro_version": __version__,
        "experiments": [name for part in many for name in part["experiments"]],
        "input": {
            "path": [path for part in many for path in part["input"]["path"]],
            "size": np.array([size for part in many for size in part["input"]["size"]]),
            "sha256": [digest for part in many for digest in part["input"]["sha256"]],
        },
        "settings": {
            **{stage: all_[0] if len(set(all_)) == 1 else all_ for stage, all_ in behind.items()},
            "merge_trials": _as_json(settings),
        },
    }


def _as_of_many(name: str, part: Provenance) -> Provenance:
    """A provenance with lists of all that may differ among experiments."""
    if "experiments" not in part:
        experiments, input_ = [name], {key: [value] for key, value in part["input"].items()}
    else:
        experiments, input_ = part["experiments"], part["input"]
    settings = {
        stage: setting if isinstance(setting, list) else [setting] * len(experiments)
        for stage, setting in part["settings"].items()
        if stage != "merge_trials"
    }
    return {"experiments": experiments, "input": input_, "settings": settings}


def measure(
    path: Path, files: Sequence[Path] | None = None, digested: Sequence[Path] | None = None
) -> dict[str, Any]:
    """Size in bytes of a recording's files, and SHA-256 of those that are to be digested.

    By default its files are itself or, of a folder, all in it, and all are digested. A
    folder's digest is that of lines of digest and path of its files, as sha256sum prints
    them, in the order of the paths.
    """
    if files is None:
        inside = (file for file in path.rglob("*") if file.is_file())
        files = [path] if path.is_file() else list(inside)
    size = sum(file.stat().st_size for file in files)
    if path.is_file():
        return {"size": size, "sha256": _sha256(path)}
    lines = "".join(
        f"{_sha256(file)}  {file.relative_to(path).as_posix()}\n"
        for file in sorted(files if digested is None else digested)
    )
    return {"size": size, "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_json(settings: Mapping[str, Any]) -> str:
    code = sources(settings)
    return json.dumps({**settings, "code": code} if code else settings, ensure_ascii=False)
