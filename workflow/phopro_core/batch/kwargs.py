"""Keyword arguments from a config: checked against the signature that will receive them."""

import inspect
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path, PurePath
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import numpy as np

from phopro_core.errors import ConfigError
from phopro_core.objects import load_named


class KwargsError(ConfigError, TypeError):
    """Keyword arguments that the receiving function would not take."""


def resolve_kwargs(
    function: Callable, kwargs: Mapping[str, Any], n_positional: int = 1
) -> dict[str, Any]:
    """Check keyword arguments against a signature, and fill in its defaults.

    Parameters
    ----------
    function : callable
        An unbound method or a plain function.
    kwargs : mapping
    n_positional : int
        How many of the leading parameters (self, the input's path) are given otherwise.

    Returns
    -------
    dict
        All parameters in the signature's order, values converted to their annotations;
        names of objects (see :func:`~phopro_core.objects.load_named`) as they are.

    Raises
    ------
    KwargsError
        If a name is unexpected or missing, or a value does not fit its annotation.
    ConfigError
        If a value names an object that can't be loaded.
    """
    name = f"{function.__qualname__}()"
    parameters = list(inspect.signature(function).parameters.values())
    given, parameters = parameters[:n_positional], parameters[n_positional:]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}

    unexpected = [
        key
        for key in kwargs
        if key not in named and (not takes_any or key in {p.name for p in given})
    ]
    if unexpected:
        raise KwargsError(
            f"Unexpected kwargs for {name}: {unexpected}",
            hint=f"allowed: {', '.join(named) or 'none'}",
        )
    missing = [p.name for p in named.values() if p.default is p.empty and p.name not in kwargs]
    if missing:
        raise KwargsError(f"Missing kwargs for {name}: {missing}")
    resolved = {key: p.default for key, p in named.items()} | kwargs
    for key, value in load_named(function, kwargs).items():
        annotation = named[key].annotation if key in named else inspect.Parameter.empty
        converted = _converted(value, annotation, f"{name}: {key}")
        if value is kwargs[key]:
            resolved[key] = converted
    return resolved


def _converted(value: Any, annotation: Any, what: str) -> Any:
    """The value as its annotation wants it; as it is where that says nothing checkable."""
    from pydantic import ValidationError

    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return value
    adapter = _adapter(annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise KwargsError(f"{what} is {value!r}, but must be {_describe(annotation)}") from error


@cache
def _adapter(annotation: Any) -> Any:
    """Pydantic's TypeAdapter of an annotation, or None if it has no schema for it."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError

    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticSchemaGenerationError, PydanticUserError):
        return None


def _describe(annotation: Any) -> str:
    """An annotation in a user's words, as far as it is a choice of values or types."""
    options = [
        word for option in get_args(annotation) or [annotation] for word in _words_for(option)
    ]
    return " or ".join(filter(None, [", ".join(options[:-1]), options[-1]]))


def _words_for(option: Any) -> list[str]:
    kind = get_origin(option) or option
    if kind is Literal:
        return [repr(value) for value in get_args(option)]
    if kind is Callable:
        return ["path/to/file.py:function"]
    if kind in (NoneType, None):
        return ["null"]
    if option is kind and isinstance(kind, type):
        return [kind.__name__]
    text = str(option)
    for module in ("typing.", "collections.abc.", "pathlib."):
        text = text.replace(module, "")
    return [text]


def in_json_types(value: Any) -> Any:
    """A value in types that JSON has: paths as text, tuples as lists, numpy's as Python's.

    Raises
    ------
    ConfigError
        If something in it is of another type, such as a function.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic() | np.ndarray():
            return in_json_types(value.tolist())
        case PurePath() | date():
            return str(value)
        case Mapping():
            return {str(key): in_json_types(item) for key, item in value.items()}
        case list() | tuple() | range():
            return [in_json_types(item) for item in value]
        case set() | frozenset():
            return in_json_types(sorted(value, key=str))
        case _:
            raise ConfigError(
                f"{value!r} is a {type(value).__name__}, but settings hold numbers, texts, lists "
                "and mappings only; name a function as path/to/file.py:name"
            )


def fill_templates(value: Any, path: Path) -> Any:
    """Fill path templates in the text values of a nested mapping or list.

    Parameters
    ----------
    value : any
        ``{path}`` in a text stands for the discovered input, and ``{path.parent}``,
        ``{path.stem}``, ``{path.name}`` … for its parts; ``{stem}`` for its name without
        any suffix of a compressed file. A brace is written twice.
    path : Path

    Examples
    --------
    >>> fill_templates({"annotation_file": "{path.parent}/{stem}.json"}, Path("a/b.csv.gz"))
    {'annotation_file': 'a/b.json'}
    """
    match value:
        case str():
            try:
                return value.format(path=path, stem=stem(path))
            except (AttributeError, IndexError, KeyError, ValueError) as error:
                raise ConfigError(
                    f"can't fill the template {value!r}: {error} (known are {{path}}, its "
                    "parts such as {path.parent}, {path.name}, {path.stem}, and {stem}; a brace "
                    "itself is written twice)"
                ) from error
        case Mapping():
            return {key: fill_templates(item, path) for key, item in value.items()}
        case list() | tuple():
            return [fill_templates(item, path) for item in value]
        case _:
            return value


def stem(path: Path) -> str:
    """A file's name without its suffix, nor that of its compression."""
    compressed = path.suffix.lower() in {".gz", ".bz2", ".xz", ".zst", ".zip"}
    return Path(path.stem).stem if compressed else path.stem
