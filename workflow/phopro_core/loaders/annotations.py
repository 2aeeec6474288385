"""Annotation files: what is known of a recording beside its traces."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

AnnotationHandler = Literal["json", "yaml"] | Callable[[Path], Mapping[str, Any]]


def read_annotation(path: str | Path | None, handler: AnnotationHandler = "json") -> dict[str, Any]:
    """Read an annotation file: a mapping of names to values.

    Parameters
    ----------
    path : path or None
        None gives an empty annotation.
    handler : {'json', 'yaml'} or callable
        The file's format, or a function of its path that returns a mapping.

    Raises
    ------
    ValueError
        If the file can't be read as its format, or holds something but a mapping.
    FileNotFoundError
        If there is no such file.
    """
    if path is None:
        return {}
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such annotation file")
    try:
        annotation = _parse(path, handler)
    except ValueError as error:
        raise ValueError(f"{path}: not a valid {handler} file: {error}") from error
    if not isinstance(annotation, Mapping):
        raise ValueError(
            f"{path}: an annotation maps names to values, but this is a {type(annotation).__name__}"
        )
    return {str(key): value for key, value in annotation.items()}


def _parse(path: Path, handler: AnnotationHandler) -> Any:
    if callable(handler):
        return handler(path)
    text = path.read_text(encoding="utf-8-sig")
    match handler:
        case "json":
            return json.loads(text)
        case "yaml":
            import yaml

            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(str(error)) from error
        case _:
            raise ValueError(f"annotation_handler is {handler!r}, but must be 'json' or 'yaml'")
