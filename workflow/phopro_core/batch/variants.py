"""Variants: alternative settings that a config names, one at a time or crossed."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from phopro_core.errors import ConfigError

#: What a variant may say otherwise than the config.
KEYS = ("preprocess_kwargs", "trial_extraction_kwargs")
#: Folders of the results that a variant's folder must not be taken for.
RESERVED = ("dashboards", "drawn", "extracted", "logs", "processed", "recordings")
#: What results end in that lie beside the variants' folders.
SUFFIXES = (".h5ad", ".json", ".log", ".tsv")

Alternatives = Mapping[str, Mapping[str, Mapping[str, Any]]]


def with_variants(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of each variant by its name, and before them those of the config, under ''.

    Parameters
    ----------
    config : mapping
        Its ``variants`` are a mapping of name to settings, which are taken one at a time;
        or a list of such mappings, of which every combination of one from each is taken,
        named ``first-second-…``.

    Returns
    -------
    dict of name to {'preprocess_kwargs', 'trial_extraction_kwargs'}
        Those of the config, with the arguments that a variant names in their places.

    Raises
    ------
    ConfigError
        If two variants have one name, or one that can't be that of a folder here.

    Examples
    --------
    >>> ols, wide = {"preprocess_kwargs": {"fit_using": "OLS"}}, {"trial_extraction_kwargs": {}}
    >>> config = {"preprocess_kwargs": {}, "trial_extraction_kwargs": {"align_to": "cue"}}
    >>> list(with_variants(config | {"variants": [{"irls": {}, "ols": ols}, {"wide": wide}]}))
    ['', 'irls-wide', 'ols-wide']
    """
    found = {"": {key: dict(config[key]) for key in KEYS}}
    for name, changes in _named(config["variants"]):
        taken = name.lower() in RESERVED or name.lower().endswith(SUFFIXES)
        if taken or not re.fullmatch(r"\w[\w.-]*", name):
            raise ConfigError(
                f"{name!r} can't name a variant, since its results get a folder of that name: take "
                f"letters, digits, '_', '-' and '.', but no file's suffix, and none of "
                f"{', '.join(RESERVED)}"
            )
        if name in found:
            raise ConfigError(f"two variants are named {name!r}; rename one")
        found[name] = {
            key: {**config[key], **{k: v for one in changes for k, v in one.get(key, {}).items()}}
            for key in KEYS
        }
    return found


def _named(variants: Alternatives | Sequence[Alternatives]) -> list[tuple[str, list[Mapping]]]:
    """Each variant's name, and what it changes, in the order of taking effect."""
    if isinstance(variants, Mapping):
        return [(str(name), [changes]) for name, changes in variants.items()]
    chosen = product(*(axis.items() for axis in variants))
    return [
        ("-".join(str(name) for name, _ in one), [changes for _, changes in one]) for one in chosen
    ]
