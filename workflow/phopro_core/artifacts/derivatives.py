"""Artifacts told by their derivative: faster than anything around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phopro_core.artifacts.base import ArtifactDetector, artifact_table
from phopro_core.artifacts.intervals import (
    Interval,
    LevelChange,
    level_change,
    merge,
    outside,
    span,
)
from phopro_core.references import NORMAL_MAD
from phopro_core.runs import runs

if TYPE_CHECKING:
    import pandas as pd

#: Share of the signal's typical derivative below which no chunk's is taken to lie: in a
#: stretch without light the least noise would else stand out.
QUIETEST = 0.1
#: Share of a candidate's height by which the level has to move for it to be a jump, and by
#: which that may differ from the step that the signal makes.
LASTING = 0.5
#: Share of a candidate's height by which the signal may miss, at the end of a spike, where
#: it was at the beginning.
RETURNED = 0.2


class DerivativeDetector(ArtifactDetector):
    """Finds spikes and jumps by outlying derivatives.

    A *spike* comes and goes alike, and leaves the signal where it was; a *jump* moves its
    level for good. What rises fast and decays slowly, as sensors do, is neither.

    The derivative is divided by its local scale, the median absolute value over 0.6745 in
    chunks of the recording. Where it lies beyond the threshold there is a candidate, which
    is expanded, and merged with others close by. It is a jump if the median of the signal
    differs between the seconds before and after it, by many times the noise there and by
    about the step that the signal makes in it; else a spike, if its steepest rise and fall
    are both beyond the threshold and alike, it is short, and ends where it began.

    Parameters
    ----------
    threshold : float
        Derivative, in local scales.
    jump_threshold : float
        Change of level, in standard deviations of the noise around it.
    symmetry : float
        The lesser of steepest rise and fall over the greater, from which on they are alike.
    longest_spike_sec : float
        From the first outlying derivative of a spike to its last, seconds. A response that
        is soon followed by one of the other sign takes longer.
    chunk_sec : float
        Length of a chunk, seconds.
    level_sec : float
        How much of the signal before and after a jump tells the levels, seconds. To be
        longer than the sensor's decay, which else looks like a jump. Of two jumps that
        follow one another by less than half of it, one may go unnoticed.
    expand_sec : (before, after)
        Seconds by which an artifact is taken to begin before and to last beyond what
        the derivative shows.
    merge_sec : float
        Seconds between expanded candidates up to which they are one.
    """

    def __init__(
        self,
        threshold: float = 10.0,
        jump_threshold: float = 5.0,
        symmetry: float = 0.7,
        longest_spike_sec: float = 1.0,
        chunk_sec: float = 60.0,
        level_sec: float = 20.0,
        expand_sec: tuple[float, float] = (0.2, 0.5),
        merge_sec: float = 0.3,
    ) -> None:
        positive = {
            "threshold": threshold,
            "jump_threshold": jump_threshold,
            "longest_spike_sec": longest_spike_sec,
            "chunk_sec": chunk_sec,
            "level_sec": level_sec,
        }
        for name, value in positive.items():
            if not value > 0:
                raise ValueError(f"{name} is {value!r}, but must be a positive number")
        if not 0 <= symmetry <= 1:
            raise ValueError(f"symmetry is {symmetry!r}, but must lie between 0 and 1")
        for name, value in {"expand_sec": expand_sec, "merge_sec": merge_sec}.items():
            if not np.min(value) >= 0:
                raise ValueError(f"{name} is {value!r}, but must be seconds, 0 or more")
        self.threshold = threshold
        self.jump_threshold = jump_threshold
        self.symmetry = symmetry
        self.longest_spike_sec = longest_spike_sec
        self.chunk_sec = chunk_sec
        self.level_sec = level_sec
        self.expand_sec = tuple(expand_sec)
        self.merge_sec = merge_sec

    def detect(
        self, signal: np.ndarray, reference: np.ndarray | None, time: np.ndarray
    ) -> pd.DataFrame:
        scores = self._scores(signal, time)
        candidates = self._candidates(scores, time)
        jumps = self._jumps(signal, time, candidates)
        found = [(*interval, "jump", score) for interval, score in jumps.items()]
        for interval in candidates:
            inside = span(time, interval)
            if interval not in jumps and self._is_spike(
                signal[inside], scores[inside], time[inside]
            ):
                found.append((*interval, "spike", np.abs(scores[inside]).max()))
        return artifact_table(found)

    def _scores(self, signal: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Derivative from each sample to the next, in local scales, shape (n_samples,)."""
        derivative = np.diff(signal) / np.diff(time)
        n_chunks = max(int(np.ptp(time) / self.chunk_sec), 1)
        edges = np.linspace(time[0], time[-1], n_chunks + 1)[1:-1]
        chunks = np.split(np.abs(derivative), np.searchsorted(time[:-1], edges))
        scales = np.array([np.median(chunk) if chunk.size else 0.0 for chunk in chunks])
        floor = QUIETEST * np.median(scales[scales > 0]) if (scales > 0).any() else np.inf
        scales = np.maximum(scales, floor) / NORMAL_MAD
        # The last sample has no step after it: it scores as the one that leads to it.
        scores = derivative / np.repeat(scales, [chunk.size for chunk in chunks])
        return np.append(scores, scores[-1])

    def _candidates(self, scores: np.ndarray, time: np.ndarray) -> list[Interval]:
        """Intervals with outlying derivatives, expanded and merged, seconds."""
        outlying = time[np.minimum(runs(np.abs(scores) >= self.threshold), time.size - 1)]
        before, after = self.expand_sec
        expanded = np.clip(outlying + np.array([-before, after]), time[0], time[-1])
        return [(start, stop) for start, stop in merge(expanded, self.merge_sec).tolist()]

    def _jumps(
        self, signal: np.ndarray, time: np.ndarray, candidates: list[Interval]
    ) -> dict[Interval, float]:
        """Those candidates that are jumps, each with its score."""
        level = signal.copy()
        usable = outside(time, candidates)

        def measure(interval: Interval) -> tuple[float, LevelChange, float]:
            """Height, change of level, and how far that is from the step, in heights."""
            inside = signal[span(time, interval)]
            height = np.ptp(inside)
            change = level_change(level, time, interval, usable, self.level_sec)
            misfit = abs(change.change - (inside[-1] - inside[0])) / height
            return height, change, np.nan_to_num(misfit, nan=np.inf)

        jumps = {}
        # Those first that are most like a jump: next to one, what is none may look like one
        # until the jump is taken out.
        for interval in sorted(candidates, key=lambda interval: measure(interval)[-1]):
            height, (change, noise), misfit = measure(interval)
            lasting = abs(change) >= max(self.jump_threshold * noise, LASTING * height)
            if lasting and misfit <= LASTING:
                jumps[interval] = abs(change) / noise if noise else np.inf
                level[span(time, interval).start :] -= change
        return jumps

    def _is_spike(self, signal: np.ndarray, scores: np.ndarray, time: np.ndarray) -> bool:
        """Whether a stretch comes and goes alike, soon, and ends where it began."""
        rise, fall = scores.max(), -scores.min()
        alike = min(rise, fall) >= max(self.threshold, self.symmetry * max(rise, fall))
        lasts = np.ptp(time[np.abs(scores) >= self.threshold])
        returned = abs(signal[-1] - signal[0]) <= RETURNED * np.ptp(signal)
        return bool(alike and lasts <= self.longest_spike_sec and returned)
