"""Stages: which code stands behind each, so that a change of it re-runs just those."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from phopro_core.objects import fingerprints

PACKAGE = Path(__file__).parents[1]
#: The folder of the Snakefile: inside of the package where it was installed, else around it.
WORKFLOW = next(folder for folder in (PACKAGE / "_workflow", PACKAGE.parents[1]) if folder.is_dir())
SCRIPTS = WORKFLOW / "scripts"
SCHEMA = WORKFLOW / "workflow" / "schemas" / "config.schema.yaml"

#: Modules of the package that a stage's script runs, as glob patterns. A test runs each
#: stage and compares with what it imports.
_CONTINUOUS = (
    "artifacts/__init__.py",
    "artifacts/base.py",
    "checking.py",
    "experiment.py",
    "h5ad.py",
    "replacing.py",
    "storage.py",
)
_NAMED = ("errors.py", "fingerprints.py", "live.py", "objects.py")
CODE = {
    "load": (
        *_CONTINUOUS,
        *_NAMED,
        "downsampling.py",
        "hooks.py",
        "loaders/*.py",
        "provenance.py",
        "sampling.py",
    ),
    "preprocess": (
        *_CONTINUOUS,
        *_NAMED,
        "hooks.py",
        "artifacts/*.py",
        "preprocessing.py",
        "provenance.py",
        "filtering.py",
        "photobleaching.py",
        "references.py",
        "correction.py",
        "runs.py",
        "sampling.py",
        "variation.py",
    ),
    "extract": (
        *_CONTINUOUS,
        *_NAMED,
        "hooks.py",
        "dataset.py",
        "downsampling.py",
        "extraction.py",
        "events.py",
        "normalization.py",
        "provenance.py",
        "variation.py",
        "windows.py",
    ),
    "identify": ("replacing.py",),
    "merge_trials": (
        *_CONTINUOUS,
        *_NAMED,
        "dataset.py",
        "merged_files.py",
        "merging.py",
        "provenance.py",
    ),
    "dashboard": (*_CONTINUOUS, *_NAMED, "dashboard.py", "downsampling.py", "thinning.py"),
}


def code_digest(stage: str, settings: Any = None) -> str:
    """Digest of the code behind a stage: this workflow's, and what its settings name."""
    digest = hashlib.sha256(_own_code(stage))
    for text in fingerprints(settings):
        digest.update(text.encode())
    return digest.hexdigest()[:16]


@cache
def _own_code(stage: str) -> bytes:
    modules = {path for pattern in CODE[stage] for path in PACKAGE.glob(pattern)}
    digest = hashlib.sha256()
    for path in [*sorted(modules), SCRIPTS / f"{stage}.py"]:
        digest.update(path.read_bytes())
    return digest.digest()
