"""What every loader has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from phopro_core.experiment import PhotometryExperiment
from phopro_core.loaders.annotations import AnnotationHandler, read_annotation
from phopro_core.loaders.description import Description


class PhotometryLoader(ABC):
    """Reads one recording from what an acquisition system wrote.

    A subclass takes the path of the recording as the first argument of its constructor,
    and implements :meth:`extract_data`.

    Examples
    --------
    >>> import numpy as np
    >>> class NpyLoader(PhotometryLoader):
    ...     def __init__(self, path, frequency=20.0):
    ...         self.path, self.frequency = path, frequency
    ...
    ...     def extract_data(self):
    ...         signal, isosbestic = np.load(self.path)
    ...         return {
    ...             "raw_signal": signal,
    ...             "raw_isosbestic": isosbestic,
    ...             "time": np.arange(signal.size) / self.frequency,
    ...             "metadata": {"source": str(self.path)},
    ...         }
    """

    #: The library that it reads with and the extra of this package that brings it, where
    #: it is not installed anyway.
    extra: ClassVar[tuple[str, str] | None] = None

    @abstractmethod
    def extract_data(self) -> dict[str, Any]:
        """Read the recording.

        Returns
        -------
        dict
            The arguments of :class:`~phopro_core.PhotometryExperiment`.
        """

    def load(
        self, exp_cls: type[PhotometryExperiment] = PhotometryExperiment
    ) -> PhotometryExperiment:
        """Read the recording as an experiment, of a class of your own if you have one."""
        return exp_cls(**self.extract_data())

    @classmethod
    def companion_files(cls, path: Path, kwargs: dict[str, Any]) -> list[Path]:
        """Files beside the recording that its loader reads, given its keyword arguments.

        When one of them changes, the recording is loaded again. By default the
        annotation file, where the loader is given one.
        """
        annotation = kwargs.get("annotation_file")
        return [] if annotation is None else [Path(annotation)]

    @classmethod
    def files_of(cls, path: Path) -> list[Path]:
        """Files that a recording is made of: itself, or by default all in it, if a folder."""
        if not path.is_dir():
            return [path]
        return sorted(file for file in path.rglob("*") if file.is_file())

    @classmethod
    def files_to_digest(cls, path: Path) -> list[Path]:
        """Those of its files that a recording's SHA-256 is told by; by default all."""
        return cls.files_of(path)

    @classmethod
    def describe(cls, path: Path) -> Description | None:
        """What is in a recording; None if it is not of this loader's format.

        Raises
        ------
        ValueError
            If it is of the format, but broken.
        """
        return None


@dataclass(frozen=True)
class Reading:
    """What a file or folder says of one recording.

    ``time`` (n_samples,) in seconds; ``traces``, the signal and, where there is one, the
    isosbestic, each (n_samples,); ``events``, times of each in seconds; ``metadata``.
    """

    time: np.ndarray
    traces: list[np.ndarray]
    events: dict[str, np.ndarray]
    metadata: dict[str, Any] = field(default_factory=dict)


class FormatLoader(PhotometryLoader):
    """A loader of one format, which thins and annotates as all of them do.

    Parameters
    ----------
    path : path
        The recording.
    downsample : int, optional
        Keep one sample in so many. Events keep their own times.
    downsample_kwargs : mapping, optional
        Of :func:`phopro_core.downsampling.downsample`, such as the method.
    annotation_file : path, optional
        Its keys and values go into the metadata.
    annotation_handler : {'json', 'yaml'} or callable
        Format of that file, or a function of its path that returns a mapping.
    """

    def __init__(
        self,
        path: str | Path,
        downsample: int | None,
        downsample_kwargs: Mapping[str, Any] | None,
        annotation_file: str | Path | None,
        annotation_handler: AnnotationHandler,
    ) -> None:
        self.path = Path(path)
        self.downsample = downsample
        self.downsample_kwargs = dict(downsample_kwargs or {})
        self.annotation_file = annotation_file
        self.annotation_handler = annotation_handler

    @abstractmethod
    def read(self) -> Reading:
        """Read the recording as it was written."""

    def annotation(self) -> dict[str, Any]:
        """What the annotation file says of the recording."""
        return read_annotation(self.annotation_file, self.annotation_handler)

    def extract_data(self) -> dict[str, Any]:
        """Read the recording, its annotation with it, and thin it.

        Raises
        ------
        ValueError
            If the file is not of the format, broken, or lacks what was asked for.
        FileNotFoundError
            If the recording, or a file beside it, is not there.
        """
        reading = self.read()
        time, traces = reading.time, reading.traces
        if self.downsample is not None:
            from phopro_core.downsampling import downsample

            traces, time = downsample(
                np.stack(traces), time, self.downsample, **self.downsample_kwargs
            )
        return {
            "raw_signal": traces[0],
            "raw_isosbestic": traces[1] if len(traces) == 2 else None,
            "time": time,
            "events": reading.events,
            "metadata": {**reading.metadata, **self.annotation(), "source": str(self.path)},
        }
