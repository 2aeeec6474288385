"""Recordings of pyPhotometry: .ppd files, and the CSV files that it writes instead."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.clocks import onsets
from phopro_core.loaders.description import Description, channel
from phopro_core.loaders.naming import by_label, find_part
from phopro_core.loaders.text_tables import heading_of, numbers_of, read_table

#: Modes, and the detector of each analog signal in them.
MODES = {
    "GCaMP/RFP": (0, 1),
    "GCaMP/iso": (0, 0),
    "GCaMP/RFP_dif": (0, 1),
    "2 colour continuous": (0, 1),
    "1 colour time div.": (0, 0),
    "2 colour time div.": (0, 1),
    "2EX_2EM_continuous": (0, 1),
    "2EX_1EM_pulsed": (0, 0),
    "2EX_2EM_pulsed": (0, 1),
    "3EX_2EM_pulsed": (0, 1, 0),
}
#: Fields of the header that tell how to read the rest.
_NEEDED = ("mode", "sampling_rate", "volts_per_division")


class PyPhotometryLoader(FormatLoader):
    """Loads a pyPhotometry recording.

    Parameters
    ----------
    path : path
        A .ppd file; or a .csv file, with the settings in the .json file of the same name
        beside it.
    signal, isosbestic : str
        ``analog_1``, ``analog_2`` …; an isosbestic of None means a single channel.
    events : str, list of str, or mapping of label to str, optional
        Digital lines (``digital_1`` …), by default all; they occur when the line goes up.
    downsample, downsample_kwargs, annotation_file, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.

    Notes
    -----
    Samples are in volts. Time starts at 0 and is the same for all signals, as in
    pyPhotometry's own import, although in pulsed modes they are taken one after the other
    within a period. The header's fields go into the metadata.
    """

    def __init__(
        self,
        path: str | Path,
        signal: str = "analog_1",
        isosbestic: str | None = "analog_2",
        events: str | Sequence[str] | Mapping[str, str] | None = None,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        annotation_file: str | Path | None = None,
        annotation_handler: AnnotationHandler = "json",
    ) -> None:
        super().__init__(path, downsample, downsample_kwargs, annotation_file, annotation_handler)
        self.signal = signal
        self.isosbestic = isosbestic
        self.events = None if events is None else by_label(events)

    @classmethod
    def companion_files(cls, path: Path, kwargs: dict[str, Any]) -> list[Path]:
        """The annotation file, and the settings of a .csv file."""
        settings = [path.with_suffix(".json")] if path.suffix.lower() == ".csv" else []
        return [*super().companion_files(path, kwargs), *settings]

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a file: its analog signals and digital lines."""
        if path.suffix.lower() != ".ppd" and heading_of(path)[:1] != ["Analog1"]:
            return None
        file = PyPhotometryFile(path)
        names = list(file.analog)
        return Description(
            path,
            f"pyPhotometry recording, mode {file.metadata['mode']}",
            [channel(name, file.time) for name in names],
            {name: onsets(file.time, line).size for name, line in file.digital.items()},
            cls.__name__,
            {
                "signal": names[0],
                "isosbestic": names[1] if len(names) > 1 else None,
                "events": list(file.digital),
            },
            ["which signal is that of which light is up to the mode and to how it was wired"],
        )

    def read(self) -> Reading:
        """Read the wanted signals."""
        file = PyPhotometryFile(self.path)
        wanted = [self.signal] if self.isosbestic is None else [self.signal, self.isosbestic]
        traces = [file.analog[find_part(self.path, name, file.analog, "signal")] for name in wanted]
        lines = by_label(list(file.digital)) if self.events is None else self.events
        events = {
            label: onsets(
                file.time, file.digital[find_part(self.path, line, file.digital, "digital line")]
            )
            for label, line in lines.items()
        }
        return Reading(file.time, traces, events, file.metadata)


class PyPhotometryFile:
    """What is in a file of pyPhotometry.

    Attributes
    ----------
    analog : dict of name to array, shape (n_samples,)
        Volts.
    digital : dict of name to array, shape (n_samples,)
        0 or 1.
    time : array, shape (n_samples,)
        Seconds.
    metadata : dict
        The header's fields.

    Raises
    ------
    ValueError
        If the file is not of the format, cut short, or of a mode that is not known.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() == ".csv":
            header, analog, digital = self._read_csv()
        else:
            header, analog, digital = self._read_ppd()
        volts = header["volts_per_division"]
        detectors = MODES[header["mode"]]
        self.analog = {
            f"analog_{k}": counts * float(volts[min(detector, len(volts) - 1)])
            for k, (counts, detector) in enumerate(zip(analog, detectors, strict=False), 1)
        }
        self.digital = {f"digital_{k}": line for k, line in enumerate(digital, 1)}
        self.time = np.arange(analog[0].size) / float(header["sampling_rate"])
        self.metadata = header

    def _read_ppd(self) -> tuple[dict[str, Any], list[np.ndarray], list[np.ndarray]]:
        """Header, counts of the analog signals, and levels of the digital lines."""
        content = self.path.read_bytes()
        size = int.from_bytes(content[:2], "little")
        header = self._header(content[2 : 2 + size], size)
        n_analog = int(header.get("n_analog_signals", 2))
        n_digital = int(header.get("n_digital_signals", 2))
        # From 1.1 on, a pulsed sample is two words: with the LED on, and off.
        n_phases = 2 if _version(header) >= (1, 1) and "pulsed" in header["mode"] else 1
        n_words = n_analog * n_phases
        n_bytes = len(content) - 2 - size
        if n_bytes % (2 * n_words) or n_bytes < 4 * n_words:
            raise ValueError(
                f"{self.path}: cut short: the {n_bytes} bytes after the header are not two or more "
                f"whole samples of {2 * n_words} bytes; copy it anew from where it is whole"
            )
        words = np.frombuffer(content, "<u2", offset=2 + size).reshape(-1, n_analog, n_phases)
        counts = (words >> 1).astype(float)
        analog = counts[..., 0] - counts[..., 1] if n_phases == 2 else counts[..., 0]
        levels = words[..., 0] & 1
        return header, list(analog.T), list(levels.T[:n_digital])

    def _header(self, text: bytes, size: int) -> dict[str, Any]:
        if len(text) < size or size == 0:
            raise ValueError(
                f"{self.path}: not a .ppd file, or cut short: {len(text)} bytes are left of a "
                f"header of {size}"
            )
        try:
            header = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"{self.path}: not a .ppd file of pyPhotometry 0.1 or newer: its header is not "
                f"JSON ({error})"
            ) from error
        return self._checked(header, self.path)

    def _checked(self, header: Any, path: Path) -> dict[str, Any]:
        missing = [key for key in _NEEDED if not isinstance(header, dict) or key not in header]
        if missing:
            raise ValueError(f"{path}: the header lacks {', '.join(missing)}")
        volts = header["volts_per_division"]
        wrong = {
            "mode": header["mode"] not in MODES,
            "version": not (0, 1) <= _version(header) < (2,),
            "sampling_rate": not _is_positive(header["sampling_rate"]),
            "volts_per_division": not (
                isinstance(volts, list) and volts and all(map(_is_positive, volts))
            ),
            "n_analog_signals": header.get("n_analog_signals", 2) not in (1, 2, 3),
            "n_digital_signals": header.get("n_digital_signals", 2) not in (0, 1, 2, 3),
        }
        if any(wrong.values()):
            raise ValueError(
                f"{path}: the header has what is not known here: "
                + ", ".join(f"{key} {header.get(key)!r}" for key, is_so in wrong.items() if is_so)
                + f" (modes: {', '.join(MODES)}; versions 0.1 to 1)"
            )
        return header

    def _read_csv(self) -> tuple[dict[str, Any], list[np.ndarray], list[np.ndarray]]:
        settings = self.path.with_suffix(".json")
        if not settings.is_file():
            raise FileNotFoundError(
                f"{settings}: no such file; the settings that pyPhotometry writes beside a .csv"
            )
        try:
            header = json.loads(settings.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{settings}: not a JSON file: {error}") from error
        header = self._checked(header, settings)
        table = read_table(self.path, skipinitialspace=True)
        columns = {
            kind: [numbers_of(self.path, table[name]) for name in table if name.startswith(kind)]
            for kind in ("Analog", "Digital")
        }
        if not columns["Analog"] or len(table) < 2:
            raise ValueError(
                f"{self.path}: not a recording of pyPhotometry: {len(table)} rows of "
                f"{', '.join(table.columns)}"
            )
        return header, columns["Analog"], columns["Digital"]


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def _version(header: Mapping[str, Any]) -> tuple[int, ...]:
    """Of early files a number, not a text."""
    parts = str(header.get("version", "0")).split(".")
    return tuple(int(part) for part in parts if part.isdigit())
