"""Loaders: one for each format that recordings come in."""

from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.csv import CSVLoader
from phopro_core.loaders.doric import DoricLoader
from phopro_core.loaders.neurophotometrics import NeurophotometricsLoader
from phopro_core.loaders.nwb import NWBLoader
from phopro_core.loaders.pyphotometry import PyPhotometryLoader
from phopro_core.loaders.tdt import TDTLoader

__all__ = [
    "CSVLoader",
    "DoricLoader",
    "NWBLoader",
    "NeurophotometricsLoader",
    "PhotometryLoader",
    "PyPhotometryLoader",
    "TDTLoader",
]
