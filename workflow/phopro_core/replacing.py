"""Writing files so that nobody ever sees half of one."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and put it in its place when all went well.

    Whatever happens in between, `path` holds the old file, the new one, or nothing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, since writers tell the format from it.
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.unfinished{path.suffix}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_room(path: str | Path, n_bytes: int) -> None:
    """Raise OSError if the disk that a file goes to has no room for it.

    HDF5 does not outlive a disk that fills up while it writes.
    """
    free = shutil.disk_usage(Path(path).parent).free
    if free < n_bytes:
        raise OSError(
            errno.ENOSPC,
            f"{os.strerror(errno.ENOSPC)} ({free / 1e6:.1f} MB of {n_bytes / 1e6:.1f} MB needed); "
            "make room, and run the same command again",
            str(path),
        )


def remove_unfinished(folder: str | Path) -> None:
    """Remove what processes that were killed have left of files in a folder."""
    for path in Path(folder).glob(".*.unfinished*"):
        path.unlink(missing_ok=True)


def link_or_copy(path: str | Path, other: str | Path) -> None:
    """Make a file appear under another name too; as a copy, where there are no links."""
    try:
        Path(other).hardlink_to(path)
    except OSError:
        shutil.copyfile(path, other)
