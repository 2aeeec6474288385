"""NWB files with and without the extension for fiber photometry."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from pynwb.misc import IntervalSeries
from rigs.nwb import add_fibers, add_series, new_file, write

from phopro_core import NWBLoader
from phopro_core.errors import ConfigError

N = 400
FIBERS = [("DMS", 415.0), ("NAc", 415.0)], [("DMS", 470.0), ("NAc", 470.0)]


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(1, 0.1, (4, N))


@pytest.fixture
def path(tmp_path, samples):
    """Two fibers in the columns of a series per wavelength."""
    file = new_file()
    series = {
        "isosbestic_415": (FIBERS[0], samples[:2].T),
        "signal_470": (FIBERS[1], samples[2:].T),
    }
    add_fibers(file, series, rate=20.0, starting_time=1.5)
    return write(tmp_path / "m1.nwb", file)


def load(path, signal, isosbestic=None, **kwargs):
    return NWBLoader(path, signal, isosbestic, **kwargs).extract_data()


@pytest.mark.parametrize("fiber", [0, 1])
def test_a_fiber_is_a_column_of_a_series(path, samples, fiber):
    data = load(path, f"signal_470[{fiber}]", f"isosbestic_415[{fiber}]")
    assert data["raw_signal"].tolist() == samples[2 + fiber].tolist()
    assert data["raw_isosbestic"].tolist() == samples[fiber].tolist()
    assert data["time"].tolist() == (1.5 + np.arange(N) / 20).tolist()


def test_subject_and_session_go_into_the_metadata(path):
    metadata = load(path, "signal_470[0]")["metadata"]
    assert metadata["subject_id"] == "m1"
    assert metadata["age"] == "P90D"
    assert metadata["session_id"] == "day 1"
    assert metadata["session_start_time"] == "2024-05-01 09:30:00+00:00"
    assert metadata["source"] == str(path)


def test_plain_series_with_time_stamps_are_read(tmp_path, samples):
    file = new_file()
    stamps = np.cumsum(np.random.default_rng(1).uniform(0.04, 0.06, N))
    add_series(file, "green", samples[0], timestamps=stamps)
    add_series(file, "violet", samples[1], timestamps=file.acquisition["green"])
    data = load(write(tmp_path / "m1.nwb", file), "green", "acquisition/violet")
    assert data["raw_signal"].tolist() == samples[0].tolist()
    assert data["raw_isosbestic"].tolist() == samples[1].tolist()
    assert data["time"].tolist() == stamps.tolist()


def test_samples_are_brought_to_their_unit(tmp_path):
    file = new_file()
    counts = np.arange(N, dtype="i2")
    add_series(file, "green", counts, rate=20.0, conversion=0.001, offset=0.5)
    data = load(write(tmp_path / "m1.nwb", file), "green")
    np.testing.assert_allclose(data["raw_signal"], counts * 0.001 + 0.5, rtol=1e-15)


OLDER = {
    "reward": "reward",
    "tone": {"table": "cues", "where": {"label": "tone"}},
    "up": {"table": "ttl", "where": {"label": "in"}},
    "lick": {"table": "annotated", "where": {"label": "lick"}},
}


class TestEvents:
    def load(self, tmp_path, file, events):
        add_series(file, "green", np.arange(float(N)), rate=20.0)
        return load(write(tmp_path / "m1.nwb", file), "green", events=events)["events"]

    def test_a_table_of_events_has_a_column_of_times(self, tmp_path):
        from pynwb.event import EventsTable

        file = new_file()
        table = EventsTable(name="cue", description="cues")
        table.add_column(name="tone", description="which")
        for time, tone in ((3.0, "low"), (1.0, "high"), (2.0, "low")):
            table.add_event(timestamp=time, tone=tone)
        file.add_events_table(table)
        low = {"table": "cue", "where": {"tone": "low"}}
        both = {"table": "cue", "where": {"tone": ["low", "high"]}}
        events = self.load(tmp_path, file, {"cue": "cue", "low": low, "both": both})
        assert events["cue"].tolist() == [1, 2, 3]
        assert events["low"].tolist() == [2, 3]
        assert events["both"].tolist() == [1, 2, 3]

    def test_a_column_of_trials_is_filtered_by_another(self, tmp_path):
        file = new_file()
        file.add_trial_column("lever", "time of the press")
        file.add_trial_column("choice", "which lever")
        file.add_trial_column("licks", "times of licks", index=True)
        rows = [
            (1.0, 2.0, 1.5, 1, [1.6, 1.7]),
            (3.0, 4.0, np.nan, 1, []),
            (5.0, 6.0, 5.5, 2, [5.9]),
        ]
        for start, stop, lever, choice, licks in rows:
            file.add_trial(
                start_time=start, stop_time=stop, lever=lever, choice=choice, licks=licks
            )
        events = self.load(
            tmp_path,
            file,
            {
                "trial": "trials",
                "left": {"table": "trials", "column": "lever", "where": {"choice": 1}},
                "stop": {"table": "trials", "column": "stop_time"},
                "lick": {"table": "trials", "column": "licks"},
            },
        )
        assert events["trial"].tolist() == [1, 3, 5]
        assert events["left"].tolist() == [1.5]
        assert events["stop"].tolist() == [2, 4, 6]
        assert events["lick"].tolist() == [1.6, 1.7, 5.9]

    @pytest.mark.parametrize("extension", ["imported", "unknown"])
    def test_events_of_the_older_extension_are_read(self, tmp_path, extension):
        import ndx_events as ndx

        file = new_file()
        file.add_acquisition(ndx.Events(name="reward", description="", timestamps=[1.0, 4.0]))
        for name, cls, labels in (
            ("cues", ndx.LabeledEvents, ["tone", "light"]),
            ("ttl", ndx.TTLs, ["in", "out"]),
        ):
            data = np.array([0, 1, 0], dtype="u1")
            times = [0.5, 1.5, 2.0]
            file.add_acquisition(
                cls(name=name, description="", timestamps=times, data=data, labels=labels)
            )
        table = ndx.AnnotatedEventsTable(name="annotated", description="")
        table.add_event_type(label="lick", event_description="", event_times=[0.1, 0.2])
        table.add_event_type(label="press", event_description="", event_times=[3.0])
        file.create_processing_module("events", "events").add(table)
        expected = {"reward": [1, 4], "tone": [0.5, 2], "up": [0.5, 2], "lick": [0.1, 0.2]}
        if extension == "imported":
            found = self.load(tmp_path, file, OLDER)
            assert {label: times.tolist() for label, times in found.items()} == expected
            return
        add_series(file, "green", np.arange(float(N)), rate=20.0)
        path = write(tmp_path / "m1.nwb", file)
        program = (
            "import json, sys; sys.path.insert(0, 'workflow');"
            "from phopro_core import NWBLoader, inspect;"
            f"events = NWBLoader({str(path)!r}, 'green', None, {OLDER!r}).read().events;"
            "print(json.dumps({label: times.tolist() for label, times in events.items()}));"
            f"print(json.dumps(inspect({str(path)!r}).events))"
        )
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True
        )
        loaded, described = map(json.loads, done.stdout.splitlines())
        assert loaded == expected
        assert described["acquisition/ttl"] == 3

    def test_a_series_of_time_stamps_is_one_of_events(self, tmp_path):
        file = new_file()
        add_series(file, "licks", np.ones(3), timestamps=[1.0, 2.0, 2.5])
        line = np.zeros(N)
        line[100:110] = 1
        add_series(file, "ttl", line, rate=20.0)
        add_series(file, "stamped", line, timestamps=np.arange(N) / 20 + 1)
        bouts = IntervalSeries(name="bouts", data=[1, -1, 1], timestamps=[3.0, 4.0, 6.0])
        file.add_acquisition(bouts)
        events = self.load(tmp_path, file, ["licks", "ttl", "stamped", "bouts"])
        assert events["licks"].tolist() == [1, 2, 2.5]
        assert events["ttl"].tolist() == [5.0]
        assert events["stamped"].tolist() == [6.0]
        assert events["bouts"].tolist() == [3, 6]

    def test_a_value_is_the_same_as_integer_and_as_float(self, tmp_path, caplog):
        file = new_file()
        file.add_trial_column("choice", "which lever")
        for start, choice in ((1.0, 1.0), (3.0, np.nan), (5.0, 2.0)):
            file.add_trial(start_time=start, stop_time=start + 1, choice=choice)
        where = {
            f"of {value!r}": {"table": "trials", "where": {"choice": value}}
            for value in (1, 2.0, 3)
        }
        with caplog.at_level(logging.WARNING):
            events = self.load(tmp_path, file, where)
        assert [times.tolist() for times in events.values()] == [[1.0], [5.0], []]
        assert "'choice' of intervals/trials is 3 in no row (has: 1, 2, nan)" in caplog.text

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("tests", r"no table or series of events 'tests' \(there: .*trials"),
            ({"table": "trials", "column": "lever"}, r"trials has no column 'lever' \(has: start_"),
            ({"table": "trials", "where": {"x": 1}}, "trials has no column 'x'"),
            ({"table": "trials", "column": "choice"}, "column 'choice' of .*trials is no time"),
            ({"column": "lever"}, "an event is told by table, column and where"),
            ({"table": "green", "where": {"x": 1}}, "green is a series; it has no columns"),
        ],
    )
    def test_what_is_not_there_is_named_with_what_is(self, tmp_path, source, message):
        file = new_file()
        file.add_trial_column("choice", "which lever")
        file.add_trial(start_time=1.0, stop_time=2.0, choice="left")
        with pytest.raises(ValueError, match=message):
            self.load(tmp_path, file, {"event": source})


class TestBadFiles:
    @pytest.mark.parametrize(
        ("signal", "message"),
        [
            ("signal_465", r"no series 'signal_465' \(there: acquisition/isosbestic_415, "),
            (
                "signal_470",
                r"shape \(400, 2\); choose a column: signal_470\[0\] to signal_470\[1\]",
            ),
            ("signal_470[2]", "has columns 0 to 1, but not 2"),
        ],
    )
    def test_a_series_that_is_not_there_is_named_with_those_that_are(self, path, signal, message):
        with pytest.raises(ValueError, match=message):
            load(path, signal)

    def test_a_series_without_columns_is_told(self, tmp_path):
        file = new_file()
        add_series(file, "green", np.arange(10.0), rate=20.0)
        with pytest.raises(ValueError, match="it has no columns to choose from"):
            load(write(tmp_path / "m1.nwb", file), "green[0]")

    @pytest.mark.parametrize("part", [0, 100, 0.5, 0.99])
    def test_a_file_that_was_cut_short_is_named(self, path, part):
        whole = path.read_bytes()
        path.write_bytes(whole[: part if part > 1 else int(part * len(whole))])
        with pytest.raises(ValueError, match=r"m1.nwb: can't be read as an NWB file of version 2"):
            load(path, "signal_470[0]")

    def test_a_file_of_another_program_is_named(self, tmp_path):
        with h5py.File(tmp_path / "m1.nwb", "w") as file:
            file["data"] = [1.0]
        with pytest.raises(ValueError, match=r"m1.nwb: can't be read as an NWB file.*version"):
            load(tmp_path / "m1.nwb", "data")

    def test_a_file_of_version_1_is_named(self, path):
        with h5py.File(path, "r+") as file:
            file.attrs["nwb_version"] = "1.0.6"
        with pytest.raises(ValueError, match=r"m1.nwb: can't be read as an NWB file.*1\.0\.6"):
            load(path, "signal_470[0]")

    def test_a_series_with_more_samples_than_times_is_named(self, tmp_path, recwarn):
        file = new_file()
        add_series(file, "green", np.arange(10.0), timestamps=np.arange(10.0))
        path = write(tmp_path / "m1.nwb", file)
        with h5py.File(path, "r+") as stored:
            del stored["acquisition/green/data"]
            data = stored["acquisition/green"].create_dataset("data", data=np.arange(12.0))
            data.attrs.update({"unit": "a.u.", "conversion": 1.0, "offset": 0.0})
        with pytest.raises(ValueError, match="'green' has 12 samples, but 10 time stamps"):
            load(path, "green")

    def test_a_series_whose_samples_are_damaged_is_named(self, tmp_path):
        from pynwb import H5DataIO

        file = new_file()
        noise = np.random.default_rng(0).normal(size=N)
        add_series(file, "green", H5DataIO(noise, compression="gzip"), rate=20.0)
        path = write(tmp_path / "m1.nwb", file)
        with h5py.File(path) as stored:
            chunk = stored["acquisition/green/data"].id.get_chunk_info(0)
        content = bytearray(path.read_bytes())
        content[chunk.byte_offset + 20 : chunk.byte_offset + 60] = bytes(40)
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"m1.nwb: can't be read as an NWB file"):
            load(path, "green")

    def test_what_was_sent_to_a_light_source_is_no_recording(self, tmp_path):
        import ndx_fiber_photometry as photometry

        file = new_file()
        sent = photometry.CommandedVoltageSeries(
            name="sent", data=np.arange(float(N)), frequency=211.0, rate=20.0, unit="volts"
        )
        file.add_acquisition(sent)
        with pytest.raises(ValueError, match=r"no series 'sent' \(there: none\)"):
            load(write(tmp_path / "m1.nwb", file), "sent")

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere.nwb: no such file"):
            load(tmp_path / "nowhere.nwb", "a")


def test_without_pynwb_the_message_has_the_command_that_installs_it(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(ConfigError, match=r"'pynwb'.*pip install 'phopro-workflow\[nwb\]'"):
        load(path, "signal_470[0]")
