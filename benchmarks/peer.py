"""Process a study with PhoPro: `python benchmarks/peer.py STUDY`, in an environment that has it.

The study is a folder as :mod:`studies` makes it. Only this program knows PhoPro, and only
as a program to run beside.
"""

import json
import resource
import sys
from pathlib import Path


def main() -> None:
    study = Path(sys.argv[1])
    # Out of memory is to be an error of this process, and not the end of another one.
    account = Path("/proc/meminfo").read_text().splitlines()
    (available,) = (line.split()[1] for line in account if line.startswith("MemAvailable:"))
    resource.setrlimit(resource.RLIMIT_AS, (int(available) * 1024,) * 2)

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
