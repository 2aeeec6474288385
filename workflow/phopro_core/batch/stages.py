"""Stages: which code stands behind each, so that a change of it re-runs just those."""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SCRIPTS = PACKAGE.parents[1] / "scripts"

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
_NAMED = ("errors.py", "objects.py")
CODE = {
    "load": (*_CONTINUOUS, *_NAMED, "downsampling.py", "loaders/*.py", "provenance.py"),
    "preprocess": (
        *_CONTINUOUS,
        *_NAMED,
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
        "dataset.py",
        "downsampling.py",
        "extraction.py",
        "events.py",
        "normalization.py",
        "provenance.py",
        "variation.py",
        "windows.py",
    ),
    "merge_trials": (*_CONTINUOUS, "dataset.py", "merging.py", "provenance.py"),
    "dashboard": (*_CONTINUOUS, "dashboard.py", "downsampling.py", "thinning.py"),
}


def code_digest(stage: str, *further: str | Path) -> str:
    """Digest of the source behind a stage: its script, its modules, and further files."""
    modules = {path for pattern in CODE[stage] for path in PACKAGE.glob(pattern)}
    digest = hashlib.sha256()
    for path in [*sorted(modules), SCRIPTS / f"{stage}.py", *map(Path, further)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
