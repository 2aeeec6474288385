"""Whether values vary at all, rounding errors aside."""

import numpy as np

#: Range, relative to the largest absolute value, below which values are constant.
ROUNDING = 1e-10


def varies(values: np.ndarray) -> np.ndarray:
    """Whether values vary along their last axis; a bool for a single trace.

    Examples
    --------
    >>> varies(np.array([[0.1, 0.1, 0.1], [0.1, 0.2, 0.3]]))
    array([False,  True])
    """
    return np.ptp(values, axis=-1) > ROUNDING * np.abs(values).max(axis=-1)
