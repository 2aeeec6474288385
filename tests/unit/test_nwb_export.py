"""Experiments written to NWB: valid, complete, and as they were."""

import json
import logging
from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest

from phopro_core import NWBLoader, PhotometryExperiment
from phopro_core.simulation import simulate_recording


@pytest.fixture
def experiment():
    simulated = simulate_recording(seed=3, duration=200.0)
    return PhotometryExperiment(
        simulated.signal,
        simulated.isosbestic,
        simulated.time,
        simulated.events,
        {"subject": "m3", "sex": "female", "age": "P90D", "source": "m3.csv", "weights": [21, 22]},
    )


@pytest.fixture
def processed(experiment):
    experiment.preprocess_signal(fit_using="OLS")
    experiment.extract_trial_data(align_to="trial_cue", trial_bounds=(-2, 6))
    return experiment


def read(path):
    io = pynwb.NWBHDF5IO(str(path), "r")
    return io, io.read()


def test_the_file_is_valid(processed, tmp_path):
    processed.write_nwb(tmp_path / "m3.nwb")
    assert pynwb.validate(path=str(tmp_path / "m3.nwb")) == []


@pytest.mark.parametrize("stage", ["loaded", "preprocessed"])
def test_so_is_one_of_a_recording_that_is_not_processed_yet(experiment, tmp_path, stage):
    if stage == "preprocessed":
        experiment.preprocess_signal()
    experiment.write_nwb(tmp_path / "m3.nwb")
    assert pynwb.validate(path=str(tmp_path / "m3.nwb")) == []


def test_traces_events_and_trials_are_those_of_the_experiment(processed, tmp_path):
    processed.write_nwb(tmp_path / "m3.nwb")
    io, file = read(tmp_path / "m3.nwb")
    with io:
        for name in ("raw_signal", "raw_isosbestic"):
            assert file.acquisition[name].data[:].tolist() == getattr(processed, name).tolist()
        for name in ("filt_sig", "filt_iso", "fitted_ref", "signal"):
            stored = file.processing["ophys"][name]
            assert stored.data[:].tolist() == getattr(processed, name).tolist()
            assert stored.rate == pytest.approx(20)
        for label, times in processed.events.items():
            assert file.events[label]["timestamp"][:].tolist() == times.tolist()
        trials = file.trials.to_dataframe()
        assert np.stack(trials["signal"]).tolist() == processed.trial_data.X.tolist()
        for name in processed.trial_data.obs:
            assert trials[name].tolist() == pytest.approx(
                processed.trial_data.obs[name].tolist(), nan_ok=True
            )
        t = file.processing["ophys"]["trial_times"]["t"][:]
        assert t.tolist() == processed.trial_data.ts.tolist()
        cues = processed.events["trial_cue"]
        np.testing.assert_allclose(trials["start_time"], cues - 2, atol=0.026)
        np.testing.assert_allclose(trials["stop_time"] - trials["start_time"], t[-1] - t[0])


def test_a_loader_reads_what_was_written(processed, tmp_path):
    path = tmp_path / "m3.nwb"
    processed.write_nwb(path)
    again = NWBLoader(path, "raw_signal", "raw_isosbestic", list(processed.events)).load()
    assert again.raw_signal.tolist() == processed.raw_signal.tolist()
    assert again.raw_isosbestic.tolist() == processed.raw_isosbestic.tolist()
    np.testing.assert_allclose(again.time, processed.time, atol=1e-9)
    for label, times in processed.events.items():
        assert again.events[label].tolist() == times.tolist()
    assert again.metadata["subject_id"] == "m3"


def test_metadata_go_to_their_fields_and_all_into_the_notes(processed, tmp_path):
    processed.metadata |= {"date_time": "2024-05-01T09:30:00", "lab": "Here"}
    processed.write_nwb(tmp_path / "m3.nwb")
    io, file = read(tmp_path / "m3.nwb")
    with io:
        assert file.subject.subject_id == "m3"
        assert file.subject.sex == "F"
        assert file.subject.age == "P90D"
        assert file.session_start_time == datetime(2024, 5, 1, 9, 30, tzinfo=UTC)
        assert file.lab == "Here"
        notes = json.loads(file.notes)
        assert notes["weights"] == [21, 22]
        assert notes["reference_fit"] == processed.metadata["reference_fit"]


def test_what_can_not_be_understood_is_left_out(experiment, tmp_path):
    experiment.metadata |= {"subject": np.nan, "date_of_birth": "unknown", "age": "old"}
    experiment.metadata |= {"session_start_time": "NaT", "sex": "?", "experimenter": "Doe, Jane"}
    experiment.write_nwb(tmp_path / "m3.nwb")
    assert pynwb.validate(path=str(tmp_path / "m3.nwb")) == []
    io, file = read(tmp_path / "m3.nwb")
    with io:
        assert file.subject is None
        assert file.experimenter == ("Doe, Jane",)
        assert file.session_start_time.year == 1970


def test_an_unknown_start_is_said_to_be_unknown(experiment, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        experiment.write_nwb(tmp_path / "m3.nwb")
    assert "start of the session is not known" in caplog.text
    start = datetime(2025, 2, 3, tzinfo=UTC)
    experiment.write_nwb(tmp_path / "m3.nwb", session_start_time=start)
    io, file = read(tmp_path / "m3.nwb")
    with io:
        assert file.session_start_time == start


def test_an_uneven_clock_is_written_as_time_stamps_once(tmp_path):
    time = np.cumsum(np.random.default_rng(0).uniform(0.04, 0.06, 100))
    PhotometryExperiment(time, 2 * time, time).write_nwb(tmp_path / "m.nwb")
    assert pynwb.validate(path=str(tmp_path / "m.nwb")) == []
    io, file = read(tmp_path / "m.nwb")
    with io:
        signal, isosbestic = (file.acquisition[f"raw_{name}"] for name in ("signal", "isosbestic"))
        assert signal.timestamps[:].tolist() == time.tolist()
        assert isosbestic.timestamps.name == signal.timestamps.name


def test_names_and_cells_that_nwb_does_not_take_are_changed(experiment, tmp_path):
    experiment.events = {
        "a/b": experiment.events["trial_cue"],
        "a:b": np.array([]),
        "id": np.array([50.0]),
    }
    experiment.preprocess_signal()
    experiment.extract_trial_data(align_to="a/b", trial_bounds=(-2, 6))
    n = experiment.trial_data.n_trials
    experiment.trial_data.obs["choice"] = (["left", None] * n)[:n]
    experiment.trial_data.obs["correct"] = ([True, False] * n)[:n]
    experiment.write_nwb(tmp_path / "m.nwb")
    assert pynwb.validate(path=str(tmp_path / "m.nwb")) == []
    io, file = read(tmp_path / "m.nwb")
    with io:
        assert set(file.events) == {"a_b", "a_b_", "id_"}
        assert file.trials["choice"][:2].tolist() == ["left", ""]
        assert file.trials["correct"][:2].tolist() == [True, False]


def test_trials_that_were_chosen_keep_their_places(processed, tmp_path):
    processed.trial_data.filter_rows([0, 2], inplace=True)
    processed.write_nwb(tmp_path / "m3.nwb")
    io, file = read(tmp_path / "m3.nwb")
    with io:
        cues = processed.events["trial_cue"][[0, 2]]
        np.testing.assert_allclose(file.trials["start_time"][:], cues - 2, atol=0.026)


class TestBadCalls:
    def test_a_path_with_another_ending_is_refused(self, experiment, tmp_path):
        with pytest.raises(ValueError, match=r"m3.h5' does not end in .nwb"):
            experiment.write_nwb(tmp_path / "m3.h5")

    def test_trials_of_elsewhere_are_refused(self, processed, tmp_path):
        processed.trial_data.obs["trial_num"] = 99
        with pytest.raises(ValueError, match="extract them with window_times=True"):
            processed.write_nwb(tmp_path / "m3.nwb")
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_left_of_a_file_that_failed(self, experiment, tmp_path, monkeypatch):
        (tmp_path / "m3.nwb").write_text("before")
        monkeypatch.setattr("pynwb.NWBHDF5IO.write", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            experiment.write_nwb(tmp_path / "m3.nwb")
        assert [file.name for file in tmp_path.iterdir()] == ["m3.nwb"]
        assert (tmp_path / "m3.nwb").read_text() == "before"
