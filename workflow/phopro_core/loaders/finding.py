"""Loader classes as a config names them."""

from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.csv import CSVLoader
from phopro_core.objects import find_class

#: Loaders that a config names without saying where they are defined.
BUILT_IN = (CSVLoader,)


def find_loader(name: str) -> type[PhotometryLoader]:
    """A loader class by its built-in name, or by path/to/file.py:ClassName."""
    return find_class(name, PhotometryLoader, BUILT_IN)
