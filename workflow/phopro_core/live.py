"""Objects of a running program, such as a notebook's functions, for processes of the workflow.

An object is pickled into a file named after its fingerprint, so that it has a name that
settings can hold, ``<fingerprint>.pkl:<name>``, and that changes when the object does.
"""

import inspect
import os
import pickle
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from phopro_core.errors import ConfigError
from phopro_core.fingerprints import fingerprint
from phopro_core.replacing import replacing

SUFFIX = ".pkl"
#: Environment variable with the folder of the files.
FOLDER = "PHOPRO_OBJECTS"

_known: dict[str, tuple[Any, str]] = {}


def name_object(value: Any, folder: str | Path) -> str:
    """Put an object into a folder, and return its name.

    Raises
    ------
    TypeError
        If it can't be pickled.
    """
    import cloudpickle

    label = getattr(value, "__name__", type(value).__name__)
    label = label if label.isidentifier() else "function"  # <lambda>
    name = f"{fingerprint(value)}{SUFFIX}:{label}"
    source = source_of(value)
    try:
        pickled = cloudpickle.dumps((value, source))
    except Exception as error:  # whatever an object raises that can't be pickled
        raise TypeError(
            f"{label} can't be sent to the processes that run the jobs: {error}"
        ) from error
    with replacing(_file_of(name, folder)) as unfinished:
        unfinished.write_bytes(pickled)
    _known[name] = value, source
    return name


def label_of(spec: str) -> str:
    """How a message should call what a text names: without a fingerprint."""
    location, _, label = spec.rpartition(":")
    return label if location.endswith(SUFFIX) else spec


def find_object(name: str) -> tuple[Any, str]:
    """The object of a name that this process gave it, or another one that told the folder.

    Returns
    -------
    object, str
        With its source, as far as that is known.
    """
    if name in _known:
        return _known[name]
    folder = os.environ.get(FOLDER)
    if folder is None or not _file_of(name, folder).is_file():
        raise ConfigError(f"{name!r} names an object of a program that did not start this one")
    return _unpickled(_file_of(name, folder))


def _file_of(name: str, folder: str | Path) -> Path:
    return Path(folder, name.partition(":")[0])


@cache
def _unpickled(path: Path) -> tuple[Any, str]:
    with path.open("rb") as file:
        return pickle.load(file)


def source_of(value: Any) -> str:
    """The source of a function or class; '' for other objects, and where it is not known."""
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return ""


class Answers:
    """What a function of paths has returned, to be asked again in another process."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]]):
        self.answers = dict(answers)

    def __call__(self, path: Path) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if str(path) not in self.answers:
            raise ConfigError(f"{path} came after the run had begun; run it again")
        return self.answers[str(path)]
