"""Loaders: one for each format that recordings come in."""

from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.csv import CSVLoader

__all__ = ["CSVLoader", "PhotometryLoader"]
