"""Thinning of long traces to what a picture can show."""

import numpy as np


def thin(time: np.ndarray, trace: np.ndarray, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the lowest and the highest sample of each pixel column, in their order.

    Parameters
    ----------
    time, trace : array, shape (n_samples,)
    n_columns : int
        Pixel columns of the picture.

    Returns
    -------
    time, trace : arrays, shape (at most 2 · n_columns + 2,)
        Samples of the originals; all of them where there are few enough. The first and
        the last are among them, and no peak is lost. Where all samples of a column are
        NaN, one of them stands for the gap.

    Examples
    --------
    >>> t, y = thin(np.arange(8), np.array([0, 0, 9, 0, 0, -9, 0, 0]), 2)
    >>> t.tolist(), y.tolist()
    ([0, 2, 4, 5, 7], [0, 9, 0, -9, 0])
    """
    if trace.size <= 2 * n_columns:
        return time, trace
    width = -(-trace.size // n_columns)
    incomplete = -trace.size % width
    columns = np.pad(trace, (0, incomplete), mode="edge").reshape(-1, width)
    starts = np.arange(len(columns)) * width
    last = trace.size - 1
    # NaN would win both, and hide what else is in its column.
    missing = np.isnan(columns)
    lowest = np.where(missing, np.inf, columns).argmin(axis=1)
    highest = np.where(missing, -np.inf, columns).argmax(axis=1)
    kept = np.concatenate([[0], starts + lowest, starts + highest, [last]])
    kept = np.unique(np.minimum(kept, last))
    return time[kept], trace[kept]
