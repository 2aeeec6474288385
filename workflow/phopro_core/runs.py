"""Runs of true values in a mask."""

import numpy as np


def runs(mask: np.ndarray) -> np.ndarray:
    """First index, and the one after the last, of each run; shape (n_runs, 2).

    Examples
    --------
    >>> runs(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    padded = np.zeros(mask.size + 2, dtype=bool)
    padded[1:-1] = mask
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
