"""The simulation against its own model."""

import numpy as np
import pytest

from phopro_core.simulation import Response, simulate_recording

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


def test_without_motion_the_isosbestic_bleaches_by_two_exponentials():
    recording = simulate_recording(
        1, motion=0.0, level=80.0, bleaching=(0.3, 20.0, 0.1, 500.0), **QUIET
    )
    t = recording.time
    expected = 80 * (0.6 + 0.3 * np.exp(-t / 20) + 0.1 * np.exp(-t / 500))
    np.testing.assert_allclose(recording.isosbestic, expected, rtol=1e-6)


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
