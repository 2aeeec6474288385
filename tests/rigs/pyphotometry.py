"""Files of pyPhotometry: words of 15 bits of an analog signal and one of a digital line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

VOLTS = 0.00010122


def header(
    version: str | float, mode: str, rate: int, n_analog: int = 2, n_digital: int = 2
) -> dict:
    """The header of a version; the first two write their version as a number."""
    fields: dict[str, Any] = {"subject_ID": "m1", "date_time": "2025-01-02T03:04:05"}
    if str(version) >= "1":
        fields |= {"end_time": "2025-01-02T03:14:05.000"}
        fields |= {"n_analog_signals": n_analog, "n_digital_signals": n_digital}
    fields |= {"mode": mode, "sampling_rate": rate, "volts_per_division": [VOLTS, VOLTS]}
    if str(version) >= "1.1":
        fields["ADC_max_value"] = 1 << 15
    if version != 0.1:
        fields["LED_current"] = [10, 10]
    return {**fields, "version": version}


def words(counts: np.ndarray, line: np.ndarray | None = None) -> np.ndarray:
    """An analog signal with a digital line in the lowest bits, shape (n_samples,)."""
    low = 0 if line is None else np.asarray(line, dtype=int)
    return (np.asarray(counts, dtype=int) << 1 | low).astype("<u2")


def ppd_bytes(fields: dict, columns: Sequence[np.ndarray]) -> bytes:
    """The bytes of a file whose signals take turns."""
    text = json.dumps(fields).encode()
    return len(text).to_bytes(2, "little") + text + np.column_stack(columns).tobytes()


def write_csv(path: Path, fields: dict, analog: Sequence[np.ndarray], digital: Sequence) -> Path:
    """Write a table of counts and levels, and the settings beside it."""
    names = [f"Analog{k}" for k in range(1, len(analog) + 1)]
    names += [f"Digital{k}" for k in range(1, len(digital) + 1)]
    rows = np.column_stack([*analog, *digital]).astype(int)
    lines = [", ".join(names), *(",".join(map(str, row)) for row in rows.tolist())]
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".json").write_text(json.dumps(fields, sort_keys=True, indent=4))
    return path
