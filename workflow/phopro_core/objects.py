"""Objects that a config names as path/to/file.py:name."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from phopro_core.errors import ConfigError


def load_object(spec: str) -> Any:
    """Import what path/to/file.py:name says; each file is executed once per process.

    Raises
    ------
    ConfigError
        If there is no such file, it can't be imported, or it has no such name.
    """
    location, _, name = spec.rpartition(":")
    path = Path(location)
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{spec!r}: no Python file {location!r} (expected path/to/file.py:name)")
    module_name = "phopro_file_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    module = sys.modules.get(module_name)
    if module is None:
        module_spec = importlib.util.spec_from_file_location(module_name, path)
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[module_name] = module
        try:
            module_spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise ConfigError(
                f"{path}: can't be imported: {type(error).__name__}: {error}"
            ) from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise ConfigError(f"{path}: defines no {name!r}") from None
