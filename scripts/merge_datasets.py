"""Join merged datasets, as of several studies, into one.

    python scripts/merge_datasets.py DATASET... --output FILE [--join outer]

Its trials are those of the datasets in the order given, and uns["provenance"] tells of all
their recordings. Signals pass through memory some thousand trials at a time.
"""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from phopro_core.merged_files import merge_files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="+", type=Path, help="a trials.h5ad")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--join",
        choices=("inner", "outer"),
        default="inner",
        help="whether to keep the annotations that all have, or all of them (default: inner)",
    )
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    datasets = [path.resolve() for path in arguments.dataset]
    if arguments.output.resolve() in datasets:
        parser.error(f"{str(arguments.output)!r} is one of the datasets")
    if len(set(datasets)) < len(datasets):
        parser.error("a dataset is given twice")
    try:
        merged = merge_files(
            {str(path): path for path in arguments.dataset}, arguments.output, arguments.join
        )
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{arguments.output}: {merged.n_trials} trials, {merged.n_timepoints} timepoints")
    return 0


if __name__ == "__main__":
    sys.exit(main())
