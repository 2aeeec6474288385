"""Recordings of TDT systems: block folders, as Synapse and OpenEx write them."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phopro_core.loaders.annotations import AnnotationHandler, read_annotation
from phopro_core.loaders.base import FormatLoader, Reading
from phopro_core.loaders.clocks import Trace, on_one_clock
from phopro_core.loaders.description import (
    GUESSED,
    Channel,
    Description,
    as_loader_kwargs,
    guess_pair,
)
from phopro_core.loaders.extras import import_extra
from phopro_core.loaders.naming import as_list

logger = logging.getLogger(__name__)

#: Warnings of the tdt package about files of a block that nothing is taken from.
_OF_NO_CONCERN = ("tnt file could not be processed", "Bad tbk file")


class TDTLoader(FormatLoader):
    """Loads one box of a TDT block.

    Parameters
    ----------
    data_folder : path
        The block: the folder with the .tsq and .tev files.
    box : str
        Stream stores are named label + box, epoc stores box + label. An empty text, where
        names stand for themselves.
    event_labels : str or list of str
        Epoc stores, whose onsets are the events. A store without events is not in a block
        at all; the event is empty then, and listed in ``metadata["missing_events"]``.
    signal_label, isosbestic_label : str
        Stream stores; an isosbestic of None means a single channel. Names are told as
        Synapse shows them (``465A``, ``PC0/``) or as the tdt package does (``_465A``,
        ``PC0_``).
    downsample, downsample_kwargs, annotation_handler
        See :class:`~phopro_core.loaders.base.FormatLoader`.
    annotation_file : path, optional
        Inside of the folder; what it has under the key `box` goes into the metadata.
    signal_channel, isosbestic_channel : int
        Channel of stores that have several, from 1.

    Notes
    -----
    Of the samples, those of the stores asked for are read, each once. Time is that of the
    block, in seconds from its start. Where the system lost samples, time has a gap.
    """

    extra = ("tdt", "tdt")

    def __init__(
        self,
        data_folder: str | Path,
        box: str,
        event_labels: str | Sequence[str],
        signal_label: str,
        isosbestic_label: str | None,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        annotation_file: str | Path | None = None,
        annotation_handler: AnnotationHandler = "json",
        signal_channel: int = 1,
        isosbestic_channel: int = 1,
    ) -> None:
        super().__init__(
            data_folder, downsample, downsample_kwargs, annotation_file, annotation_handler
        )
        self.data_folder = self.path
        self.box = str(box)
        self.event_labels = as_list(event_labels)
        self.signal_label = signal_label
        self.isosbestic_label = isosbestic_label
        self.signal_channel = signal_channel
        self.isosbestic_channel = isosbestic_channel

    @classmethod
    def companion_files(cls, path: Path, kwargs: dict[str, Any]) -> list[Path]:
        """The annotation file, inside of the folder."""
        return [path / file for file in super().companion_files(path, kwargs)]

    @classmethod
    def files_of(cls, path: Path) -> list[Path]:
        """The index and the samples; what else lies there, such as videos, does not count."""
        indexes = _indexes(path)
        return [*indexes, *(index.with_suffix(".tev") for index in indexes)]

    @classmethod
    def files_to_digest(cls, path: Path) -> list[Path]:
        """The index, which has the times of all samples and the values of all events.

        To digest the samples would be to read those of all stores.
        """
        return _indexes(path)

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a block: all that its index says."""
        if not path.is_dir() or not _indexes(path):
            return None
        block = TDTBlock(path)
        kwargs, notes = _suggested(block)
        return Description(
            path,
            "TDT block",
            block.channels(),
            {name: len(block.onsets(name)) for name in block.epocs},
            cls.__name__,
            kwargs,
            [GUESSED, *notes],
        )

    def read(self) -> Reading:
        """Read the streams and the epocs asked for."""
        block = TDTBlock(self.path)
        signal = block.trace(self.signal_label + self.box, self.signal_channel)
        isosbestic = (
            None
            if self.isosbestic_label is None
            else block.trace(self.isosbestic_label + self.box, self.isosbestic_channel)
        )
        time, traces = on_one_clock(self.path, signal, isosbestic)
        events = {label: block.onsets(self.box + label) for label in self.event_labels}
        return Reading(
            time,
            traces,
            {label: np.array([]) if times is None else times for label, times in events.items()},
            {
                "box": self.box,
                "missing_events": [label for label, times in events.items() if times is None],
            },
        )

    def annotation(self) -> dict[str, Any]:
        """What the annotation file inside of the folder says of the box."""
        if self.annotation_file is None:
            return {}
        path = self.path / self.annotation_file
        boxes = read_annotation(path, self.annotation_handler)
        if not isinstance(boxes.get(self.box), Mapping):
            raise ValueError(
                f"{path}: has no mapping under the key {self.box!r}, the box (keys: "
                f"{', '.join(map(repr, boxes)) or 'none'})"
            )
        return dict(boxes[self.box])


class TDTBlock:
    """The index of a block, and the samples that it points to.

    The tdt package reads the index. It would read the samples of all stores, once for each
    that is asked for, and take zeros for those that are missing; so they are read here.

    Parameters
    ----------
    folder : path

    Raises
    ------
    ValueError
        If the folder is no block, or its index is broken.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._tdt = import_extra(*TDTLoader.extra)
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{self.folder}: no such folder")
        indexes = _indexes(self.folder)
        if len(indexes) != 1:
            raise ValueError(
                f"{self.folder}: not a TDT block: there are {len(indexes)} .tsq files in it, and "
                "not one" + (" (is this a tank of several blocks?)" if indexes else "")
            )
        self._samples = indexes[0].with_suffix(".tev")
        if not self._samples.is_file():
            raise ValueError(
                f"{self._samples}: the file with the samples of the block is not there"
            )
        stores = self._read_index(indexes[0]).stores
        self.streams = {key: s for key, s in stores.items() if s.type_str == "streams"}
        self.epocs = {key: s for key, s in stores.items() if s.type_str == "epocs"}

    def _read_index(self, index: Path) -> Any:
        if index.stat().st_size < 80:
            raise ValueError(
                f"{index}: the index of the block is cut short, before the first entry; copy the "
                "block anew from where it is whole"
            )
        try:
            with _telling_what_matters():
                return self._tdt.read_block(
                    str(self.folder), headers=1, evtype=["streams", "epocs"], noepocauto=True
                )
        except Exception as error:  # of many classes, Exception itself among them
            raise ValueError(
                f"{index}: the block can't be read ({type(error).__name__}: {error}); is it whole, "
                "and has nothing been put into its folder, such as other blocks or a Notes.txt?"
            ) from error

    def channels(self) -> list[Channel]:
        """The streams, by the names that the tdt package gives them."""
        found = []
        for key, store in self.streams.items():
            numbers = np.unique(store.chan)
            n_chunks = store.ts.size // numbers.size
            n_samples = self._samples_a_chunk(store) * n_chunks
            start = float(store.ts[0])
            stop = float(store.ts[-1]) + (self._samples_a_chunk(store) - 1) / float(store.fs)
            names = [key] if numbers.size == 1 else [f"{key} channel {k}" for k in numbers]
            found += [Channel(name, n_samples, start, stop) for name in names]
        return found

    def onsets(self, name: str) -> np.ndarray | None:
        """Onsets of an epoc store, seconds; None if the block has no such store."""
        store = _named(self.epocs, name)
        if store is None:
            return None
        times, ends = (np.atleast_1d(np.asarray(one, float)) for one in (store.onset, store.offset))
        # The tdt package has a line that was up from the start go up at 0. Where it has no
        # record of when lines went down, it has them do so when they go up again.
        knows_ends = not np.array_equal(ends[:-1], times[1:])
        return times[1:] if knows_ends and times.size and times[0] == 0 else times

    def trace(self, name: str, channel: int = 1) -> Trace:
        """Samples of a stream store, and their times from the start of the block.

        Raises
        ------
        ValueError
            If there is no such store or channel, or samples of it are missing in the file.
        """
        store = _named(self.streams, name)
        if store is None:
            raise ValueError(
                f"{self.folder}: no stream store {name!r} (streams: "
                f"{', '.join(self.streams) or 'none'}; epocs: {', '.join(self.epocs) or 'none'})"
            )
        if store.ucf:
            raise ValueError(
                f"{self.folder}: the samples of store {name!r} are in .sev files, of which this "
                "loader has no knowledge; let Synapse store them in the block"
            )
        channels = np.asarray(store.chan)
        mine = channels == channel if channels.size > 1 else np.full(store.ts.size, channel == 1)
        if not mine.any():
            raise ValueError(
                f"{self.folder}: store {name!r} has no channel {channel} (channels: "
                f"{', '.join(map(str, np.unique(channels)))})"
            )
        values = np.frombuffer(
            self._chunks(name, store.data[mine], _bytes_of_chunk(store)), self._dtype(store)
        )
        time = _times(store.ts[mine], self._samples_a_chunk(store), float(store.fs))
        return Trace(time, values.astype(float))

    def _dtype(self, store: Any) -> np.dtype:
        return np.dtype(self._tdt.ALLOWED_FORMATS[store.dform]).newbyteorder("<")

    def _samples_a_chunk(self, store: Any) -> int:
        return _bytes_of_chunk(store) // self._dtype(store).itemsize

    def _chunks(self, name: str, offsets: np.ndarray, n_bytes: int) -> bytes:
        """Chunks of the file one after the other, those that touch at one go."""
        offsets = offsets.astype(np.int64)
        whole = np.count_nonzero(offsets + n_bytes <= self._samples.stat().st_size)
        if whole < offsets.size:
            raise ValueError(
                f"{self._samples}: ends before {offsets.size - whole} of the {offsets.size} chunks "
                f"of store {name!r}; copy the block anew from where it is whole"
            )
        breaks = np.flatnonzero(np.diff(offsets) != n_bytes) + 1
        parts = []
        with self._samples.open("rb", buffering=0) as file:
            for run in np.split(offsets, breaks):
                file.seek(int(run[0]))
                parts.append(file.read(run.size * n_bytes))
        return b"".join(parts)


def _indexes(folder: Path) -> list[Path]:
    """Files of a folder that may be the index of a block."""
    return [
        file
        for file in sorted(folder.glob("*"))
        if file.suffix == ".tsq" and not file.name.startswith(".")
    ]


def _bytes_of_chunk(store: Any) -> int:
    """Bytes of the samples of a chunk; its size counts words, those of the index included."""
    return (int(store.size) - 10) * 4


def _named(stores: Mapping[str, Any], name: str) -> Any:
    """The store of a name, as Synapse shows it or as the tdt package does."""
    return next((s for key, s in stores.items() if name in (key, s.name)), None)


def _times(starts: np.ndarray, n_samples: int, frequency: float) -> np.ndarray:
    """Times of all samples of chunks, of which the index has when they started.

    These are rounded, so that they count only where chunks are missing before them.
    """
    missing = np.abs(np.diff(starts) * frequency - n_samples) > 0.5
    heads = np.concatenate([[0], np.flatnonzero(missing) + 1])
    lengths = np.diff([*heads, starts.size]) * n_samples
    return np.concatenate(
        [
            starts[head] + np.arange(length) / frequency
            for head, length in zip(heads, lengths, strict=True)
        ]
    )


def _suggested(block: TDTBlock) -> tuple[dict[str, Any] | list[dict[str, Any]], list[str]]:
    """Keyword arguments that would load a block, one mapping a box, and what to know of them."""
    boxes: dict[str, list[str]] = {}
    for key in block.streams:
        boxes.setdefault(key[-1], []).append(key)
    pairs = {
        box: guess_pair(names)
        for box, names in boxes.items()
        if len(names) > 1 and any(char.isdigit() for name in names for char in name)
    }
    if not pairs or not all(name[:1] in pairs for name in block.epocs):
        # Names that have no box in them stand for themselves.
        pair = guess_pair(list(block.streams)) or ("", None)
        kwargs = {
            "box": "",
            "event_labels": list(block.epocs),
            "signal_label": pair[0],
            "isosbestic_label": pair[1],
        }
        if len(pairs) < 2:
            return kwargs, []
        each = [{**kwargs, "signal_label": s, "isosbestic_label": i} for s, i in pairs.values()]
        return each, ["a mapping for each letter at the end of the streams' names"]
    calls = [
        {
            "box": box,
            "event_labels": [name[1:] for name in block.epocs if name[:1] == box],
            "signal_label": signal[:-1],
            "isosbestic_label": isosbestic and isosbestic[:-1],
        }
        for box, (signal, isosbestic) in pairs.items()
    ]
    return as_loader_kwargs(calls), []


@contextlib.contextmanager
def _telling_what_matters() -> Iterator[None]:
    """What the tdt package prints is lost; what it warns of is logged, if it matters."""
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        yield
    for warning in caught:
        text = str(warning.message)
        if not issubclass(warning.category, ResourceWarning) and not text.startswith(
            _OF_NO_CONCERN
        ):
            logger.warning("%s", text)
