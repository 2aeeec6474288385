"""Objects that a config names: path/to/file.py:name, and artifact detectors by name.

Settings stay text until a stage runs, so that they can be compared with those of an
earlier run; what they name is loaded by the stage, and, to check it, when a batch is planned.
"""

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

from phopro_core import live
from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector
from phopro_core.errors import ConfigError
from phopro_core.fingerprints import MODULE_PREFIX, fingerprint

_LIVE = re.compile(rf"\w+{re.escape(live.SUFFIX)}:\w+")
_NAMED = re.compile(rf".+\.py:\w+|{_LIVE.pattern}")


def load_object(spec: str) -> Any:
    """Import what path/to/file.py:name says; each version of a file is executed once.

    Names of objects of a running program, see :mod:`phopro_core.live`, are found too.

    Raises
    ------
    ConfigError
        If there is no such file, it can't be imported, or it has no such name.
    """
    if _LIVE.fullmatch(spec):
        return live.find_object(spec)[0]
    location, _, name = spec.rpartition(":")
    path = Path(location)
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{spec!r}: no Python file {location!r} (expected path/to/file.py:name)")
    try:
        return getattr(_module(path), name)
    except AttributeError:
        raise ConfigError(f"{path}: defines no {name!r}") from None


def _module(path: Path) -> ModuleType:
    """A file as a module; without bytecode, which would litter folders of users."""
    version = f"{path.resolve()} {path.stat().st_mtime_ns}"
    name = MODULE_PREFIX + hashlib.sha256(version.encode()).hexdigest()[:16]
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        exec(spec.loader.source_to_code(path.read_bytes(), str(path)), vars(module))
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{path}: can't be imported: {type(error).__name__}: {error}") from error
    return module


def find_class(name: str, base: type, built_in: Iterable[type] = ()) -> type:
    """A class by its name, if it is `base` or built in, or by path/to/file.py:ClassName.

    Raises
    ------
    ConfigError
        If there is no such class, or it is not one of `base`.
    """
    known = [cls for cls in (base, *built_in) if issubclass(cls, base)]
    offered = {cls.__name__: cls for cls in known if not inspect.isabstract(cls)}
    if name in offered:
        return offered[name]
    if not isinstance(name, str) or ":" not in name:
        raise ConfigError(
            f"{name!r} names no {base.__name__} (built in: {', '.join(offered)}; one of your own "
            "is given as path/to/file.py:ClassName)"
        )
    cls = load_object(name)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise ConfigError(f"{name} is not a subclass of {base.__name__}")
    return cls


def load_function(spec: str) -> Callable[..., Any]:
    """Import what path/to/file.py:name says, which must be something to call."""
    function = load_object(spec)
    if not callable(function):
        raise ConfigError(f"{spec} is a {type(function).__name__}, but must be a function")
    return function


def load_named(function: Callable, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Put objects in the places of their names, where the annotations want objects.

    Parameters
    ----------
    function : callable
        Takes the keyword arguments. Where its annotation allows a callable, a text
        path/to/file.py:name becomes that function; where it is an artifact detector or
        corrector, a name or a mapping becomes that. Objects of a running program take their
        places anywhere, whatever the annotation.
    kwargs : mapping

    Raises
    ------
    ConfigError
        If a text names nothing, or something of another kind.
    """
    parameters = inspect.signature(function).parameters
    loaded = {key: _revived(value) for key, value in kwargs.items()}
    for key, value in loaded.items():
        if key in parameters and value is not None:
            try:
                loaded[key] = _load(value, parameters[key].annotation)
            except ConfigError as error:
                raise ConfigError(f"{key}: {error}") from error
    return loaded


def _revived(settings: Any) -> Any:
    """Nested settings with the objects of a running program in the places of their names."""
    if not any(_LIVE.fullmatch(spec) for spec in named_in(settings)):
        return settings
    match settings:
        case str():
            return live.find_object(settings)[0]
        case Mapping():
            return {key: _revived(value) for key, value in settings.items()}
        case _:
            return [_revived(value) for value in settings]


def _load(value: Any, annotation: Any) -> Any:
    wanted = [get_origin(option) or option for option in (get_args(annotation) or [annotation])]
    for base in (ArtifactDetector, ArtifactCorrector):
        if base in wanted and isinstance(value, str | Mapping):
            from phopro_core.artifacts.finding import find_artifact_part

            return find_artifact_part(value, base)
    if Callable in wanted and isinstance(value, str) and _NAMED.fullmatch(value):
        return load_function(value)
    return value


def _is_there(spec: str) -> bool:
    return bool(_LIVE.fullmatch(spec)) or Path(spec.rpartition(":")[0]).is_file()


def named_in(settings: Any) -> list[str]:
    """All texts path/to/file.py:name in nested settings, each once."""
    match settings:
        case str():
            found = [settings] if _NAMED.fullmatch(settings) and _is_there(settings) else []
        case Mapping():
            found = [spec for value in settings.values() for spec in named_in(value)]
        case list() | tuple():
            found = [spec for value in settings for spec in named_in(value)]
        case _:
            found = []
    return list(dict.fromkeys(found))


def located(settings: Any, folder: str | Path) -> Any:
    """Nested settings in which what is named by a relative path starts from a folder."""
    match settings:
        case str() if _NAMED.fullmatch(settings) and not _LIVE.fullmatch(settings):
            return str(Path(folder, settings))
        case Mapping():
            return {key: located(value, folder) for key, value in settings.items()}
        case list() | tuple():
            return [located(value, folder) for value in settings]
        case _:
            return settings


def sources(settings: Any) -> dict[str, str]:
    """The sources of all functions and classes that nested settings name."""
    found = {}
    for spec in named_in(settings):
        is_live = _LIVE.fullmatch(spec)
        found[spec] = live.find_object(spec)[1] if is_live else live.source_of(load_object(spec))
    return found


def fingerprints(settings: Any) -> list[str]:
    """Fingerprints of all that nested settings name."""
    return [_fingerprint_of(spec) for spec in named_in(settings)]


@cache
def _fingerprint_of(spec: str) -> str:
    return fingerprint(load_object(spec))
