"""Loader calls: which experiments an input makes, each with its keyword arguments."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from phopro_core.batch.kwargs import fill_templates
from phopro_core.errors import ConfigError
from phopro_core.live import label_of
from phopro_core.objects import load_function

#: One mapping, or a list of them, each for a call; or path/to/file.py:name of a function
#: of the input's path that returns such.
LoaderKwargs = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str


def calls_of_loader(
    named: Mapping[str, Path], loader_kwargs: LoaderKwargs
) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """The input and the keyword arguments of each experiment.

    Parameters
    ----------
    named : mapping of text to Path
        The inputs by their names, see
        :func:`~phopro_core.batch.discovery.name_experiments`. That is the name of the
        experiment, or, where the input has a list of calls, its beginning.
    loader_kwargs : mapping, list of mappings, or path/to/file.py:name

    Raises
    ------
    ConfigError
        If a template can't be filled, the function fails or returns something else, or
        two calls would make experiments of one name.
    """
    calls: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for name, path in named.items():
        given = _called(loader_kwargs, path)
        several = {f"{name}-{k}": one for k, one in enumerate(given, 1)}
        for experiment, kwargs in (several if isinstance(given, list) else {name: given}).items():
            if experiment in calls:
                raise ConfigError(
                    f"two jobs would both be experiment {experiment!r}: of "
                    f"{str(calls[experiment][0])!r} and of {str(path)!r}; rename one"
                )
            calls[experiment] = path, kwargs
    return calls


def _called(loader_kwargs: LoaderKwargs, path: Path) -> Mapping[str, Any] | list[Mapping[str, Any]]:
    """The keyword arguments of one input, or a list of such."""
    if isinstance(loader_kwargs, str):
        return ask(load_function(loader_kwargs), label_of(loader_kwargs), path)
    return fill_templates(loader_kwargs, path)


def ask(
    function: Callable[[Path], Any], name: str, path: Path
) -> Mapping[str, Any] | list[Mapping[str, Any]]:
    """The keyword arguments, or a list of such, that a function returns for an input.

    Raises
    ------
    ConfigError
        If it fails, or returns something else; `name` is how the message calls it.
    """
    try:
        returned = function(path)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{name} failed for {str(path)!r}: {type(error).__name__}: {error}"
        ) from error
    several = isinstance(returned, list | tuple) and len(returned) > 0
    if not all(isinstance(one, Mapping) for one in (returned if several else [returned])):
        raise ConfigError(
            f"{name} returned {returned!r} for {str(path)!r}, but must return a mapping of keyword "
            "arguments, or a list of such mappings"
        )
    return list(returned) if several else returned
