"""Fingerprints of what users write in Python: equal as long as it would do the same.

A function counts by its compiled code, which comments and its place in a file leave as it
is, by its defaults, by what it closes over, and by what it names of its own module. What it
takes from other modules counts by name.
"""

import functools
import hashlib
import pickle
from collections.abc import Iterator, Mapping
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

#: What Python itself keeps in a class, and changes as it likes.
_INTERNALS = {
    "__abstractmethods__",
    "__annotations__",
    "__dict__",
    "__doc__",
    "__firstlineno__",
    "__module__",
    "__static_attributes__",
    "__weakref__",
    "_abc_impl",
}
#: What was described before: by its id, its number, and itself, lest another gets its id.
Seen = dict[int, tuple[int, Any]]


def fingerprint(value: Any) -> str:
    """A text of 16 digits that changes when a function, class or value does.

    Examples
    --------
    >>> double, twice, triple = lambda x: 2 * x, lambda x: 2 * x, lambda x: 3 * x
    >>> fingerprint(double) == fingerprint(twice), fingerprint(double) == fingerprint(triple)
    (True, False)
    """
    home = getattr(value, "__module__", None) or type(value).__module__
    return _digest(value, home, {})


def _digest(value: Any, home: str, seen: Seen) -> str:
    digest = hashlib.sha256()
    for token in _tokens(value, home, seen):
        digest.update(f"{len(token)}:{token}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _tokens(value: Any, home: str, seen: Seen) -> Iterator[str]:
    """A flat description of a value, in which what came before is told by its number."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield f"{type(value).__name__} {value!r}"
        return
    # Whether equal constants are one object is up to the compiler.
    if not isinstance(value, tuple | frozenset | CodeType):
        if id(value) in seen:
            yield f"again {seen[id(value)][0]}"
            return
        seen[id(value)] = len(seen), value
    parts = _parts(value, home, seen)
    yield f"{_name(type(value))} of {len(parts)}"
    for part in parts:
        yield from _tokens(part, home, seen)


def _parts(value: Any, home: str, seen: Seen) -> list[Any]:
    """What a value is made of."""
    match value:
        case list() | tuple():
            return list(value)
        case set() | frozenset():
            # In an order that does not hang on this process's hashes.
            return sorted(_digest(item, home, dict(seen)) for item in value)
        case Mapping():
            return [part for item in value.items() for part in item]
        case np.ndarray() if value.dtype != object:
            return [str(value.dtype), list(value.shape), value.tobytes()]
        case ModuleType() | BuiltinFunctionType():
            return [_name(value)]
        case CodeType():
            names = [*value.co_varnames, *value.co_freevars, *value.co_cellvars]
            compiled = [value.co_code, value.co_exceptiontable, value.co_flags]
            return [*compiled, list(value.co_names), names, list(value.co_consts)]
        case FunctionType() if value.__module__ == home:
            used = {name: value.__globals__.get(name) for name in _globals_of(value)}
            defaults = [value.__defaults__, value.__kwdefaults__]
            return [value.__code__, *defaults, value.__closure__, used]
        case CellType():
            try:
                return [value.cell_contents]
            except ValueError:  # not filled yet
                return []
        case MethodType():
            return [value.__func__, value.__self__]
        case staticmethod() | classmethod():
            return [value.__func__]
        case property():
            return [value.fget, value.fset, value.fdel]
        case functools.partial():
            return [value.func, value.args, value.keywords]
        case type() if value.__module__ == home:
            own = {key: item for key, item in sorted(vars(value).items()) if key not in _INTERNALS}
            return [value.__qualname__, value.__bases__, own]
        case FunctionType() | type():
            return [_name(value)]
    if hasattr(value, "__wrapped__"):
        return [value.__wrapped__]
    if type(value).__module__ == home and hasattr(value, "__dict__"):
        return [type(value), vars(value)]
    try:
        return [pickle.dumps(value, protocol=5)]
    except Exception:  # whatever a class raises that can't be pickled
        return [_name(type(value))]


def _globals_of(function: FunctionType) -> list[str]:
    """Names of its module that a function uses, in itself or in functions inside of it."""
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
    return sorted(names.intersection(function.__globals__))


def _name(value: Any) -> str:
    module = getattr(value, "__module__", None) or ""
    return f"{module}.{getattr(value, '__qualname__', None) or getattr(value, '__name__', '')}"
