"""How much memory and time a job is said to need, for schedulers that give them out."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Of a process that runs one job: Snakemake's and the libraries' own, MB.
BASE = 500
#: What a stage needs above that, in sizes of its input; measured by
#: benchmarks/stage_memory.py, with a third to spare.
TIMES = {
    "load": 4.0,
    "preprocess": 9.0,
    "extract": 2.0,
    "identify": 0.1,
    "merge_trials": 0.1,
    "dashboard": 2.0,
}
#: Text in compressed files, in sizes of these.
COMPRESSED = 5.0
SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip")
#: Size of a recording once it is loaded, in sizes of its raw file: text has more bytes a number;
#: other formats have fewer, or are compressed. And of a processed one, in sizes of that.
LOADED = {".ppd": 6.0, ".tev": 3.0, ".nwb": 4.0, ".doric": 4.0}
LOADED_TEXT, PROCESSED = 0.7, 2.4
#: Loaded MB that a minute is asked for: a stage gets them done in a tenth of it.
MEGABYTES_A_MINUTE = {"load": 400.0, "preprocess": 200.0, "extract": 1000.0, "dashboard": 500.0}


def megabytes(stage: str, input_mb: float, paths: list[str] | None = None) -> int:
    """Memory of a job whose input is so large, MB.

    Examples
    --------
    >>> megabytes("preprocess", 100.0)
    1400
    >>> megabytes("load", 100.0, ["m1.csv.gz"])
    2500
    """
    compressed = any(str(path).endswith(SUFFIXES) for path in paths or ())
    return math.ceil(BASE + TIMES[stage] * input_mb * (COMPRESSED if compressed else 1.0))


def needed(stage: str, files: Mapping[str, int]) -> int:
    """Memory of a stage of an experiment, MB, by its raw files with their sizes in bytes.

    What a stage reads need not be there yet: a group of jobs is handed to a cluster before
    its first job has run.
    """
    match stage:
        case "load":
            return megabytes(stage, sum(files.values()) / 1e6, list(files))
        case "preprocess":
            return megabytes(stage, _loaded(files))
        case _:
            return megabytes(stage, _loaded(files) * PROCESSED)


def minutes(stages: Iterable[str], files: Mapping[str, int], attempt: int = 1) -> int:
    """Minutes that stages of an experiment may take together, by the sizes of its raw files.

    Some ten times what they take on a quiet machine, the more the oftener it was tried, and
    one at least.

    Examples
    --------
    >>> minutes(["load", "preprocess", "extract"], {"m1.csv": 1_000_000})
    1
    """
    loaded = _loaded(files)
    usual = sum(loaded / MEGABYTES_A_MINUTE[stage] for stage in stages)
    return max(1, math.ceil(attempt * usual))


def _loaded(files: Mapping[str, int]) -> float:
    """MB of a recording once it is loaded, about, by its raw files."""
    return sum(size / 1e6 * _times_as_large(file) for file, size in files.items())


def _times_as_large(file: str) -> float:
    if file.endswith(SUFFIXES):
        return LOADED_TEXT * COMPRESSED
    return LOADED.get(Path(file).suffix.lower(), LOADED_TEXT)
