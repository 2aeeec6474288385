"""Fiber photometry: from raw recordings to trial-aligned datasets.

The names below are imported when they are first used, since a Snakefile that is merely
parsed should not wait for libraries that it doesn't need.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "ArtifactCorrector": "phopro_core.artifacts.base",
    "ArtifactDetector": "phopro_core.artifacts.base",
    "CSVLoader": "phopro_core.loaders",
    "DerivativeDetector": "phopro_core.artifacts.derivatives",
    "DoricLoader": "phopro_core.loaders",
    "NWBLoader": "phopro_core.loaders",
    "NeurophotometricsLoader": "phopro_core.loaders",
    "PhotometryData": "phopro_core.dataset",
    "PhotometryExperiment": "phopro_core.experiment",
    "PhotometryLoader": "phopro_core.loaders",
    "PhotometryPipeline": "phopro_core.pipeline",
    "PyPhotometryLoader": "phopro_core.loaders",
    "SplineCorrector": "phopro_core.artifacts.splines",
    "TDTLoader": "phopro_core.loaders",
    "inspect": "phopro_core.loaders.finding",
}
__all__ = [
    "ArtifactCorrector",
    "ArtifactDetector",
    "CSVLoader",
    "DerivativeDetector",
    "DoricLoader",
    "NWBLoader",
    "NeurophotometricsLoader",
    "PhotometryData",
    "PhotometryExperiment",
    "PhotometryLoader",
    "PhotometryPipeline",
    "PyPhotometryLoader",
    "SplineCorrector",
    "TDTLoader",
    "__version__",
    "inspect",
]

if TYPE_CHECKING:
    from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector
    from phopro_core.artifacts.derivatives import DerivativeDetector
    from phopro_core.artifacts.splines import SplineCorrector
    from phopro_core.dataset import PhotometryData
    from phopro_core.experiment import PhotometryExperiment
    from phopro_core.loaders import (
        CSVLoader,
        DoricLoader,
        NeurophotometricsLoader,
        NWBLoader,
        PhotometryLoader,
        PyPhotometryLoader,
        TDTLoader,
    )
    from phopro_core.loaders.finding import inspect
    from phopro_core.pipeline import PhotometryPipeline


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
