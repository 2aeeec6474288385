"""CSV files of Neurophotometrics systems: a row per frame, LEDs in turn."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

BITS = {415: 1, 470: 2, 560: 4}


def frames(
    regions: Mapping[str, Mapping[int, np.ndarray]],
    turn: Sequence[int] = (415, 470),
    frequency: float = 40.0,
    start: float = 1800.5,
) -> pd.DataFrame:
    """Frames of LEDs in turn, evenly spaced, in the columns of the newer program.

    `regions` maps a region to the samples of each LED; `frequency` is that of frames, Hz.
    """
    n_cycles = min(samples.size for leds in regions.values() for samples in leds.values())
    n_frames = n_cycles * len(turn)
    time = start + np.arange(n_frames) / frequency
    led = np.tile(turn, n_cycles)
    table = pd.DataFrame(
        {
            "FrameCounter": np.arange(n_frames),
            "SystemTimestamp": time,
            "LedState": [BITS[one] for one in led],
            "ComputerTimestamp": (time + 30_000) * 1000,
        }
    )
    for region, samples in regions.items():
        values = np.zeros(n_frames)
        for one in turn:
            values[led == one] = samples[one][:n_cycles]
        table[region] = values
    return table


def with_first_frame(table: pd.DataFrame, state: int = 7) -> pd.DataFrame:
    """The frames after one in which all LEDs were on, or none, as recordings begin."""
    first = table.iloc[[0]].copy()
    first[["SystemTimestamp", "ComputerTimestamp"]] -= [0.025, 25.0]
    first["LedState"] = state
    table = pd.concat([first, table], ignore_index=True)
    table["FrameCounter"] = np.arange(len(table))
    return table


def write_frames(path: Path, table: pd.DataFrame) -> Path:
    """Write frames, with as many digits as it takes to read them as they were."""
    table.to_csv(path, index=False)
    return path
