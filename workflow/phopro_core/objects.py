"""Objects that a config names: path/to/file.py:name, and artifact detectors by name.

Settings stay text until a stage runs, so that they can be compared with those of an
earlier run; what they name is loaded by the stage, and, to check it, when a batch is planned.
"""

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector
from phopro_core.errors import ConfigError

_IN_A_FILE = re.compile(r"(?P<path>.+\.py):\w+")


def load_object(spec: str) -> Any:
    """Import what path/to/file.py:name says; each file is executed once per process.

    Raises
    ------
    ConfigError
        If there is no such file, it can't be imported, or it has no such name.
    """
    location, _, name = spec.rpartition(":")
    path = Path(location)
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{spec!r}: no Python file {location!r} (expected path/to/file.py:name)")
    module_name = "phopro_file_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    module = sys.modules.get(module_name)
    if module is None:
        module_spec = importlib.util.spec_from_file_location(module_name, path)
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[module_name] = module
        try:
            module_spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise ConfigError(
                f"{path}: can't be imported: {type(error).__name__}: {error}"
            ) from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise ConfigError(f"{path}: defines no {name!r}") from None


def load_named(function: Callable, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Put objects in the places of their names, where the annotations want objects.

    Parameters
    ----------
    function : callable
        Takes the keyword arguments. Where its annotation allows a callable, a text
        path/to/file.py:name becomes that function; where it is an artifact detector or
        corrector, a name or a mapping becomes that.
    kwargs : mapping

    Raises
    ------
    ConfigError
        If a text names nothing, or something of another kind.
    """
    parameters = inspect.signature(function).parameters
    loaded = dict(kwargs)
    for key, value in kwargs.items():
        if key in parameters and value is not None:
            try:
                loaded[key] = _load(value, parameters[key].annotation)
            except ConfigError as error:
                raise ConfigError(f"{key}: {error}") from error
    return loaded


def _load(value: Any, annotation: Any) -> Any:
    wanted = [get_origin(option) or option for option in (get_args(annotation) or [annotation])]
    for base in (ArtifactDetector, ArtifactCorrector):
        if base in wanted and isinstance(value, str | Mapping):
            from phopro_core.artifacts.finding import find_artifact_part

            return find_artifact_part(value, base)
    if Callable in wanted and isinstance(value, str) and _IN_A_FILE.fullmatch(value):
        function = load_object(value)
        if not callable(function):
            raise ConfigError(f"{value} is a {type(function).__name__}, but must be a function")
        return function
    return value


def files_behind(settings: Any) -> list[str]:
    """The files of all texts path/to/file.py:name in nested settings, each once."""
    match settings:
        case str():
            named = _IN_A_FILE.fullmatch(settings)
            found = [named["path"]] if named else []
        case Mapping():
            found = [file for value in settings.values() for file in files_behind(value)]
        case list() | tuple():
            found = [file for value in settings for file in files_behind(value)]
        case _:
            found = []
    return list(dict.fromkeys(found))
