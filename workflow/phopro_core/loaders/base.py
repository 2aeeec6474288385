"""What every loader has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from phopro_core.experiment import PhotometryExperiment


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
