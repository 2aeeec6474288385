"""The config: what may stand in it, and what stands for a key that is left out."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from phopro_core.errors import ConfigError


def complete_config(config: Mapping[str, Any], schema_path: str | Path) -> dict[str, Any]:
    """Check a config against its schema, and fill in the defaults.

    Parameters
    ----------
    config : mapping
    schema_path : path
        JSON schema, in YAML.

    Raises
    ------
    ConfigError
        If something is not as the schema says; one message with all that is wrong.
    """
    import yaml
    from jsonschema import Draft202012Validator

    schema = yaml.safe_load(Path(schema_path).read_text(encoding="utf-8"))
    errors = sorted(
        Draft202012Validator(schema).iter_errors(config), key=lambda error: list(error.path)
    )
    if errors:
        raise ConfigError("\n".join(line for error in errors for line in _explain(error)))
    defaults = {
        key: about["default"] for key, about in schema["properties"].items() if "default" in about
    }
    return {**defaults, **config}


def _explain(error: Any) -> list[str]:
    """Lines for a user, of a jsonschema ValidationError."""
    key = ".".join(map(str, error.absolute_path))
    match error.validator:
        case "additionalProperties":
            allowed = list(error.schema["properties"])
            unknown = [name for name in error.instance if name not in allowed]
            return [_unknown_key(name, allowed) for name in unknown]
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return [f"config: key {name!r} is missing" for name in missing]
        case "enum":
            allowed = ", ".join(map(str, error.validator_value))
            return [f"config key {key!r}: {error.instance!r} is not one of: {allowed}"]
        case _:
            expected = error.schema.get("title") or error.message
            return [f"config key {key!r}: {error.instance!r} is not {expected}"]


def _unknown_key(name: str, allowed: list[str]) -> str:
    similar = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {similar[0]!r}? " if similar else ""
    return f"config: unknown key {name!r} ({hint}allowed: {', '.join(allowed)})"
