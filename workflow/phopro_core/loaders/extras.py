"""Libraries that only some formats need, and that are installed when asked for."""

from importlib import import_module
from types import ModuleType

from phopro_core.errors import ConfigError


def import_extra(module: str, extra: str) -> ModuleType:
    """Import a library of an extra of this package.

    Raises
    ------
    ConfigError
        If it is not installed: the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ConfigError(
            f"the package {module!r}, which reads this format, is not installed; install it by: "
            f"pip install 'phopro-workflow[{extra}]' (or, in the repository, pip install "
            f"'.[{extra}]')"
        ) from error
