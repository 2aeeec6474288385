"""The simulation against its own model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phopro_core.simulation import ARTIFACT_HEIGHTS, Response, simulate_recording

EXAMPLE = Path(__file__).parents[2] / "config" / "example" / "recordings"
QUIET = {"photons": 1e14, "responses": {}}


def test_a_response_peaks_at_its_amplitude_and_is_zero_before_its_event():
    t = np.arange(-2000, 20_000) / 1000
    response = Response(-0.06, rise=0.2, decay=2.5).at(t)
    assert response.min() == pytest.approx(-0.06, rel=1e-6)
    assert (response[t <= 0] == 0).all()
    # Peak of the difference of two exponentials, in closed form.
    assert t[response.argmin()] == pytest.approx(np.log(2.5 / 0.2) / (1 / 0.2 - 1 / 2.5), abs=1e-3)
    late = t > 5
    np.testing.assert_allclose(np.diff(np.log(-response[late])) * 1000, -1 / 2.5, rtol=1e-6)


def test_equal_seeds_give_equal_recordings_and_others_others():
    first, again, other = (simulate_recording(seed, duration=100) for seed in (3, 3, 4))
    assert np.array_equal(first.signal, again.signal)
    assert np.array_equal(first.isosbestic, again.isosbestic)
    assert np.array_equal(first.events["trial_cue"], again.events["trial_cue"])
    assert not np.array_equal(first.signal, other.signal)


@pytest.mark.parametrize(("duration", "frequency"), [(100.0, 20.0), (60.0, 101.7)])
def test_it_lasts_and_samples_as_asked(duration, frequency):
    recording = simulate_recording(0, duration, frequency)
    assert recording.time.size == recording.signal.size == round(duration * frequency)
    np.testing.assert_allclose(np.diff(recording.time), 1 / frequency)


def test_the_signal_without_noise_is_a_line_of_the_isosbestic_times_the_response():
    recording = simulate_recording(1, photons=1e14, intercept=7.0, slope=0.8)
    np.testing.assert_allclose(recording.reference, 7 + 0.8 * recording.isosbestic, rtol=1e-6)
    np.testing.assert_allclose(
        recording.signal, recording.reference * (1 + recording.dff), rtol=1e-6
    )
    assert (recording.intercept, recording.slope) == (7.0, 0.8)


def test_unless_told_otherwise_it_is_still_the_recording_that_the_example_was_made_of():
    recording = simulate_recording(1, intercept=4.0, slope=1.15)
    example = pd.read_csv(EXAMPLE / "experiment_1.csv")
    np.testing.assert_allclose(recording.signal, example["raw_signal"], atol=6e-5)
    np.testing.assert_allclose(recording.isosbestic, example["raw_isosbestic"], atol=6e-5)
    assert recording.artifacts == ()


def test_without_motion_the_isosbestic_bleaches_by_two_exponentials():
    recording = simulate_recording(
        1, motion=0.0, level=80.0, bleaching=(0.3, 20.0, 0.1, 500.0), **QUIET
    )
    t = recording.time
    expected = 80 * (0.6 + 0.3 * np.exp(-t / 20) + 0.1 * np.exp(-t / 500))
    np.testing.assert_allclose(recording.isosbestic, expected, rtol=1e-6)


def test_an_isosbestic_can_bleach_in_its_own_way():
    own = {"bleaching": (0.3, 20.0, 0.1, 500.0), "isosbestic_bleaching": (0.2, 90.0, 0.4, 300.0)}
    recording = simulate_recording(1, motion=0.0, level=80.0, **own, **QUIET)
    t = recording.time
    expected = 80 * (0.4 + 0.2 * np.exp(-t / 90) + 0.4 * np.exp(-t / 300))
    np.testing.assert_allclose(recording.isosbestic, expected, rtol=1e-6)
    light = 80 * (0.6 + 0.3 * np.exp(-t / 20) + 0.1 * np.exp(-t / 500))
    np.testing.assert_allclose(recording.reference, 5 + 1.25 * light, rtol=1e-6)


def test_bleaching_of_its_own_leaves_the_isosbestic_the_signal_s_motion():
    recording = simulate_recording(
        1, motion=0.05, isosbestic_bleaching=(0.0, 1.0, 0.0, 1.0), **QUIET
    )
    shared = simulate_recording(1, motion=0.05, **QUIET)
    np.testing.assert_array_equal(recording.reference, shared.reference)
    still = simulate_recording(1, motion=0.0, **QUIET)
    np.testing.assert_allclose(
        recording.isosbestic / 50, shared.isosbestic / still.isosbestic, rtol=1e-6
    )


def test_a_low_level_with_a_steep_slope_weakens_the_isosbestic_alone():
    weak, usual = (
        simulate_recording(3, motion=0.0, responses={}, **light)
        for light in ({"level": 2.0, "slope": 31.25}, {"level": 50.0, "slope": 1.25})
    )
    np.testing.assert_allclose(weak.signal, usual.signal)
    noise = [
        (recording.isosbestic * recording.slope + recording.intercept) / recording.reference - 1
        for recording in (weak, usual)
    ]
    assert noise[0].std() == pytest.approx(5 * noise[1].std(), rel=0.01)  # √(50 / 2)


@pytest.mark.parametrize("motion", [0.01, 0.05])
def test_motion_has_the_standard_deviation_asked_for(motion):
    moving, still = (simulate_recording(2, motion=m, **QUIET) for m in (motion, 0.0))
    assert (moving.isosbestic / still.isosbestic - 1).std() == pytest.approx(motion, rel=1e-3)


@pytest.mark.parametrize("photons", [500.0, 5000.0])
def test_noise_grows_with_the_square_root_of_the_light(photons):
    recording = simulate_recording(
        3, photons=photons, responses={}, motion=0.0, bleaching=(0.9, 60.0, 0.0, 1.0)
    )
    noise = recording.signal - recording.reference
    for part in (slice(0, 1000), slice(-8000, None)):  # nine tenths of the light fade between
        expected = np.sqrt(recording.reference[part].mean() / photons)
        assert noise[part].std() == pytest.approx(expected, rel=0.06)


def test_the_response_is_the_sum_of_those_to_each_event():
    responses = {"lever1": Response(0.2), "shock": Response(-0.1, decay=3.0)}
    recording = simulate_recording(4, responses=responses)
    expected = sum(
        response.at(recording.time - instant)
        for label, response in responses.items()
        for instant in recording.events[label]
    )
    np.testing.assert_allclose(recording.dff, expected, atol=1e-12)
    assert recording.events["lever1"].size > 0


@pytest.mark.parametrize("seed", range(3))
def test_the_session_is_one_of_a_cued_lever_task(seed):
    recording = simulate_recording(seed, duration=2000.0)
    cues = recording.events["trial_cue"]
    presses = np.sort(np.concatenate([recording.events["lever1"], recording.events["lever2"]]))
    assert np.diff(cues) == pytest.approx(40, abs=4.1)
    delays = presses - cues[np.searchsorted(cues, presses) - 1]
    assert ((delays > 2) & (delays < 4)).all()
    assert 0.6 * cues.size < presses.size < cues.size
    after = recording.events["shock"][:, np.newaxis] - recording.events["lever1"]
    assert np.isclose(after, 1, atol=0.051).any(axis=1).all()


def test_events_fall_on_samples_inside_the_recording():
    recording = simulate_recording(5, frequency=30.0)
    for times in recording.events.values():
        np.testing.assert_allclose(times * 30, np.round(times * 30), atol=1e-9)
        assert ((times >= recording.time[0]) & (times <= recording.time[-1])).all()


def test_a_single_channel_has_neither_isosbestic_nor_motion():
    recording = simulate_recording(6, single_channel=True, motion=0.5, **QUIET)
    assert recording.isosbestic is None
    assert (np.diff(recording.signal) < 0).mean() > 0.99  # only bleaching is left


@pytest.mark.parametrize("frequency", [20.0, 101.7])
def test_artifacts_are_added_to_the_signal_where_the_truth_has_them(frequency):
    with_artifacts = simulate_recording(7, frequency=frequency, spikes=12, jumps=4)
    without = simulate_recording(7, frequency=frequency)
    added = np.zeros_like(without.time)
    for artifact in with_artifacts.artifacts:
        first = np.argmin(np.abs(without.time - artifact.start_time))
        last = np.argmin(np.abs(without.time - artifact.stop_time))
        stop = last + 1 if artifact.type == "spike" else None
        added[first:stop] += artifact.height * without.reference[first]
        assert last - first in ((0, 1, 2) if artifact.type == "spike" else (0,))
    np.testing.assert_allclose(with_artifacts.signal - without.signal, added, atol=1e-10)
    for name in ("isosbestic", "reference", "dff"):
        np.testing.assert_array_equal(getattr(with_artifacts, name), getattr(without, name))


@pytest.mark.parametrize("type_", ["spike", "jump"])
def test_there_are_as_many_artifacts_as_asked_for_of_heights_of_either_sign(type_):
    found = [
        artifact
        for seed in range(5)
        for artifact in simulate_recording(seed, spikes=12, jumps=12).artifacts
        if artifact.type == type_
    ]
    assert len(found) == 60
    heights = np.array([artifact.height for artifact in found])
    least, greatest = ARTIFACT_HEIGHTS[type_]
    assert ((np.abs(heights) >= least) & (np.abs(heights) <= greatest)).all()
    assert 0.25 < (heights < 0).mean() < 0.75


def test_artifacts_lie_apart_and_inside_the_recording():
    recording = simulate_recording(8, duration=200.0, spikes=30, jumps=20)
    times = np.array([artifact.start_time for artifact in recording.artifacts])
    assert np.diff(times).min() > 1.9
    assert times.min() > 0 and times.max() < 200


def test_more_artifacts_than_have_room_are_refused():
    with pytest.raises(ValueError, match=r"9 artifacts in 30 s .* at most 7 have room"):
        simulate_recording(0, duration=30.0, spikes=6, jumps=3)
