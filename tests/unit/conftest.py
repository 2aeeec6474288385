"""What the unit tests share."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("unit", deadline=None, database=None, derandomize=True)
settings.load_profile("unit")


@pytest.fixture
def ramp() -> SimpleNamespace:
    """100 s at 20 Hz that count up from 100 by one a sample, with events to extract."""
    return SimpleNamespace(
        signal=100.0 + np.arange(2000),
        time=np.arange(2000) / 20,
        frequency=20.0,
        events={
            "cue": np.array([10.0, 20.0, 30.0, 40.0]),
            "lev": np.array([12.0, 13.0, 24.0, 34.01]),
            "sh": np.array([11.02, 50.0]),
        },
    )
