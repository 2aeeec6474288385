"""TDT blocks: an index (.tsq) of records of 40 bytes, and the samples (.tev) it points to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: Types of records.
ONSET, OFFSET, STREAM, MARK = 0x101, 0x102, 0x8101, 0x8801
#: Number of each format of samples.
FORMATS = {"float32": 0, "int32": 1, "int16": 2, "float64": 4}
#: The rate that systems call 1,017 Hz, and the steps in which the tdt package tells time, Hz.
RATE = 24414.0625 / 24
CLOCK = 195312.5
#: When blocks begin, seconds since 1970.
BEGIN = 1_700_000_000.0

RECORD = np.dtype(
    [
        ("size", "<u4"),  # in words of 4 bytes: 10 of the record, and those of its samples
        ("type", "<u4"),
        ("name", "S4"),
        ("channel", "<u2"),  # from 1; of offsets, with the next, the name of their onsets
        ("sort_code", "<u2"),
        ("time", "<f8"),
        ("place", "<u8"),  # of samples in .tev; of epocs the value, in the bits of a double
        ("format", "<u4"),
        ("rate", "<f4"),
    ]
)


@dataclass
class Stream:
    """Samples of shape (n_samples,) or (n_channels, n_samples), in whole chunks.

    ``start`` is in seconds from the beginning of the block; ``lost`` are the numbers of
    chunks that the system lost.
    """

    samples: np.ndarray
    rate: float = RATE
    start: float = 0.0
    chunk: int = 256
    lost: Sequence[int] = ()


def on_clock(times: Sequence[float]) -> np.ndarray:
    """Times as the tdt package tells them."""
    return np.round(np.asarray(times, dtype=float) * CLOCK) / CLOCK


def write_block(
    folder: Path,
    streams: Mapping[str, Stream],
    epocs: Mapping[str, Sequence[float]] | None = None,
    ends: Mapping[str, Sequence[float]] | None = None,
) -> Path:
    """Write a block, and return the path of its index.

    Epocs are told by their onsets, and, as far as they have such, `ends`; a store without
    any is not in a block at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records, samples = [], []
    for name, stream in streams.items():
        new, chunks = _of_stream(name, stream)
        records.append(new)
        samples += chunks
    for name, onsets in (epocs or {}).items():
        new = _records(len(onsets), ONSET, name, format=4)
        new["time"] = BEGIN + np.asarray(onsets)
        new["place"] = np.arange(1.0, len(onsets) + 1).view("<u8")
        records.append(new)
        samples += [b""] * len(onsets)
    for name, offsets in (ends or {}).items():
        new = _records(len(offsets), OFFSET, f"{name[:3]}\\", format=4)
        new["time"] = BEGIN + np.asarray(offsets)
        new["channel"], new["sort_code"] = np.frombuffer(name.encode(), "<u2")
        records.append(new)
        samples += [b""] * len(offsets)
    entries = np.concatenate(records)
    order = np.argsort(entries["time"], kind="stable")
    index = folder / f"tank_{folder.name}.tsq"
    with index.with_suffix(".tev").open("wb") as file:
        for at in order:
            if entries["type"][at] == STREAM:
                entries["place"][at] = file.tell()
                file.write(samples[at])
    first, begin, end = (_records(1, kind, name) for kind, name in MARKS)
    begin["time"], end["time"] = BEGIN, entries["time"].max() + 1
    np.concatenate([first, begin, entries[order], end]).tofile(index)
    index.with_suffix(".tnt").write_bytes(b"NOTEFILE_VERSION[1.0]\r\n")
    write_settings(index, [*streams, *(epocs or {})])
    return index


def write_settings(index: Path, names: Sequence[str], disabled: Sequence[str] = ()) -> None:
    """Write the settings of a block's stores (.Tbk) beside its index."""
    items = "".join(
        f"NAME=StoreName;TYPE=T;VALUE={name};\nNAME=HeadName;TYPE=T;VALUE={name};\n"
        f"NAME=Enabled;TYPE=L;VALUE={2 if name in disabled else 1};\n[STOREHDRITEM]"
        for name in names
    )
    mark = "[USERNOTEDELIMITER]"
    index.with_suffix(".Tbk").write_text(f"settings{mark}\n{mark}{items}{mark}\n", "cp437")


#: The first record, which nothing reads, and those of the beginning and the end.
MARKS = ((0, b""), (MARK, b"\1"), (MARK, b"\2"))


def _of_stream(name: str, stream: Stream) -> tuple[np.ndarray, list[bytes]]:
    samples = np.atleast_2d(stream.samples)
    n_channels = len(samples)
    chunks = samples.reshape(n_channels, -1, stream.chunk).swapaxes(0, 1)
    kept = np.setdiff1d(np.arange(len(chunks)), stream.lost)
    new = _records(kept.size * n_channels, STREAM, name, FORMATS[samples.dtype.name])
    new["size"] += stream.chunk * samples.itemsize // 4
    new["rate"] = stream.rate
    new["channel"] = np.tile(np.arange(1, n_channels + 1), kept.size)
    step = stream.chunk / float(np.float32(stream.rate))
    new["time"] = BEGIN + stream.start + np.repeat(kept, n_channels) * step
    return new, [chunk.tobytes() for chunk in chunks[kept].reshape(-1, stream.chunk)]


def _records(n: int, kind: int, name: str | bytes, format: int = 0) -> np.ndarray:
    records = np.zeros(n, RECORD)
    records["size"], records["type"], records["format"] = 10, kind, format
    records["name"] = name if isinstance(name, bytes) else name.encode()
    return records
