"""Recordings of Neurophotometrics systems (FP3001, FP3002): CSV files of interleaved LEDs."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.clocks import Trace, on_one_clock, onsets
from phopro_core.loaders.description import Description, as_loader_kwargs, channel
from phopro_core.loaders.event_files import SECONDS, UNITS, TimeUnit, read_events
from phopro_core.loaders.naming import as_list
from phopro_core.loaders.text_tables import heading_of, numbers_of, read_table
from phopro_core.sampling import typical_step

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

#: Bits of a frame's state: LEDs by their wavelength, and digital lines.
LEDS = {415: 1, 470: 2, 560: 4}
LINES = {
    "Output1": 8,
    "Output0": 16,
    "Stimulation": 32,
    "Line2": 64,
    "Line3": 128,
    "Input1": 256,
    "Input0": 512,
}
ALL_LEDS = sum(LEDS.values())
#: Columns of state, and of time in the order of preference.
STATES = ("LedState", "Flags")
CLOCKS = ("SystemTimestamp", "Timestamp", "ComputerTimestamp", "msTimestamp")
#: Other columns that are no region.
OTHERS = ("FrameCounter", "TriggerEvents", *LINES)


class NeurophotometricsLoader(FormatLoader):
    """Loads one region of a Neurophotometrics recording.

    Parameters
    ----------
    csv : path
        One row per frame, of all LEDs in turn, or of one.
    signal_region : str
        Column of the fiber: ``Region0G``, ``G0`` …
    signal_led, isosbestic_led : int
        Wavelengths: 415, 470 or 560; an isosbestic of None means a single channel.
    events_file : path, optional
        Events that another program wrote, on the clock of the recording or on one that
        differs by `events_offset` seconds; see
        :func:`~phopro_core.loaders.event_files.read_events`.
    events_time_col, events_time_unit, events_offset
        Of that file.
    event_cols : str or list of str, optional
        Digital lines (Input0, Output1, Stimulation …), as columns or in the state of the
        frames. They occur in the first frame in which they are high.
    isosbestic_region : str, optional
        By default that of the signal.
    isosbestic_file : path, optional
        Where there is a file per LED, that of the isosbestic.
    time_col : str, optional
        Column of time. By default SystemTimestamp or Timestamp, in seconds, or else
        ComputerTimestamp, in milliseconds.
    downsample, downsample_kwargs, annotation_file, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.

    Notes
    -----
    The samples are the frames of the signal's LED, at their own times; the isosbestic is
    brought to these by linear interpolation. Where LEDs take turns, frames with all of them
    on, or none, are left out, as at the start. Dropped frames are gaps in time, and counted in
    ``metadata["dropped_frames"]``.
    """

    def __init__(
        self,
        csv: str | Path,
        signal_region: str,
        signal_led: int = 470,
        isosbestic_led: int | None = 415,
        events_file: str | Path | None = None,
        events_time_col: str | None = None,
        events_time_unit: TimeUnit | None = None,
        events_offset: float = 0.0,
        event_cols: str | Sequence[str] | None = None,
        isosbestic_region: str | None = None,
        isosbestic_file: str | Path | None = None,
        time_col: str | None = None,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        annotation_file: str | Path | None = None,
        annotation_handler: AnnotationHandler = "json",
    ) -> None:
        super().__init__(csv, downsample, downsample_kwargs, annotation_file, annotation_handler)
        for led in (signal_led, isosbestic_led):
            if led is not None and led not in LEDS:
                raise ValueError(f"no LED of {led} nm (there are {', '.join(map(str, LEDS))})")
        self.csv = self.path
        self.signal_region = signal_region
        self.signal_led = signal_led
        self.isosbestic_led = isosbestic_led
        self.isosbestic_region = isosbestic_region or signal_region
        self.isosbestic_file = None if isosbestic_file is None else Path(isosbestic_file)
        self.event_cols = as_list(event_cols)
        self.events_file = events_file
        self.events_time_col = events_time_col
        self.events_time_unit = events_time_unit
        self.events_offset = events_offset
        self.time_col = time_col

    @classmethod
    def companion_files(cls, path: Path, kwargs: dict[str, Any]) -> list[Path]:
        """The annotation file, the event file, and that of the isosbestic."""
        beside = [kwargs.get(key) for key in ("events_file", "isosbestic_file")]
        return [*super().companion_files(path, kwargs), *(Path(one) for one in beside if one)]

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a file: each region under each LED."""
        heading = heading_of(path)
        states = {*STATES, "FrameCounter"}.intersection(heading)
        if not states or not set(CLOCKS).intersection(heading):
            return None
        frames = Frames(path)
        leds = frames.leds()
        lit = {led: frames.time[frames.is_lit(led)] for led in leds}
        apart = 415 in leds and not frames.is_lit(415).all()
        events = {line: frames.onsets(line).size for line in frames.lines()}
        signals = [led for led in leds if led != 415] or leds
        calls = [
            {
                "signal_region": region,
                "signal_led": led,
                "isosbestic_led": 415 if apart and led != 415 else None,
                "event_cols": [line for line, n_onsets in events.items() if n_onsets],
            }
            for led in signals
            for region in frames.regions
            if _suits(region, led)
        ]
        return Description(
            path,
            "Neurophotometrics CSV",
            [channel(f"{region} {led} nm", lit[led]) for region in frames.regions for led in leds],
            events,
            cls.__name__,
            as_loader_kwargs(calls),
        )

    def read(self) -> Reading:
        """Take the frames of the LEDs apart."""
        frames = Frames(self.path, self.time_col)
        signal = frames.of_led(self.signal_region, self.signal_led)
        isosbestic = None
        if self.isosbestic_led is not None:
            other = Frames(self.isosbestic_file, self.time_col) if self.isosbestic_file else frames
            isosbestic = other.of_led(self.isosbestic_region, self.isosbestic_led)
            if np.array_equal(isosbestic.values, signal.values):
                raise ValueError(
                    f"{self.path}: the frames of {self.signal_led} and {self.isosbestic_led} nm "
                    "are the same, so that the LEDs can't be told apart; give isosbestic_led: "
                    "null, or an isosbestic_file"
                )
        time, traces = on_one_clock(self.path, signal, isosbestic)
        events = {label: frames.onsets(label) for label in self.event_cols}
        if self.events_file is not None:
            events |= read_events(
                self.events_file,
                (float(time[0]), float(time[-1])),
                self.events_time_col,
                self.events_time_unit,
                self.events_offset,
            )
        return Reading(time, traces, events, {"dropped_frames": frames.n_dropped()})


class Frames:
    """The frames of a file, from the first on in which LEDs are told apart.

    Parameters
    ----------
    path : path
    time_col : str, optional
        By default the first of `CLOCKS` that there is.

    Attributes
    ----------
    time : array, shape (n_frames,)
        Seconds.
    states : array of int, shape (n_frames,), or None
        Bits of the LEDs and lines that were on; None where the file does not say.
    regions : list of str
        Columns of fibers.

    Raises
    ------
    ValueError
        If the file has no column of time or no frame.
    """

    def __init__(self, path: str | Path, time_col: str | None = None) -> None:
        self.path = Path(path)
        table = read_table(path)
        table.columns = [str(name).strip() for name in table.columns]
        clocks = [name for name in CLOCKS if name in table]
        if time_col is None and not clocks:
            raise ValueError(
                f"{path}: none of the columns of a Neurophotometrics file, {', '.join(CLOCKS)}"
                f"{_has(table)}"
            )
        self.time_col = clocks[0] if time_col is None else time_col
        self._table = table
        if table.empty:
            raise ValueError(f"{path}: there is a heading, but no frame below it")
        unit = UNITS.get(self.time_col.lower(), "s")
        self.time = self._numbers(self.time_col) * SECONDS[unit]
        state_col = next((name for name in STATES if name in table), None)
        self.states = None if state_col is None else self._numbers(state_col).astype(np.int64)
        if self.states is not None:
            self._leave_out_frames_of_no_led()
        self.regions = [
            name
            for name in table.columns
            if name and not name.startswith("Unnamed:") and name not in (*CLOCKS, *STATES, *OTHERS)
        ]

    def _leave_out_frames_of_no_led(self) -> None:
        """Where LEDs take turns, leave out frames with all of them on, or none.

        Recordings begin with such frames. Where there are no others, LEDs don't take turns.
        """
        leds = self.states & ALL_LEDS
        in_turn = (leds != 0) & (leds != ALL_LEDS)
        if 2 * np.count_nonzero(in_turn) > leds.size:
            self.time, self.states = self.time[in_turn], self.states[in_turn]
            self._table = self._table[in_turn]

    def _numbers(self, name: str) -> np.ndarray:
        if name not in self._table:
            raise ValueError(f"{self.path}: no column {name!r}{_has(self._table)}")
        return numbers_of(self.path, self._table[name])

    def of_led(self, region: str, led: int) -> Trace:
        """A region's samples in the frames of an LED."""
        if region not in self.regions:
            raise ValueError(
                f"{self.path}: no region {region!r} (regions: {', '.join(self.regions) or 'none'})"
            )
        values, lit = self._numbers(region), self.is_lit(led)
        if not lit.any():
            seen = [str(one) for one in self.leds()]
            raise ValueError(
                f"{self.path}: no frame of the LED of {led} nm (LEDs: {', '.join(seen) or 'none'})"
            )
        return Trace(self.time[lit], values[lit])

    def is_lit(self, led: int) -> np.ndarray:
        """In which frames an LED is on; in all, where the file does not say."""
        if self.states is None:
            return np.ones(self.time.size, dtype=bool)
        return (self.states & LEDS[led]) != 0

    def leds(self) -> list[int]:
        """Wavelengths of the LEDs that are on in some frame."""
        return [] if self.states is None else [led for led in LEDS if self.is_lit(led).any()]

    def lines(self) -> list[str]:
        """Digital lines that the file says something of."""
        used = 0 if self.states is None else int(np.bitwise_or.reduce(self.states))
        return [name for name, bit in LINES.items() if name in self._table or used & bit]

    def onsets(self, line: str) -> np.ndarray:
        """Times of the frames in which a digital line goes up, seconds."""
        if line in self._table:
            return onsets(self.time, self._numbers(line) != 0)
        if line not in LINES or self.states is None:
            raise ValueError(
                f"{self.path}: no digital line {line!r} (columns: "
                f"{', '.join(self._table.columns)}; lines in the state of frames: "
                f"{', '.join(LINES) if self.states is not None else 'none'})"
            )
        return onsets(self.time, (self.states & LINES[line]) != 0)

    def n_dropped(self) -> int:
        """Frames that are missing, by the counter of frames, or else by the steps of time."""
        if "FrameCounter" in self._table:
            # A file of one LED has each so-manieth frame of the counter.
            steps = np.diff(self._numbers("FrameCounter"))
            steps = steps / max(np.median(steps), 1) if steps.size else steps
        else:
            steps = np.diff(self.time) / typical_step(self.time)
        n = int(np.maximum(np.rint(steps) - 1, 0).sum())
        if n:
            logger.warning("%s: %d frames were dropped", self.path, n)
        return n


def _suits(region: str, led: int) -> bool:
    """Whether a camera region sees the light of what an LED excites: G green, R red."""
    colour = region[-1:] if region[-1:] in "GR" else region[:1]
    return {"G": led != 560, "R": led == 560}.get(colour, True)


def _has(table: "pd.DataFrame") -> str:
    named = [name for name in table.columns if not name.startswith("Unnamed:")]
    return f" (has: {', '.join(named) or 'no heading'})"
