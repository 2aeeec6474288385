"""Write the simulated recordings that the example configs process.

    python scripts/make_example_data.py config/example

Six dual-channel recordings and two single-channel ones, each with its annotations. Equal
arguments give equal files.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from phopro_core.simulation import SimulatedRecording, simulate_recording

ANIMALS = [
    {"subject": "mouse_1", "sex": "female", "age": "young"},
    {"subject": "mouse_2", "sex": "male", "age": "young"},
    {"subject": "mouse_3", "sex": "female", "age": "old"},
    {"subject": "mouse_4", "sex": "male", "age": "old"},
    {"subject": "mouse_5", "sex": "female", "age": "young"},
    {"subject": "mouse_6", "sex": "male", "age": "old"},
]


def as_table(recording: SimulatedRecording) -> pd.DataFrame:
    """A recording as its acquisition system would export it: events as 0 and 1."""
    columns = {"time": recording.time.round(3), "raw_signal": recording.signal.round(4)}
    if recording.isosbestic is not None:
        columns["raw_isosbestic"] = recording.isosbestic.round(4)
    for label, times in recording.events.items():
        occurs = np.zeros(recording.time.size, dtype=int)
        occurs[np.round(times * recording.frequency).astype(int)] = 1
        columns[label] = occurs
    return pd.DataFrame(columns)


def write_dual_channel(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k, animal in enumerate(ANIMALS, 1):
        recording = simulate_recording(seed=k, intercept=3.0 + k, slope=1.1 + 0.05 * k)
        as_table(recording).to_csv(folder / f"experiment_{k}.csv", index=False)
        (folder / f"experiment_{k}.json").write_text(json.dumps(animal, indent=2) + "\n")


def write_single_channel(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k, animal in enumerate(ANIMALS[:2], 1):
        recording = simulate_recording(seed=100 + k, single_channel=True)
        text = as_table(recording).to_csv(index=False)
        # Without a time stamp in its header, the file depends on the recording alone.
        (folder / f"session_{k}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        lines = "".join(f"{name}: {value}\n" for name, value in animal.items())
        (folder / f"session_{k}.yaml").write_text(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    write_dual_channel(folder / "recordings")
    write_single_channel(folder / "single_channel")


if __name__ == "__main__":
    main()
