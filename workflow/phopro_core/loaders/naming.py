"""Parts of a file, told by their whole name or by its end."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Names that a message lists.
_N_LISTED = 40


def find_part(path: str | Path, wanted: str, names: Iterable[str], what: str) -> str:
    """The name of a part of a file.

    Parameters
    ----------
    path : path
        The file, for messages.
    wanted : str
        The name, or as many of its last components (between slashes) as tell it apart.
    names : iterable of str
    what : str
        What it is, for messages.

    Raises
    ------
    ValueError
        If there is no such part, or several.

    Examples
    --------
    >>> find_part("m1.doric", "B/x", ["A/x", "B/x"], "trace")
    'B/x'
    """
    names = list(names)
    ends = wanted.strip("/")
    found = [name for name in names if name.strip("/") == ends] or [
        name for name in names if name.endswith(f"/{ends}")
    ]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(names[:_N_LISTED]) + (", …" if len(names) > _N_LISTED else "")
    raise ValueError(
        f"{path}: no {what} {wanted!r} (there: {listed or 'none'})"
        if not found
        else f"{path}: {what} {wanted!r} may be any of {', '.join(found)}; tell more of its path"
    )


def as_list(names: str | Sequence[str] | None) -> list[str]:
    """Names of which one may be given alone, or none."""
    return [names] if isinstance(names, str) else list(names or [])


def by_label(names: str | Sequence[str] | Mapping[str, Any] | None) -> dict[str, Any]:
    """What holds each event, by its label; in a list, names are the labels too.

    >>> by_label(["DIO01"]), by_label({"lever": "DIO02"})
    ({'DIO01': 'DIO01'}, {'lever': 'DIO02'})
    """
    if isinstance(names, Mapping):
        return dict(names)
    return {name: name for name in as_list(names)}
