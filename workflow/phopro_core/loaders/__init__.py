"""Loaders: one for each format that recordings come in."""

from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.csv import CSVLoader

#: Loaders that a config names without saying where they are defined.
BUILT_IN = {loader.__name__: loader for loader in (CSVLoader,)}

__all__ = ["BUILT_IN", "CSVLoader", "PhotometryLoader"]
