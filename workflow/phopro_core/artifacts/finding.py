"""Artifact detectors and correctors as settings name them."""

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector
from phopro_core.artifacts.derivatives import DerivativeDetector
from phopro_core.artifacts.splines import SplineCorrector
from phopro_core.errors import ConfigError
from phopro_core.objects import find_class

#: Classes that settings name without saying where they are defined.
BUILT_IN = (DerivativeDetector, SplineCorrector)

Part = TypeVar("Part", ArtifactDetector, ArtifactCorrector)


def find_artifact_part(setting: str | Mapping[str, Any], base: type[Part]) -> Part:
    """A detector or corrector by its name, or by a mapping: {name: …} and its arguments.

    Raises
    ------
    ConfigError
        If there is no such class, it is not of this base, or refuses its arguments.

    Examples
    --------
    >>> setting = {"name": "DerivativeDetector", "threshold": 8}
    >>> find_artifact_part(setting, ArtifactDetector).threshold
    8
    """
    kwargs = dict(setting) if isinstance(setting, Mapping) else {"name": setting}
    name = kwargs.pop("name", None)
    cls = find_class(name, base, BUILT_IN)
    try:
        return cls(**kwargs)
    except TypeError as error:
        allowed = ", ".join(inspect.signature(cls).parameters)
        raise ConfigError(f"{name}: {error} (allowed: {allowed or 'none'})") from error
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error
