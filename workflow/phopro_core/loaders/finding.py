"""Loader classes as a config names them."""

from phopro_core.errors import ConfigError
from phopro_core.loaders.base import PhotometryLoader
from phopro_core.loaders.csv import CSVLoader
from phopro_core.objects import load_object

#: Loaders that a config names without saying where they are defined.
BUILT_IN = {loader.__name__: loader for loader in (CSVLoader,)}


def find_loader(name: str) -> type[PhotometryLoader]:
    """A loader class by its built-in name, or by path/to/file.py:ClassName."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if ":" not in name:
        raise ConfigError(
            f"loader_cls: no loader {name!r} (built in: {', '.join(BUILT_IN)}; one of your own "
            "is given as path/to/file.py:ClassName)"
        )
    loader_cls = load_object(name)
    if not (isinstance(loader_cls, type) and issubclass(loader_cls, PhotometryLoader)):
        raise ConfigError(f"loader_cls: {name} is not a subclass of PhotometryLoader")
    return loader_cls
