"""Opening HDF5 files of other programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py


@contextmanager
def open_hdf5(path: str | Path) -> "Iterator[h5py.File]":
    """Open a file for reading.

    Raises
    ------
    ValueError
        If it is not HDF5, or broken, be it that this shows later: the file, and why.
    FileNotFoundError
        If it is not there.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: no such file") from error
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{path}: not an HDF5 file, or cut short: {error}; copy it anew from where it is whole"
        ) from error


def is_hdf5(path: Path) -> bool:
    """Whether a path is that of an HDF5 file, whole or not."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"
