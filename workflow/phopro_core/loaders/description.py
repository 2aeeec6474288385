"""What is in a recording, said before anything is configured."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

#: Wavelengths of light that sensors don't answer to, and of light that they answer to, nm.
_ISOSBESTIC_LIGHT = re.compile(r"(?<!\d)(40[05]|41[05]|420)(?!\d)")
_SIGNAL_LIGHT = re.compile(r"(?<!\d)(46[05]|47[0-9]|48[58]|490|560|565)(?!\d)")
#: Words for the same.
_ISOSBESTIC_WORD = re.compile(r"(?<![a-z])(iso\w*|uv|control|ref\w{0,6})(?![a-z])", re.IGNORECASE)
_SIGNAL_WORD = re.compile(r"(?<![a-z])(sig\w*|gcamp\w*|grab\w*|green)(?![a-z])", re.IGNORECASE)
#: Said where the names of channels may not tell.
GUESSED = "which is the signal, and which the isosbestic, is guessed from their names and order"


@dataclass(frozen=True)
class Channel:
    """A continuous trace: its name, samples, and times of the first and last, in seconds."""

    name: str
    n_samples: int
    start: float
    stop: float

    @property
    def frequency(self) -> float:
        """Mean sampling rate, Hz; NaN of less than two samples."""
        steps = self.n_samples - 1
        return steps / (self.stop - self.start) if steps > 0 < self.stop - self.start else np.nan

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the last."""
        return self.stop - self.start


@dataclass(frozen=True)
class Description:
    """What is in a recording, and a loader call that would read it.

    ``events`` maps names to how often each occurs. ``loader_kwargs`` is a mapping, or a
    list of such for several fibers in one recording.
    """

    path: Path
    format: str
    channels: list[Channel]
    events: dict[str, int]
    loader_cls: str
    loader_kwargs: dict[str, Any] | list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        import yaml

        rows = [("channel", "rate", "samples", "from", "to")] + [
            (
                one.name,
                f"{one.frequency:.6g} Hz",
                f"{one.n_samples:,}",
                f"{one.start:.6g} s",
                f"{one.stop:.6g} s",
            )
            for one in self.channels
        ]
        counts = [("event", "occurs")] + [(name, str(n)) for name, n in self.events.items()]
        config = {"loader_cls": self.loader_cls, "loader_kwargs": self.loader_kwargs}
        return "\n\n".join(
            [
                f"{self.path}: {self.format}",
                _as_columns(rows),
                _as_columns(counts) if self.events else "no events",
                *([("\n".join(f"# {note}" for note in self.notes))] if self.notes else []),
                yaml.safe_dump(config, sort_keys=False, allow_unicode=True).rstrip(),
            ]
        )


def channel(name: str, time: np.ndarray) -> Channel:
    """A trace as described by the times of its samples."""
    if time.size == 0:
        return Channel(name, 0, 0.0, 0.0)
    return Channel(name, time.size, float(time[0]), float(time[-1]))


def as_loader_kwargs(calls: list[dict[str, Any]]) -> dict[str, Any] | list[dict[str, Any]]:
    """Loader calls as a config has them: a list only where there are several."""
    return calls[0] if len(calls) == 1 else calls


def guess_pair(names: Mapping[str, str] | Iterable[str]) -> tuple[str, str | None] | None:
    """Which of some channels may be the signal, and which the isosbestic.

    Parameters
    ----------
    names : mapping of name to text, or iterable of names
        What is said of each channel; its name by default.

    Returns
    -------
    (str, str or None) or None
        None where there is no channel. What nothing is said of that tells is taken in
        the order given: first the signal.

    Examples
    --------
    >>> guess_pair(["_405A", "_465A"])
    ('_465A', '_405A')
    """
    said = names if isinstance(names, Mapping) else {name: name for name in names}

    def first(*patterns: re.Pattern[str], of: Iterable[str]) -> str | None:
        of = list(of)
        return next((one for p in patterns for one in of if p.search(said[one])), None)

    isosbestic = first(_ISOSBESTIC_LIGHT, of=said)
    if isosbestic is None:
        others = [name for name in said if not _SIGNAL_LIGHT.search(said[name])]
        isosbestic = first(_ISOSBESTIC_WORD, of=others)
    rest = [name for name in said if name != isosbestic]
    signal = first(_SIGNAL_LIGHT, _SIGNAL_WORD, of=rest) or next(iter(rest), None)
    if signal is None:
        return None if isosbestic is None else (isosbestic, None)
    if isosbestic is None:
        isosbestic = next((name for name in rest if name != signal), None)
    return signal, isosbestic


def _as_columns(rows: list[tuple[str, ...]]) -> str:
    """Rows as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
