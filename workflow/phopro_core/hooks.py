"""Hooks: functions of users that are called with an experiment at points of its way."""

import logging
import re

from phopro_core.experiment import PhotometryExperiment
from phopro_core.live import label_of
from phopro_core.objects import load_function

logger = logging.getLogger("phopro_core.hooks")

#: Characters, beside letters, digits and spaces, that every file system takes.
_MARKS = "-.,;+=()[]&%#@!'~^$"
_SAFE = re.compile(rf"\w[\w {re.escape(_MARKS)}]*(?<![ .])")
#: Bytes of a name, at most; a suffix and the mark of an unfinished file come to it.
_LONGEST = 200


def run_hook(key: str, spec: str | None, experiment: PhotometryExperiment) -> None:
    """Call a hook, which changes the experiment in place.

    Parameters
    ----------
    key : str
        The config key, such as 'post_load_operation'.
    spec : str or None
        path/to/file.py:name; None for no hook.
    experiment : PhotometryExperiment

    Raises
    ------
    TypeError
        If it returns something: what it returned would be lost.
    """
    if spec is None:
        return
    stage = key.removeprefix("post_").removesuffix("_operation").replace("_", " ")
    logger.info("Running custom post-%s operation...", stage)
    returned = load_function(spec)(experiment)
    if returned is not None:
        raise TypeError(
            f"{key} ({label_of(spec)}) returned a {type(returned).__name__}; it is to change the "
            "experiment in place, and to return nothing"
        )


def build_id(spec: str, experiment: PhotometryExperiment) -> str:
    """The experiment's id, by the function that makes ids of experiments.

    Raises
    ------
    TypeError
        If it returns something but a text.
    ValueError
        If that can't be the name of a file.
    """
    logger.info("Assigning experiment ID...")
    made = load_function(spec)(experiment)
    builder = f"id_builder ({label_of(spec)})"
    if not isinstance(made, str):
        raise TypeError(
            f"{builder} returned a {type(made).__name__}, {made!r}, but an id is a text"
        )
    if not _SAFE.fullmatch(made) or len(made.encode(errors="replace")) > _LONGEST:
        raise ValueError(
            f"{builder} returned {made!r}, which can't be the name of a file: take up to "
            f"{_LONGEST} letters, digits, spaces, '_' and {_MARKS}, a letter, digit or '_' first, "
            "and no space or dot last"
        )
    logger.info("Experiment ID = %s", made)
    return made
