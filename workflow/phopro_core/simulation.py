"""Simulated recordings whose truth is known, for tests, examples and benchmarks.

The model is the one that reference fitting assumes. Light collected by a fiber follows a
shared component, bleaching times motion,

    shared(t) = bleaching(t) · (1 + motion(t));

the isosbestic is proportional to it, the signal is a line of it times the response of
the sensor,

    isosbestic(t) = level · shared(t)
    signal(t) = (intercept + slope · isosbestic(t)) · (1 + dff(t)),

and photons arrive at random, so that noise grows with the square root of the light.

Two things can be added that the model does not know: an isosbestic that bleaches in its
own way, while the signal still follows the light that it would have followed; and
artifacts of the signal's detector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Response:
    """What the sensor does at an event: a rise and a decay of known height.

    ``amplitude`` is the peak, in units of dF/F; ``rise`` and ``decay`` are time
    constants in seconds.
    """

    amplitude: float
    rise: float = 0.15
    decay: float = 1.2

    def at(self, t: np.ndarray) -> np.ndarray:
        """Response at t seconds from the event; zero before it."""
        t = np.maximum(t, 0.0)
        peak_time = np.log(self.decay / self.rise) / (1 / self.rise - 1 / self.decay)
        return self.amplitude * self._shape(t) / self._shape(peak_time)

    def _shape(self, t: np.ndarray) -> np.ndarray:
        return np.exp(-t / self.decay) - np.exp(-t / self.rise)


DEFAULT_RESPONSES = {
    "trial_cue": Response(0.04),
    "lever1": Response(0.10),
    "lever2": Response(0.05),
    "shock": Response(-0.06, decay=2.5),
}

#: Least and greatest size of each type of artifact, in units of the reference.
ARTIFACT_HEIGHTS = {"spike": (0.1, 0.5), "jump": (0.05, 0.2)}


@dataclass(frozen=True)
class Artifact:
    """Something that the signal's detector added to the light.

    ``start_time`` and ``stop_time`` are those of the first and last sample of a spike,
    in seconds; a jump starts at both and lasts to the end of the recording. ``height``
    is what was added to each sample, in units of the reference at the start.
    """

    type: Literal["spike", "jump"]
    start_time: float
    stop_time: float
    height: float


@dataclass(frozen=True)
class SimulatedRecording:
    """A recording and its truth; arrays of shape (n_samples,).

    ``isosbestic`` is None for a single channel. ``dff`` is the response that went in,
    ``reference`` the signal without it, without noise and without artifacts;
    ``intercept`` and ``slope`` take the noise-free isosbestic to that reference, unless
    the isosbestic bleaches in its own way. ``artifacts`` are in the order of time.
    """

    time: np.ndarray
    signal: np.ndarray
    isosbestic: np.ndarray | None
    events: dict[str, np.ndarray]
    frequency: float
    dff: np.ndarray
    reference: np.ndarray
    intercept: float
    slope: float
    responses: Mapping[str, Response] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()


def simulate_recording(
    seed: int,
    duration: float = 600.0,
    frequency: float = 20.0,
    *,
    single_channel: bool = False,
    intercept: float = 5.0,
    slope: float = 1.25,
    level: float = 50.0,
    bleaching: tuple[float, float, float, float] = (0.15, 60.0, 0.2, 900.0),
    motion: float = 0.02,
    photons: float = 5000.0,
    responses: Mapping[str, Response] = DEFAULT_RESPONSES,
    trial_interval: float = 40.0,
    isosbestic_bleaching: tuple[float, float, float, float] | None = None,
    spikes: int = 0,
    jumps: int = 0,
) -> SimulatedRecording:
    """Simulate a session of a cued lever task.

    Every trial starts with a trial_cue; a press of lever1 or lever2 follows in most of
    them after 2 to 4 s, and a shock in some of those with lever1.

    Parameters
    ----------
    seed : int
        Equal seeds and settings give equal recordings.
    duration, frequency : float
        Seconds, Hz.
    single_channel : bool
        Leave out the isosbestic; motion is then left out too, since nothing could tell
        it from the response.
    intercept, slope : float
        Of the line that takes the isosbestic to the signal.
    level : float
        Isosbestic at the beginning, in arbitrary units. A low level with a steep slope
        makes a weak isosbestic, noisier than its signal.
    bleaching : (a1, τ1, a2, τ2)
        Shares of the light that fade, each with its time constant in seconds.
    motion : float
        Standard deviation of the shared component's motion, relative to its level.
    photons : float
        Photons behind one unit of fluorescence in one sample: the more, the less noise,
        whose standard deviation is sqrt(fluorescence / photons).
    responses : mapping of event to Response
        Of trial_cue, lever1, lever2 and shock; an event without one has no effect.
    trial_interval : float
        Seconds from cue to cue, give or take a tenth.
    isosbestic_bleaching : (a1, τ1, a2, τ2), optional
        Of the isosbestic, where it differs from that of the signal.
    spikes, jumps : int
        How many artifacts to add to the signal. A spike adds a tenth to a half of the
        fluorescence to 1 to 3 samples, a jump a twentieth to a fifth from there on,
        both of either sign. The recording is otherwise the same as without them.

    Raises
    ------
    ValueError
        If the artifacts would lie closer than 2 s.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(round(duration * frequency)) / frequency
    events = _session(rng, duration, frequency, trial_interval)
    dff = np.zeros_like(time)
    for label, response in responses.items():
        for instant in events[label]:
            dff += response.at(time - instant)

    moving = 0.0 if single_channel else motion * _motion(rng, time.size, frequency)
    shared = level * _fading(time, bleaching) * (1 + moving)
    reference = intercept + slope * shared
    clean_isosbestic = (
        shared
        if isosbestic_bleaching is None
        else level * _fading(time, isosbestic_bleaching) * (1 + moving)
    )
    signal = _with_shot_noise(rng, reference * (1 + dff), photons)
    isosbestic = None if single_channel else _with_shot_noise(rng, clean_isosbestic, photons)
    # Drawn last, so that all the rest is the same with artifacts and without.
    artifacts = _artifacts(rng, duration, frequency, spikes, jumps)
    for artifact in artifacts:
        _add_artifact(signal, artifact, reference, frequency)
    return SimulatedRecording(
        time=time,
        signal=signal,
        isosbestic=isosbestic,
        events=events,
        frequency=frequency,
        dff=dff,
        reference=reference,
        intercept=intercept,
        slope=slope,
        responses=dict(responses),
        artifacts=artifacts,
    )


def _session(
    rng: np.random.Generator, duration: float, frequency: float, trial_interval: float
) -> dict[str, np.ndarray]:
    """Times of each event, seconds, on samples, as a CSV's columns would give them."""
    n_trials = int((duration - 20) // trial_interval)
    cues = 10 + trial_interval * (np.arange(n_trials) + rng.uniform(0, 0.1, n_trials))
    choice = rng.choice(["lever1", "lever2", "none"], n_trials, p=[0.5, 0.35, 0.15])
    presses = cues + rng.uniform(2.1, 3.9, n_trials)
    shocked = (choice == "lever1") & (rng.uniform(size=n_trials) < 0.3)
    times = {
        "trial_cue": cues,
        "lever1": presses[choice == "lever1"],
        "lever2": presses[choice == "lever2"],
        "shock": presses[shocked] + 1.0,
    }
    return {label: np.round(t * frequency) / frequency for label, t in times.items()}


def _fading(time: np.ndarray, bleaching: tuple[float, float, float, float]) -> np.ndarray:
    """Share of the light that is left at each time."""
    a1, tau1, a2, tau2 = bleaching
    return 1 - a1 * (1 - np.exp(-time / tau1)) - a2 * (1 - np.exp(-time / tau2))


def _motion(rng: np.random.Generator, n_samples: int, frequency: float) -> np.ndarray:
    """Slow swaying with some jerks, standard deviation 1.

    An autoregressive wander with a time constant of half a second, and jerks that come
    about once a minute and settle within some seconds.
    """
    from scipy.signal import lfilter

    def wander(drive: np.ndarray, seconds: float) -> np.ndarray:
        keep = np.exp(-1 / (seconds * frequency))
        return lfilter([1.0], [1.0, -keep], drive)

    sway = wander(rng.standard_normal(n_samples), 0.5)
    jerk_times = rng.uniform(size=n_samples) < 1 / (60 * frequency)
    jerks = wander(jerk_times * rng.standard_normal(n_samples), 2.0)
    motion = sway / sway.std() + 3 * jerks
    return (motion - motion.mean()) / motion.std()


def _with_shot_noise(rng: np.random.Generator, light: np.ndarray, photons: float) -> np.ndarray:
    # The normal limit of Poisson counts.
    return light + np.sqrt(light / photons) * rng.standard_normal(light.size)


def _artifacts(
    rng: np.random.Generator, duration: float, frequency: float, spikes: int, jumps: int
) -> tuple[Artifact, ...]:
    """Artifacts of random type and height, one in each of as many equal parts of the session."""
    if spikes + jumps == 0:
        return ()
    part = duration / (spikes + jumps)
    if part < 4:
        raise ValueError(
            f"{spikes + jumps} artifacts in {duration:g} s would lie closer than 2 s; "
            f"at most {int(duration / 4)} have room"
        )
    artifacts = []
    for k, type_ in enumerate(rng.permutation(["spike"] * spikes + ["jump"] * jumps).tolist()):
        # In the middle half of its part, so that neighbours stay apart.
        start = round((k + rng.uniform(0.25, 0.75)) * part * frequency)
        n_samples = int(rng.integers(1, 4)) if type_ == "spike" else 1
        height = rng.choice([-1.0, 1.0]) * rng.uniform(*ARTIFACT_HEIGHTS[type_])
        artifacts.append(
            Artifact(type_, start / frequency, (start + n_samples - 1) / frequency, float(height))
        )
    return tuple(artifacts)


def _add_artifact(
    signal: np.ndarray, artifact: Artifact, reference: np.ndarray, frequency: float
) -> None:
    first, last = (round(t * frequency) for t in (artifact.start_time, artifact.stop_time))
    stop = last + 1 if artifact.type == "spike" else None
    signal[first:stop] += artifact.height * reference[first]
