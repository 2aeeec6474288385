"""What holds for all trials, whatever the clock, the events and the settings."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core import PhotometryExperiment
from phopro_core.downsampling import downsample
from phopro_core.extraction import TrialTable, extract_trials
from phopro_core.tables import wide_table

N = 300  # samples of each recording
MIDDLE = 150.0

alignments = st.sampled_from(["nearest", "interp"])
logics = st.sampled_from(["first", "last", "mean", "all"])


class Recording(NamedTuple):
    """A random walk on a clock that may begin anywhere, tick at any rate, and jitter."""

    time: np.ndarray
    trace: np.ndarray
    frequency: float
    jitter: float  # largest shift of a sample, in samples

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Seconds of positions that are given in samples; sampling goes on beyond the ends."""
        positions = np.asarray(positions, dtype=float)
        beyond = positions - np.clip(positions, 0, N - 1)
        return np.interp(positions, np.arange(N), self.time) + beyond / self.frequency

    def extract(self, events: dict[str, np.ndarray], bounds: Any, **settings: Any) -> TrialTable:
        """Trials of the bounds, which are in samples, around each cue unless told otherwise."""
        seconds = {"trial_bounds": bounds, "baseline_bounds": settings.pop("baseline_bounds", None)}
        for name, given_in_samples in seconds.items():
            if given_in_samples is not None:
                settings[name] = tuple(edge / self.frequency for edge in given_in_samples)
        return extract_trials(
            self.trace, self.time, self.frequency, events, **{"align_to": "cue"} | settings
        )


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    frequency = draw(st.sampled_from([13.3, 20.0, 29.97, 1017.25]) | st.floats(5, 2000))
    origin = draw(st.just(0.0) | st.floats(-1e3, 1e5))
    jitter = draw(st.just(0.0) | st.floats(0, 0.2))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shifts = jitter * rng.uniform(-1, 1, N)
    shifts[[0, -1]] = 0  # so that the rate stays what it is
    time = origin + (np.arange(N) + shifts) / frequency
    return Recording(time, rng.standard_normal(N).cumsum(), frequency, jitter)


def positions(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """In samples: on them, half-way between them, and anywhere, but just beyond half-way.

    There a rounding error decides to which of two samples an instant is the nearer.
    """
    halves = st.integers(int(2 * lowest), int(2 * highest)).map(lambda half: half / 2)
    anywhere = st.floats(lowest, highest).filter(lambda at: not 0 < (at - 0.5) % 1 < 1e-5)
    return halves | anywhere


def lists_of(instants: st.SearchStrategy[float], **sizes: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(instants, **sizes).map(np.array)


@st.composite
def windows(draw: st.DrawFn) -> tuple[float, float]:
    """Bounds in samples, around the centre or beside it, that fit into the middle."""
    low = draw(st.integers(-40, 40) | st.floats(-40, 40))
    return low, low + draw(st.integers(1, 60) | st.floats(1, 60))


#: Beyond both ends too; the trial of a cue in the middle is always valid.
cue_positions = lists_of(positions(-20, N + 20), max_size=7).map(lambda at: np.append(at, MIDDLE))
event_positions = lists_of(positions(-20, N + 20), max_size=12)


@given(recording=recordings(), cues=cue_positions, bounds=windows())
def test_nearest_trials_are_the_samples_from_the_snapped_centre_on(recording, cues, bounds):
    table = recording.extract({"cue": recording.at(cues)}, bounds, window_times=True)
    offsets = np.rint(table.t * recording.frequency)
    np.testing.assert_allclose(table.t, offsets / recording.frequency, rtol=1e-12)
    assert (np.diff(offsets) == 1).all()
    assert abs(offsets[0] - bounds[0]) <= 0.5 + 1e-9
    assert abs(offsets.size - (bounds[1] - bounds[0])) <= 0.5 + 1e-9

    snapped = np.ceil(cues - 0.5)  # of two samples equally near, the earlier
    samples = (snapped[:, np.newaxis] + offsets).astype(int)
    inside = (samples[:, 0] >= 0) & (samples[:, -1] < N)
    assert table.invalid_windows == np.flatnonzero(~inside).tolist()
    assert np.array_equal(table.signals, recording.trace[samples[inside]])
    assert np.array_equal(table.obs["start_time"], recording.time[samples[inside, 0]])
    assert np.array_equal(table.obs["stop_time"], recording.time[samples[inside, -1]])


@given(recording=recordings(), cues=cue_positions, bounds=windows())
def test_interpolated_trials_lie_on_the_trace_at_their_very_times(recording, cues, bounds):
    centres = recording.at(cues)
    table = recording.extract(
        {"cue": centres}, bounds, window_alignment="interp", window_times=True
    )
    in_samples = table.t * recording.frequency
    np.testing.assert_allclose(in_samples, bounds[0] + np.arange(table.t.size), atol=1e-9)
    assert abs(table.t.size - (bounds[1] - bounds[0])) <= 0.5 + 1e-9

    instants = centres[:, np.newaxis] + table.t
    inside = np.ones(cues.size, dtype=bool)
    inside[table.invalid_windows] = False
    reach = np.maximum(recording.time[0] - instants[:, 0], instants[:, -1] - recording.time[-1])
    # A millionth of a sample beyond the ends is a rounding error, not yet outside.
    assert (reach[inside] * recording.frequency <= 1.1e-6).all()
    assert (reach[~inside] * recording.frequency >= 0.9e-6).all()
    expected = np.interp(instants[inside], recording.time, recording.trace)
    np.testing.assert_allclose(table.signals, expected, atol=1e-6)
    np.testing.assert_allclose(table.obs["start_time"], instants[inside, 0], rtol=1e-14)
    np.testing.assert_allclose(table.obs["stop_time"], instants[inside, -1], rtol=1e-14)


#: Tenths of a second, which binary fractions only come close to.
tenths = st.integers(20, 180)
#: How far an event lies from its tenth, in nanoseconds: of one, a tolerance takes no notice.
nanoseconds = st.sampled_from([0, 0, -2, -0.5, 0.5, 2])


@given(
    origin=st.sampled_from([0, 7, 100_000]),
    cues=st.lists(tenths, min_size=1, max_size=6),
    levers=st.lists(st.tuples(tenths, nanoseconds), max_size=12),
    low=st.integers(-30, 30),
    width=st.integers(0, 20),
    logic=logics,
    alignment=alignments,
)
def test_a_trial_has_exactly_the_events_in_its_tolerance(
    origin, cues, levers, low, width, logic, alignment
):
    time = origin + np.arange(400) / 20
    in_seconds = {
        "cue": origin + np.array(cues) / 10,
        "lever": origin + np.array([tenth / 10 + 1e-9 * off for tenth, off in levers]),
    }
    obs = extract_trials(
        np.zeros(400),
        time,
        20.0,
        in_seconds,
        align_to="cue",
        trial_bounds=(-1, 1),
        event_tolerances={"lever": (low / 10, (low + width) / 10)},
        window_alignment=alignment,
        event_conflict_logic=logic,
    ).obs
    low_edge, high_edge = (low, -1), (low + width, 1)
    belonging = [
        sorted(lever - cue for lever, off in levers if low_edge <= (lever - cue, off) <= high_edge)
        for cue in cues
    ]
    n_columns = max(1, *map(len, belonging)) if logic == "all" else 1
    names = ["lever"] + [f"lever_occurrence_{k}" for k in range(2, n_columns + 1)]
    assert obs.columns.tolist() == ["trial_num", "cue", *names]
    expected = np.full((len(cues), n_columns), np.nan)
    for row, inside in zip(expected, belonging, strict=True):
        if inside:
            chosen = {
                "first": inside[:1],
                "last": inside[-1:],
                "mean": [np.mean(inside)],
                "all": inside,
            }[logic]
            row[: len(chosen)] = np.array(chosen) / 10
    # Nearest moves cue and event by up to half a sample each, but takes the times as they are
    # to tell whether they belong together.
    np.testing.assert_allclose(
        obs[names], expected, rtol=0, atol=3e-9 if alignment == "interp" else 0.05 + 3e-9
    )


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Recording, dict[str, np.ndarray], dict[str, Any]]:
    """A recording, its events, and settings of the extraction."""
    recording = draw(recordings())
    events = {
        "cue": recording.at(draw(cue_positions)),
        "lever": recording.at(draw(event_positions)),
        "shock": recording.at(draw(event_positions)),
    }
    settings = {
        "center_on": draw(st.sampled_from([None, "lever"])),
        # In seconds; the centre moves by 40 samples at most.
        "event_tolerances": {"lever": (-20 / recording.frequency, 40 / recording.frequency)},
        "window_alignment": draw(alignments),
        "event_conflict_logic": draw(logics),
        "window_times": draw(st.booleans()),
        "baseline_bounds": draw(st.sampled_from([None, (-30, -10)])),
    }
    return recording, events, settings


def assert_same_trials(one: TrialTable, other: TrialTable) -> None:
    pd.testing.assert_frame_equal(one.obs, other.obs)
    assert np.array_equal(one.signals, other.signals)
    assert np.array_equal(one.t, other.t)
    assert (one.baselines is None) == (other.baselines is None)
    if one.baselines is not None:
        pd.testing.assert_frame_equal(one.baseline_obs, other.baseline_obs)
        assert np.array_equal(one.baselines, other.baselines)


@given(session=sessions(), seed=st.integers(0, 1000), pooled=st.booleans())
def test_the_order_in_which_occurrences_are_noted_does_not_matter(session, seed, pooled):
    recording, events, settings = session
    rng = np.random.default_rng(seed)
    shuffled = {label: rng.permutation(times) for label, times in events.items()}
    if pooled:
        settings["align_to"] = ["cue", "shock"]
    else:
        # The trials of one event stand in its order: see the next test.
        shuffled["cue"] = events["cue"]
    in_order, without = (
        recording.extract(each, (-30, 30), **settings) for each in (events, shuffled)
    )
    assert_same_trials(in_order, without)
    assert in_order.invalid_windows == without.invalid_windows


@given(session=sessions(), seed=st.integers(0, 1000))
def test_trials_stand_in_the_order_of_their_alignments_and_are_the_same_in_any(session, seed):
    recording, events, settings = session
    order = np.random.default_rng(seed).permutation(events["cue"].size)
    shuffled = events | {"cue": events["cue"][order]}
    in_order, without = (
        recording.extract(each, (-30, 30), **settings) for each in (events, shuffled)
    )
    assert sorted(order[without.invalid_windows]) == in_order.invalid_windows
    valid = np.setdiff1d(order, in_order.invalid_windows)
    rows = np.searchsorted(valid, order[np.isin(order, valid)])
    assert np.array_equal(without.signals, in_order.signals[rows])
    pd.testing.assert_frame_equal(
        without.obs.drop(columns="trial_num"),
        in_order.obs.drop(columns="trial_num").iloc[rows].reset_index(drop=True),
    )


@given(session=sessions(), labels=st.permutations(["cue", "lever", "shock"]))
def test_the_order_of_the_events_moves_columns_and_nothing_else(session, labels):
    recording, events, settings = session
    moved = recording.extract({label: events[label] for label in labels}, (-30, 30), **settings)
    table = recording.extract(events, (-30, 30), **settings)
    assert set(moved.obs) == set(table.obs)
    pd.testing.assert_frame_equal(moved.obs[table.obs.columns], table.obs)
    assert np.array_equal(moved.signals, table.signals)
    assert moved.invalid_windows == table.invalid_windows


@given(session=sessions())
def test_what_is_left_of_the_trials_is_what_their_alignments_alone_give(session):
    recording, events, settings = session
    table = recording.extract(events, (-30, 30), **settings)
    left = events | {"cue": np.delete(events["cue"], table.invalid_windows)}
    alone = recording.extract(left, (-30, 30), **settings)
    assert alone.invalid_windows == []
    # A dropped trial may have had more occurrences than any that is left.
    for name in set(table.obs) - set(alone.obs):
        assert "_occurrence_" in name
        assert table.obs.pop(name).isna().all()
        if table.baseline_obs is not None:
            assert table.baseline_obs.pop(name).isna().all()
    assert_same_trials(alone, table)


@given(
    recording=recordings(),
    cues=lists_of(positions(100, 190), min_size=1, max_size=6),
    levers=lists_of(positions(100, 230), max_size=10),
    bounds=windows(),
    center_on=st.sampled_from([None, "lever"]),
)
def test_nearest_and_interp_agree_to_within_a_sample(recording, cues, levers, bounds, center_on):
    events = {"cue": recording.at(cues), "lever": recording.at(levers)}
    settings = {
        "center_on": center_on,
        "event_tolerances": {"lever": (0, 40 / recording.frequency)},
    }
    nearest, interp = (
        recording.extract(events, bounds, window_alignment=alignment, **settings)
        for alignment in ("nearest", "interp")
    )
    sample, longest_step = 1 / recording.frequency, np.diff(recording.time).max()
    assert nearest.signals.shape == interp.signals.shape
    assert np.abs(nearest.t - interp.t).max() <= 0.5 * sample * (1 + 1e-6)

    # Snapping moves an instant by half a step at most, and the sample counted from there lies
    # off the even clock by the shifts of both: on an even clock, half a sample in all.
    half = 0.5 * longest_step + recording.jitter * sample
    # The centre is snapped, and the low bound rounded to half a sample or less.
    seconds_apart = half + recording.jitter * sample + 0.5 * sample
    steepest = np.abs(np.diff(recording.trace) / np.diff(recording.time)).max()
    difference = np.abs(nearest.signals - interp.signals).max()
    assert difference <= steepest * seconds_apart * (1 + 1e-6)

    columns = ["cue", "lever"]
    assert nearest.obs[columns].isna().equals(interp.obs[columns].isna())
    # Both the event and the centre are snapped: by a sample in all on an even clock.
    apart = (nearest.obs[columns] - interp.obs[columns]).abs().to_numpy()
    assert np.nanmax(apart) <= 2 * half * (1 + 1e-6)


gains = st.floats(1e-3, 1e3)
offsets = st.floats(-1e4, 1e4)
cues_inside = lists_of(positions(100, 190), min_size=1, max_size=6)


@given(recording=recordings(), cues=cues_inside, alignment=alignments)
def test_zscored_baselines_have_mean_zero_and_standard_deviation_one(recording, cues, alignment):
    settings = {"baseline_bounds": (-50, 0), "window_alignment": alignment}
    zscored = recording.extract(
        {"cue": recording.at(cues)}, (-50, 0), trial_normalization="zscore", **settings
    )
    np.testing.assert_allclose(zscored.signals.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(zscored.signals.std(axis=1), 1)


@given(recording=recordings(), cues=cues_inside, gain=gains, sign=st.sampled_from([-1, 1]))
@pytest.mark.parametrize(
    ("method", "expected_gain"),
    [
        ("zscore", lambda gain: np.sign(gain)),
        ("mad", lambda gain: np.sign(gain)),
        ("amp", lambda gain: np.sign(gain)),
        ("zero", lambda gain: gain),
    ],
)
def test_the_gain_of_the_recording_is_normalized_away_but_by_zero(
    method, expected_gain, recording, cues, gain, sign
):
    settings = {"baseline_bounds": (-50, -5), "trial_normalization": method}
    events = {"cue": recording.at(cues)}
    plain = recording.extract(events, (-20, 40), **settings).signals
    amplified = recording._replace(trace=sign * gain * recording.trace)
    scaled = amplified.extract(events, (-20, 40), **settings).signals
    expected = expected_gain(sign * gain) * plain
    np.testing.assert_allclose(scaled, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@given(recording=recordings(), cues=cues_inside, offset=offsets)
@pytest.mark.parametrize("method", ["zscore", "mad", "amp", "zero"])
def test_the_level_of_the_recording_is_normalized_away(method, recording, cues, offset):
    settings = {"baseline_bounds": (-50, -5), "trial_normalization": method}
    events = {"cue": recording.at(cues)}
    plain = recording.extract(events, (-20, 40), **settings).signals
    raised = recording._replace(trace=recording.trace + offset)
    np.testing.assert_allclose(
        raised.extract(events, (-20, 40), **settings).signals, plain, atol=1e-8
    )


@given(
    recording=recordings(),
    cues=lists_of(positions(-20, N + 20), max_size=20),
    factor=st.integers(1, N),
    method=st.sampled_from(["mean", "resample"]),
)
def test_a_downsampled_table_keeps_every_event_of_the_recording(recording, cues, factor, method):
    experiment = PhotometryExperiment(
        recording.trace, None, recording.time, {"cue": recording.at(cues), "never": []}
    )
    table = wide_table(experiment, factor, {"method": method}, export_events=True)
    snapped = np.ceil(cues - 0.5)
    assert table["cue"].sum() == ((snapped >= 0) & (snapped < N)).sum()
    assert table["never"].sum() == 0


@given(recording=recordings(), first=st.integers(1, 8), second=st.integers(1, 8))
def test_the_mean_of_block_means_is_the_mean_of_the_samples(recording, first, second):
    once, time_once = downsample(recording.trace, recording.time, first)
    used = once.size * first
    assert N - used < first
    np.testing.assert_allclose(once.mean(), recording.trace[:used].mean(), atol=1e-9)
    np.testing.assert_allclose(time_once.mean(), recording.time[:used].mean())
    twice, time_twice = downsample(once, time_once, second)
    at_once, time_at_once = downsample(recording.trace, recording.time, first * second)
    np.testing.assert_allclose(twice, at_once, atol=1e-9)
    np.testing.assert_allclose(time_twice, time_at_once)


@given(recording=recordings(), cues=cues_inside, factor=st.integers(1, 60))
def test_downsampling_trials_keeps_their_mean_and_their_annotations(recording, cues, factor):
    events = {"cue": recording.at(cues), "lever": recording.at(cues + 3)}
    full = recording.extract(events, (-20, 40))
    fewer = recording.extract(events, (-20, 40), downsample=factor)
    used = full.t.size // factor * factor
    np.testing.assert_allclose(
        fewer.signals.mean(axis=1), full.signals[:, :used].mean(axis=1), atol=1e-9
    )
    np.testing.assert_allclose(fewer.t.mean(), full.t[:used].mean(), atol=1e-9)
    pd.testing.assert_frame_equal(fewer.obs, full.obs)
