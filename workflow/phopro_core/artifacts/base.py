"""What every artifact detector and corrector has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Columns of a table of artifacts, each with its type.
COLUMNS = {"start_time": float, "stop_time": float, "type": str, "score": float}


class ArtifactDetector(ABC):
    """Finds artifacts in a filtered signal, before the reference is fitted.

    Examples
    --------
    >>> class Saturation(ArtifactDetector):
    ...     def __init__(self, ceiling):
    ...         self.ceiling = ceiling
    ...
    ...     def detect(self, signal, reference, time):
    ...         above = signal > self.ceiling
    ...         return artifact_table(
    ...             (time[k], time[k], "saturation", signal[k]) for k in np.flatnonzero(above)
    ...         )
    >>> Saturation(2.0).detect(np.array([0.0, 3.0, 0.0]), None, np.arange(3.0))
       start_time  stop_time        type  score
    0         1.0        1.0  saturation    3.0
    """

    @abstractmethod
    def detect(
        self, signal: np.ndarray, reference: np.ndarray | None, time: np.ndarray
    ) -> pd.DataFrame:
        """Find artifacts.

        Parameters
        ----------
        signal : array, shape (n_samples,)
            The filtered signal less what it shares with the isosbestic; without missing
            samples.
        reference : array, shape (n_samples,), or None
            What it shares with the isosbestic, in the same units; None with one channel.
        time : array, shape (n_samples,)
            Seconds; gaps show as longer steps.

        Returns
        -------
        DataFrame
            A row per artifact: start_time and stop_time in seconds, its type, and its
            score; see :func:`artifact_table`.
        """


class ArtifactCorrector(ABC):
    """Mends the artifacts of a filtered signal."""

    @abstractmethod
    def correct(self, signal: np.ndarray, time: np.ndarray, artifacts: pd.DataFrame) -> np.ndarray:
        """Mend artifacts.

        Parameters
        ----------
        signal, time : array, shape (n_samples,)
            The signal that the detector saw, and its clock, seconds.
        artifacts : DataFrame
            What the detector found.

        Returns
        -------
        array, shape (n_samples,)
            The signal without them; a new array.
        """


def artifact_table(rows: Iterable[tuple[float, float, str, float]]) -> pd.DataFrame:
    """A table of artifacts, of (start_time, stop_time, type, score), by their start."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(COLUMNS)
    return table.sort_values(["start_time", "stop_time"], ignore_index=True)


def checked_table(table: object, detector: ArtifactDetector) -> pd.DataFrame:
    """Raise ValueError unless a detector returned a table of artifacts."""
    import pandas as pd

    name = type(detector).__name__
    if not isinstance(table, pd.DataFrame):
        raise ValueError(
            f"{name}.detect returned a {type(table).__name__}, but must return a table"
        )
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise ValueError(
            f"{name}.detect returned a table without {missing} (has: {', '.join(map(str, table))})"
        )
    return artifact_table(table[list(COLUMNS)].itertuples(index=False))
