"""Process a study with PhoPro: `python benchmarks/peer.py STUDY`, in an environment that has it.

The study is a folder as :mod:`studies` makes it. Only this program knows PhoPro, and only
as a program to run beside.
"""

import json
import sys
from pathlib import Path

from measuring import limit_memory


def main() -> None:
    study = Path(sys.argv[1])
    limit_memory()

    from PhoPro import CSVLoader, PhotometryPipeline

    config = json.loads((study / "config.json").read_text())
    keys = ("loader_kwargs", "preprocess_kwargs", "trial_extraction_kwargs", "dashboard_kwargs")
    pipeline = PhotometryPipeline(
        study / config["data_directory"], "file", CSVLoader, pattern=config["pattern"]
    )
    pipeline.run(
        **{key: config[key] for key in keys},
        passdown_metadata=config["passdown_metadata"],
        save_dashboards=config["save_dashboards"],
        output_dir=study / "peer",
    )


if __name__ == "__main__":
    main()
