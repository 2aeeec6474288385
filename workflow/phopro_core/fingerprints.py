"""Fingerprints of what users write in Python: equal as long as it would do the same.

A function counts by its compiled code, which comments and its place in a file leave as it
is, by its defaults and annotations, by what it closes over, and by the globals that it
names; objects by what they are made of. What belongs to installed packages counts by name.
"""

import copyreg
import dis
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
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

#: Begins the names of modules that are made of users' files.
MODULE_PREFIX = "phopro_file_"
#: What Python itself keeps in a class, and changes as it likes.
_INTERNALS = {
    "__abstractmethods__",
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
    >>> fingerprint({"a": [1, 2]}) == fingerprint({"a": [1, 2]})
    True
    >>> fingerprint({"a": [1, 2]}) == fingerprint({"a": [1, 2.0]})
    False
    """
    return _digest(value, {})


def _digest(value: Any, seen: Seen) -> str:
    digest = hashlib.sha256()
    for token in _tokens(value, seen):
        digest.update(f"{len(token)}:{token}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _tokens(value: Any, seen: Seen) -> Iterator[str]:
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
    parts = _parts(value, seen)
    yield f"{_name(type(value))} of {len(parts)}"
    for part in parts:
        yield from _tokens(part, seen)


def _parts(value: Any, seen: Seen) -> list[Any]:
    """What a value is made of."""
    match value:
        case list() | tuple():
            return list(value)
        case set() | frozenset():
            # In an order that does not hang on this process's hashes.
            return sorted(_digest(item, dict(seen)) for item in value)
        case dict():
            return [part for item in value.items() for part in item]
        case np.ndarray() if value.dtype != object:
            return [str(value.dtype), list(value.shape), value.tobytes()]
        case CodeType():
            names = [*value.co_varnames, *value.co_freevars, *value.co_cellvars]
            compiled = [value.co_code, value.co_exceptiontable, value.co_flags]
            return [*compiled, list(value.co_names), names, list(value.co_consts)]
        # Not of its __module__, which decorators copy.
        case FunctionType() if _is_users(value.__globals__.get("__name__")):
            used = {name: value.__globals__.get(name) for name in _globals_of(value)}
            given = [value.__defaults__, value.__kwdefaults__, value.__annotations__]
            return [value.__code__, *given, value.__closure__, used]
        case type() if _is_users(value.__module__):
            own = {key: item for key, item in sorted(vars(value).items()) if key not in _INTERNALS}
            return [value.__qualname__, value.__bases__, own]
        case ModuleType() | BuiltinFunctionType() | FunctionType() | type():
            return [_name(value)]
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
        case functools.cached_property():
            return [value.func]
    if hasattr(value, "__wrapped__"):
        return [value.__wrapped__]
    return _reduced(value)


def _reduced(value: Any) -> list[Any]:
    """What pickle would make an object of: a function, its arguments, a state, items."""
    registered = copyreg.dispatch_table.get(type(value))
    try:
        reduced = registered(value) if registered else value.__reduce_ex__(4)
    except Exception:  # whatever a class raises that can't be pickled
        return [_name(type(value))]
    if isinstance(reduced, str):
        return [_name(type(value)), reduced]
    return [list(part) if isinstance(part, Iterator) else part for part in reduced]


def _globals_of(function: FunctionType) -> list[str]:
    """Names of its module that a function uses, in itself or in functions inside of it."""
    codes, names = [function.__code__], set()
    while codes:
        code = codes.pop()
        loads = (one for one in dis.get_instructions(code) if one.opname in _LOADS)
        names.update(one.argval for one in loads)
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
    return sorted(names.intersection(function.__globals__))


_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")


def _name(value: Any) -> str:
    """The name of something, with its module where that is not the user's own."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    module = getattr(value, "__module__", None) or ""
    return name if _is_users(module) else f"{module}.{name}"


@functools.cache
def _is_users(module: str | None) -> bool:
    """Whether a module is a user's own, and not of Python or an installed package."""
    if module is None:
        return False
    top = module.partition(".")[0]
    if top == "__main__" or top.startswith(MODULE_PREFIX):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or top == "phopro_core" or top in sys.stdlib_module_names:
        return False
    return not {"site-packages", "dist-packages"}.intersection(Path(file).parts)
