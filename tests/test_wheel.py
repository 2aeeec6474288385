"""The wheel: the pipeline works without the repository."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]

SCRIPT = """
import phopro_core
from phopro_core import CSVLoader, PhotometryPipeline

print(phopro_core.__file__)
pipeline = PhotometryPipeline("recordings", "file", CSVLoader)
cutting = {"align_to": [10.0, 20.0], "trial_bounds": (-1, 1)}
print(pipeline.run({}, {"fit_using": "OLS"}, cutting, output_dir="out", save_dashboards=True))
"""


def pip(*arguments) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(list(map(str, command)), check=True)


def test_an_installed_wheel_runs_the_workflow_by_itself(tmp_path):
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    pip("install", "--no-deps", "--no-index", "--target", installed, wheel)

    study = tmp_path / "study"
    (study / "recordings").mkdir(parents=True)
    time = np.arange(600) / 20
    isosbestic = np.exp(-time / 50)
    table = {"time": time, "signal": 2 * isosbestic + np.sin(time), "isosbestic": isosbestic}
    pd.DataFrame(table).to_csv(study / "recordings" / "m1.csv", index=False)
    environment = os.environ | {
        "PYTHONPATH": str(installed),
        "PHOPRO_CACHE": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=study, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    where, what = done.stdout.splitlines()
    assert Path(where).is_relative_to(installed)
    assert what == "Photometry dataset with 2 trials, 40 timepoints, and 3 observations."
    assert (study / "out" / "dashboards" / "m1.svg").is_file()
