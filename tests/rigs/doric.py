"""Files of Doric systems: the newer and the older tree of HDF5, and CSV exports."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

#: Time and values of a trace.
Traces = Mapping[str, tuple[np.ndarray, np.ndarray]]
NEWER = "DataAcquisition/FPConsole/Signals/Series0001"


def write_newer(path: Path, traces: Traces) -> Path:
    """Write traces by their paths in the file; those of a group share their times."""
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["Created"] = "Mon Jun 24 13:58:38 2024"
        file.attrs["SoftwareName"] = "Doric Neuroscience Studio"
        file.attrs["SoftwareVersion"] = "6.4.1.0"
        file.create_group("Configurations/FPConsole")
        for name, (time, values) in traces.items():
            dataset = file.create_dataset(name, data=np.asarray(values, float), chunks=True)
            dataset.attrs["Username"] = name.rsplit("/", 1)[-1]
            if "Time" not in dataset.parent:
                dataset.parent.create_dataset("Time", data=time, chunks=True)
    return path


def write_older(path: Path, time: np.ndarray, traces: Mapping[str, np.ndarray]) -> Path:
    """Write traces by their names, each in a group of its own name, all on one clock."""
    with h5py.File(path, "w") as file:
        console = file.create_group("Traces/Console")
        for name, values in traces.items():
            console.create_dataset(f"{name}/{name}", data=np.asarray(values, float))
        console.create_dataset("Time(s)/Console_time(s)", data=time)
    return path


def write_export(path: Path, time: np.ndarray, traces: Mapping[str, np.ndarray]) -> Path:
    """Write a CSV file with its two lines of heading, both and all rows with a comma last."""
    kinds = [
        "Digital I/O | Ch.1" if name.startswith("DI") else "Analog In. | Ch.1" for name in traces
    ]
    lines = [["---", *kinds], ["Time(s)", *traces]]
    for row in zip(time, *traces.values(), strict=True):
        lines.append(["" if np.isnan(cell) else repr(float(cell)) for cell in row])
    path.write_text("".join(",".join(line) + ",\n" for line in lines))
    return path
