"""Which loader reads a recording: the one that a config names, or that knows its format."""

from importlib.util import find_spec
from pathlib import Path

from phopro_core.loaders import (
    CSVLoader,
    DoricLoader,
    NeurophotometricsLoader,
    NWBLoader,
    PhotometryLoader,
    PyPhotometryLoader,
    TDTLoader,
)
from phopro_core.loaders.description import Description
from phopro_core.loaders.extras import import_extra
from phopro_core.objects import find_class

#: Loaders that a config names without saying where they are defined. Any table is one for
#: the last.
BUILT_IN = (
    TDTLoader,
    NWBLoader,
    DoricLoader,
    PyPhotometryLoader,
    NeurophotometricsLoader,
    CSVLoader,
)


def find_loader(name: str) -> type[PhotometryLoader]:
    """A loader class by its built-in name, or by path/to/file.py:ClassName.

    Raises
    ------
    ConfigError
        If there is no such class, or a library that it needs is not installed.
    """
    loader_cls = find_class(name, PhotometryLoader, BUILT_IN)
    if loader_cls.extra and find_spec(loader_cls.extra[0]) is None:
        import_extra(*loader_cls.extra)
    return loader_cls


def inspect(path: str | Path) -> Description:
    """Look into a recording: its format, channels, events, and how it would be loaded.

    Parameters
    ----------
    path : path
        A file, or a TDT block folder.

    Returns
    -------
    Description
        Prints as a table with a config's ``loader_cls`` and ``loader_kwargs`` below.

    Raises
    ------
    ValueError
        If the recording is of no format that is known, or broken.
    FileNotFoundError
        If it is not there.
    ConfigError
        If the library that reads the format is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    for loader_cls in BUILT_IN:
        found = loader_cls.describe(path)
        if found is not None:
            return found
    here = ", ".join(sorted(file.name for file in path.iterdir())[:6]) if path.is_dir() else ""
    raise ValueError(
        f"{path}: of no format that is known (there are loaders for "
        f"{', '.join(one.__name__.removesuffix('Loader') for one in BUILT_IN)})"
        + (f"; in the folder: {here or 'nothing'}" if path.is_dir() else "")
    )
