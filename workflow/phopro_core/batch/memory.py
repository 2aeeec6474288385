"""How much memory a job is said to need, for schedulers that give out memory."""

import math

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
