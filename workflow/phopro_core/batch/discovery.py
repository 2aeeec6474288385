"""Discovery: which files or folders of the data directory are recordings."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from natsort import natsorted, ns

from phopro_core.batch.kwargs import stem
from phopro_core.errors import ConfigError

TargetType = Literal["file", "folder"]


def discover_inputs(
    data_directory: str | Path,
    target_type: TargetType,
    pattern: str | None = None,
    recursive: bool = False,
    leave_out: Sequence[str | Path] = (),
) -> list[Path]:
    """Find the inputs in a folder, in natural order (experiment_2 before experiment_10).

    Parameters
    ----------
    data_directory : path
    target_type : {'file', 'folder'}
        Whether a recording is a file or a folder.
    pattern : str, optional
        Glob pattern of their names; by default all.
    recursive : bool
        Whether to search the folders below too.
    leave_out : list of path
        Files and folders to pass over, such as those of results; a folder that all
        inputs lie in is not.

    Returns
    -------
    list of Path
        Below `data_directory` as it was given. Names that begin with a dot are skipped.

    Raises
    ------
    ConfigError
        If there is no such folder, or nothing in it that matches.
    """
    root = Path(data_directory)
    if not root.is_dir():
        raise ConfigError(f"data_directory: no folder {str(root)!r}")
    glob = root.rglob if recursive else root.glob
    around = {root.resolve(), *root.resolve().parents}
    forbidden = {Path(path).resolve() for path in leave_out} - around

    def is_input(path: Path) -> bool:
        right_kind = path.is_file() if target_type == "file" else path.is_dir()
        # A link to a share that is not there is a recording that fails, not one less.
        right_kind = right_kind or not path.exists()
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        return right_kind and not hidden and forbidden.isdisjoint([path, *_parents(path)])

    def _parents(path: Path) -> list[Path]:
        return [path.resolve(), *path.resolve().parents] if forbidden else []

    found = natsorted(
        (path for path in glob(pattern or "*") if is_input(path)),
        key=lambda path: path.relative_to(root).as_posix(),
        alg=ns.PATH,
    )
    if not found:
        here = [path.name + "/" * path.is_dir() for path in sorted(root.iterdir())[:6]]
        raise ConfigError(
            f"pattern {pattern!r} matches no {target_type} in {str(root)!r} "
            f"(recursive: {str(recursive).lower()}; there: {', '.join(here) or 'nothing'})"
        )
    _refuse_braces(found)
    return found


def name_experiments(
    inputs: Sequence[Path], data_directory: str | Path, target_type: TargetType
) -> dict[str, Path]:
    """Name each input after its path below the data directory.

    The name depends on that path alone. Letters and digits of any script stay; other
    characters, path separators among them, become an underscore; the suffix goes.

    Raises
    ------
    ConfigError
        If two inputs get the same name: which.

    Examples
    --------
    >>> list(name_experiments([Path("data/day 1/m3.csv")], "data", "file"))
    ['day_1_m3']
    """
    named: dict[str, Path] = {}
    for path in inputs:
        name = _name(path.relative_to(data_directory), target_type)
        if name in named:
            raise ConfigError(
                f"two inputs would both be experiment {name!r}: {str(named[name])!r} and "
                f"{str(path)!r}; rename one, or narrow the pattern"
            )
        named[name] = path
    return named


def _name(relative: Path, target_type: TargetType) -> str:
    if target_type == "file":
        relative = relative.with_name(stem(relative))
    text = unicodedata.normalize("NFC", relative.as_posix())
    return re.sub(r"[^\w.-]", "_", text).lstrip(".-") or "_"


def _refuse_braces(inputs: Sequence[Path]) -> None:
    braced = [str(path) for path in inputs if "{" in str(path) or "}" in str(path)]
    if braced:
        raise ConfigError(
            "Snakemake takes braces in the path of an input for wildcards; rename: "
            + ", ".join(map(repr, braced))
        )
