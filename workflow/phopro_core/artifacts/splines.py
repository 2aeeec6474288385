"""Artifacts mended: bridged by a spline, or shifted back to their level."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from phopro_core.artifacts.base import ArtifactCorrector
from phopro_core.artifacts.intervals import Interval, level_change, outside, span

if TYPE_CHECKING:
    import pandas as pd


class SplineCorrector(ArtifactCorrector):
    """Bridges spikes by a cubic spline, and takes the offset of jumps out.

    A spike is replaced by a cubic spline through anchors: the means of the two halves of
    the seconds before it, and of those after it. What follows a jump is shifted to the
    level before it; the jump itself is bridged likewise. Artifacts of other types are
    left as they are.

    Parameters
    ----------
    anchor_sec : float
        How much of the signal on each side of an artifact makes its anchors, seconds.
    level_sec : float
        How much of the signal before and after a jump tells the levels, seconds.
    correct_spikes, correct_jumps : bool
        Which artifacts to mend.
    """

    def __init__(
        self,
        anchor_sec: float = 0.5,
        level_sec: float = 20.0,
        correct_spikes: bool = True,
        correct_jumps: bool = True,
    ) -> None:
        for name, value in {"anchor_sec": anchor_sec, "level_sec": level_sec}.items():
            if not value > 0:
                raise ValueError(f"{name} is {value!r}, but must be a positive number")
        self.anchor_sec = anchor_sec
        self.level_sec = level_sec
        self.correct_spikes = correct_spikes
        self.correct_jumps = correct_jumps

    def correct(self, signal: np.ndarray, time: np.ndarray, artifacts: pd.DataFrame) -> np.ndarray:
        of_type = {
            kind: list(zip(found["start_time"], found["stop_time"], strict=True))
            for kind, found in artifacts.groupby("type")
        }
        jumps, spikes = of_type.get("jump", []), of_type.get("spike", [])
        usable = outside(time, [interval for found in of_type.values() for interval in found])
        corrected = signal.copy()
        if self.correct_jumps:
            for jump in jumps:
                change, _ = level_change(signal, time, jump, usable, self.level_sec, jumps)
                corrected[span(time, jump).start :] -= np.nan_to_num(change)
            self._bridge(corrected, time, jumps, usable)
        if self.correct_spikes:
            self._bridge(corrected, time, spikes, usable)
        return corrected

    def _bridge(
        self, signal: np.ndarray, time: np.ndarray, intervals: list[Interval], usable: np.ndarray
    ) -> None:
        """Replace what lies in the intervals, from what lies beside them; in place."""
        from scipy.interpolate import CubicSpline

        half = self.anchor_sec / 2
        for start, stop in intervals:
            before = self._anchors(signal, time, usable, (start - 2 * half, start - half, start))
            after = self._anchors(signal, time, usable, (stop, stop + half, stop + 2 * half))
            inside = span(time, (start, stop))
            if before and after:
                spline = CubicSpline(*zip(*before, *after, strict=True))
                signal[inside] = spline(time[inside])
            elif before or after:
                # At an end of the recording there is one level to go by.
                signal[inside] = np.mean([value for _, value in before or after])

    @staticmethod
    def _anchors(
        signal: np.ndarray, time: np.ndarray, usable: np.ndarray, edges: tuple[float, ...]
    ) -> list[tuple[float, float]]:
        """Mean time and mean value between one edge and the next, where samples are usable."""
        anchors = []
        for lower, upper in pairwise(edges):
            near = span(time, (lower, np.nextafter(upper, -np.inf)))
            free = usable[near]
            if free.any():
                anchors.append((time[near][free].mean(), signal[near][free].mean()))
        return anchors
